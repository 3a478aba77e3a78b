package redirect

import (
	"container/list"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// gate lets as many handshakes compute at once as there are processors. Those
// that wait do so in lanes, and the lanes take turns. In a lane the one that
// came last goes first: in a flood, first come first served would make everybody
// wait as long as the flood is deep, and whoever was first has given up by then.
type gate struct {
	mu     sync.Mutex
	inside int
	lanes  [lanes]list.List // of *wish, the latest at the front
	turns  []uint8          // the lanes in which somebody waits, the next one first
	narrow atomic.Bool      // one processor is left to those who are let in
}

// wish is somebody's to enter.
type wish struct {
	lane  uint8
	place *list.Element // nil once it is answered
	said  chan error
}

// gateTime is how long a handshake may wait.
const gateTime = 5 * time.Second

var errCrowded = errors.New("too many handshakes at once")

// enter waits for the wish's turn. It fails when that is withdrawn, and after
// gateTime.
func (g *gate) enter(w *wish) error {
	g.mu.Lock()
	if g.inside < g.width() {
		g.inside++
		g.mu.Unlock()
		return nil
	}
	w.said = make(chan error, 1)
	lane := &g.lanes[w.lane]
	if lane.Len() == 0 {
		g.turns = append(g.turns, w.lane)
	}
	w.place = lane.PushFront(w)
	g.mu.Unlock()
	late := time.AfterFunc(gateTime, func() { g.withdraw(w) })
	defer late.Stop()
	err := <-w.said
	runtime.Gosched() // before what takes long come those who only want to be let in
	return err
}

// width is how many may be inside.
func (g *gate) width() int {
	n := runtime.GOMAXPROCS(0)
	if n > 1 && g.narrow.Load() {
		return n - 1
	}
	return n
}

// withdraw ends a wish that isn't granted yet.
func (g *gate) withdraw(w *wish) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.place == nil {
		return
	}
	g.answer(w, errCrowded)
	if g.lanes[w.lane].Len() == 0 {
		i := slices.Index(g.turns, w.lane)
		g.turns = slices.Delete(g.turns, i, i+1)
	}
}

// answer tells whoever waits; g.mu is held.
func (g *gate) answer(w *wish, err error) {
	g.lanes[w.lane].Remove(w.place)
	w.place = nil
	w.said <- err
}

// leave lets the next one in.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.turns) == 0 || g.inside > g.width() {
		g.inside--
		return
	}
	lane := g.turns[0]
	g.turns = slices.Delete(g.turns, 0, 1)
	g.answer(g.lanes[lane].Front().Value.(*wish), nil)
	if g.lanes[lane].Len() > 0 {
		g.turns = append(g.turns, lane)
	}
}
