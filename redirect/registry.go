package redirect

import (
	"sync"
	"sync/atomic"
)

// registry knows the connections that are open, so that they can be ended, and
// bounds their number. It is split, so that many cores don't meet in one lock;
// nothing is kept of a connection that has closed, and nothing by address.
type registry[C evictable] struct {
	limit  int64
	open   atomic.Int64
	next   atomic.Uint32
	shards [16]shard[C]
}

// evictable is a connection that can be closed by others, unless it is busy.
type evictable interface {
	comparable
	evict() bool // reports whether it did
}

type shard[C evictable] struct {
	mu  sync.Mutex
	all map[C]struct{}
	_   [40]byte // a cache line of its own
}

// add takes a connection in and returns the shard that it is in. Beyond the
// limit another one has to go: any that is idle, in no order, since whoever
// opens very many has most of them.
func (r *registry[C]) add(c C) *shard[C] {
	s := &r.shards[r.next.Add(1)%uint32(len(r.shards))]
	s.mu.Lock()
	if s.all == nil {
		s.all = map[C]struct{}{}
	}
	s.all[c] = struct{}{}
	s.mu.Unlock()
	if r.open.Add(1) > r.limit {
		r.makeRoom(c)
	}
	return s
}

func (r *registry[C]) remove(s *shard[C], c C) {
	s.mu.Lock()
	delete(s.all, c)
	s.mu.Unlock()
	r.open.Add(-1)
}

// makeRoom closes one idle connection, the new one if it must be.
func (r *registry[C]) makeRoom(except C) {
	start := r.next.Load()
	for i := range uint32(len(r.shards)) {
		if r.shards[(start+i)%uint32(len(r.shards))].evictOne(except) {
			return
		}
	}
	except.evict()
}

// patience is how many connections of a shard are tried; busy ones are few.
const patience = 64

func (s *shard[C]) evictOne(except C) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	tries := 0
	for c := range s.all { // in random order
		if c != except && c.evict() {
			delete(s.all, c) // its own removal will find nothing
			return true
		}
		if tries++; tries == patience {
			return false
		}
	}
	return false
}

// each calls f for every connection that is open now.
func (r *registry[C]) each(f func(C)) {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		all := make([]C, 0, len(s.all))
		for c := range s.all {
			all = append(all, c)
		}
		s.mu.Unlock()
		for _, c := range all {
			f(c)
		}
	}
}
