package redirect

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// registry knows the connections that are open, so that they can be ended, and
// bounds their number. It is split, so that many cores don't meet in one lock;
// nothing is kept of a connection that has closed, and nothing by address.
type registry[C evictable] struct {
	limit  int64
	open   atomic.Int64
	next   atomic.Uint64
	shards [16]shard[C]
}

// evictable is a connection that can be closed by others, unless it is busy.
type evictable interface {
	comparable
	evict() bool // reports whether it did
}

type shard[C evictable] struct {
	mu  sync.Mutex
	all map[C]uint64 // which came as the how many-th
	_   [40]byte     // a cache line of its own
}

// add takes a connection in and returns the shard that it is in. Beyond the
// limit another one has to go: an old one that is idle.
func (r *registry[C]) add(c C) *shard[C] {
	number := r.next.Add(1)
	s := &r.shards[number%uint64(len(r.shards))]
	s.mu.Lock()
	if s.all == nil {
		s.all = map[C]uint64{}
	}
	s.all[c] = number
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
	for i := range uint64(len(r.shards)) {
		if r.shards[(start+i)%uint64(len(r.shards))].evictOne(except) {
			return
		}
	}
	except.evict()
}

const (
	// sample is how many connections are compared: the oldest of so many is
	// hardly ever a visitor who has just come.
	sample = 16
	// samples is how many times that is tried; busy connections are few.
	samples = 4
)

func (s *shard[C]) evictOne(except C) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	some := make([]C, 0, sample)
	tries := 0
	for c := range s.all { // in random order
		if c != except {
			some = append(some, c)
		}
		if len(some) < sample {
			continue
		}
		if s.evictOldest(some) {
			return true
		}
		if tries++; tries == samples {
			return false
		}
		some = some[:0]
	}
	return s.evictOldest(some)
}

// evictOldest closes the oldest that can be closed.
func (s *shard[C]) evictOldest(some []C) bool {
	slices.SortFunc(some, func(a, b C) int { return cmp.Compare(s.all[a], s.all[b]) })
	for _, c := range some {
		if c.evict() {
			delete(s.all, c) // its own removal will find nothing
			return true
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
