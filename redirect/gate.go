package redirect

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"
)

// gate lets as many handshakes compute at once as there are processors. Of
// those that wait, the one that came last goes first: in a flood, first come
// first served would make everybody wait as long as the flood is deep, and
// whoever was first has given up by then.
type gate struct {
	mu      sync.Mutex
	inside  int
	waiting []chan struct{}
}

// gateTime is how long a handshake may wait.
const gateTime = 5 * time.Second

var errCrowded = errors.New("too many handshakes at once")

func (g *gate) enter() error {
	g.mu.Lock()
	if g.inside < runtime.GOMAXPROCS(0) {
		g.inside++
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	g.waiting = append(g.waiting, turn)
	g.mu.Unlock()
	late := time.NewTimer(gateTime)
	defer late.Stop()
	select {
	case <-turn:
		return nil
	case <-late.C:
		return g.giveUp(turn)
	}
}

// giveUp takes back a wish to enter, unless it was granted meanwhile.
func (g *gate) giveUp(turn chan struct{}) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, turn); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		return errCrowded
	}
	return nil
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.waiting); n > 0 {
		close(g.waiting[n-1])
		g.waiting = g.waiting[:n-1]
		return
	}
	g.inside--
}
