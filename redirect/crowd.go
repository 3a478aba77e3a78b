package redirect

import (
	"container/list"
	"hash/maphash"
	"net"
	"sync"
	"time"
)

// Connections share lanes by where they come from, so that whoever opens
// thousands is in his own way first. A lane is a keyed hash of an address and
// holds who is there just now: of who has gone, nothing is left.
const lanes = 256

type laneKey struct{ seed maphash.Seed }

// of gives the lane of an address: of IPv6, those of a site share one.
func (k laneKey) of(from net.Addr) uint8 {
	tcp, ok := from.(*net.TCPAddr)
	if !ok {
		return 0
	}
	ip := tcp.IP.To4()
	if ip == nil {
		ip = tcp.IP[:min(len(tcp.IP), 6)]
	}
	return uint8(maphash.Bytes(k.seed, ip))
}

// crowd knows the connections that keep the server waiting in the middle of
// something: a handshake, a head, a frame, a body, an answer that they don't
// read. Those hold buffers, so it bounds their number. Beyond that, one goes
// that has waited longest in the lane where most wait.
type crowd struct {
	mu    sync.Mutex
	limit int
	size  int
	lanes [lanes]list.List // of *session, the oldest first

	mercy int       // how many more may be admitted though there is no room
	since time.Time // when mercy was renewed
}

// admit takes a session in that has just been accepted, and reports whether it
// may stay. Where too many wait, an older one gives way; but when they come faster
// than that could be done for each, it is cheaper to turn a newcomer away at once,
// unless its lane is short.
func (w *crowd) admit(c *session) bool {
	w.mu.Lock()
	if w.full(c.lane) && !w.merciful() {
		w.mu.Unlock()
		return false
	}
	out := w.put(c)
	full := w.size >= w.limit
	w.mu.Unlock()
	c.s.gate.narrow.Store(full)
	out.cutAside()
	return true
}

// full reports whether there is no room, and least for a lane; w.mu is held.
func (w *crowd) full(lane uint8) bool {
	return w.size >= w.limit && w.lanes[lane].Len() >= w.longest().Len()/2
}

const (
	mercies   = 10
	mercyTime = 10 * time.Millisecond
)

// merciful gives leave all the same, so many times in a while; w.mu is held.
func (w *crowd) merciful() bool {
	if now := time.Now(); now.Sub(w.since) > mercyTime {
		w.mercy, w.since = mercies, now
	}
	w.mercy--
	return w.mercy >= 0
}

// join takes a session in, unless it is in already.
func (w *crowd) join(c *session) {
	w.mu.Lock()
	out := w.put(c)
	w.mu.Unlock()
	out.cutAside()
}

// put takes a session in, and gives the one that has to go for it, or nil; w.mu
// is held.
func (w *crowd) put(c *session) *session {
	if c.place == nil {
		c.place = w.lanes[c.lane].PushBack(c)
		w.size++
	}
	if w.size <= w.limit {
		return nil
	}
	out := w.longest().Front().Value.(*session)
	w.drop(out)
	return out
}

// cutAside cuts a session, if there is one, without waiting for who uses it.
func (c *session) cutAside() {
	if c != nil {
		go c.cut()
	}
}

// move puts a session, in or not, into another lane.
func (w *crowd) move(c *session, lane uint8) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.place != nil {
		w.lanes[c.lane].Remove(c.place)
		c.place = w.lanes[lane].PushBack(c)
	}
	c.lane, c.wish.lane = lane, lane
}

// part is join's opposite. It may be called of a session that isn't in.
func (w *crowd) part(c *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.place != nil {
		w.drop(c)
	}
}

// drop takes a session out; w.mu is held.
func (w *crowd) drop(c *session) {
	w.lanes[c.lane].Remove(c.place)
	c.place = nil
	w.size--
}

func (w *crowd) longest() *list.List {
	most := &w.lanes[0]
	for i := range w.lanes {
		if w.lanes[i].Len() > most.Len() {
			most = &w.lanes[i]
		}
	}
	return most
}
