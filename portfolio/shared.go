package portfolio

import (
	"hash/maphash"
	"slices"
	"sync"
)

// shared keeps equal parts of plans once. Look-alike domains mostly hold, and
// get, the same: a portfolio's plan then takes little more than its exceptions.
// What it gives is shared by many and must not be changed.
type shared struct {
	zones   pool[RRset]
	changes pool[Change]
	owned   pool[Owned]
	notes   pool[string]
	keys    pool[Key]
}

func newShared() *shared {
	return &shared{
		zones:   newPool(hashRRset, RRset.equal),
		changes: newPool(hashChange, Change.equal),
		owned:   newPool(hashOwned, Owned.equal),
		notes:   newPool(hashComparable, equalComparable[string]),
		keys:    newPool(hashComparable, equalComparable[Key]),
	}
}

// plan is p, sharing what others have too.
func (s *shared) plan(p DomainPlan) DomainPlan {
	p.Zone.RRsets = s.zones.one(p.Zone.RRsets)
	p.Changes = s.changes.one(p.Changes)
	p.Marker.Before.Owned = s.owned.one(p.Marker.Before.Owned)
	p.Marker.After.Owned = s.owned.one(p.Marker.After.Owned)
	p.Notes = s.notes.one(p.Notes)
	p.unmarked = s.keys.one(p.unmarked)
	return p
}

// pool keeps one of equal lists. It is safe for concurrent use.
type pool[T any] struct {
	hash  func(*maphash.Hash, T)
	equal func(a, b T) bool
	seed  maphash.Seed
	mu    sync.Mutex
	kept  map[uint64][]T
}

func newPool[T any](hash func(*maphash.Hash, T), equal func(a, b T) bool) pool[T] {
	return pool[T]{hash: hash, equal: equal, seed: maphash.MakeSeed(), kept: map[uint64][]T{}}
}

// one gives the list that is kept of those that equal it, without room to grow:
// who appends to it gets a list of their own.
func (p *pool[T]) one(list []T) []T {
	if len(list) == 0 {
		return list
	}
	list = slices.Clip(list)
	var h maphash.Hash
	h.SetSeed(p.seed)
	for _, v := range list {
		p.hash(&h, v)
	}
	sum := h.Sum64()
	p.mu.Lock()
	defer p.mu.Unlock()
	known, found := p.kept[sum]
	switch {
	case !found:
		p.kept[sum] = list
	case slices.EqualFunc(known, list, p.equal):
		return known
	}
	return list
}

func hashComparable[T comparable](h *maphash.Hash, v T) { maphash.WriteComparable(h, v) }

func equalComparable[T comparable](a, b T) bool { return a == b }

func hashData(h *maphash.Hash, ttl uint32, data []string) {
	maphash.WriteComparable(h, ttl)
	for _, d := range data {
		maphash.WriteComparable(h, d)
	}
}

func hashRRset(h *maphash.Hash, s RRset) {
	maphash.WriteComparable(h, s.Key())
	hashData(h, s.TTL, s.Data)
}

func hashChange(h *maphash.Hash, c Change) {
	maphash.WriteComparable(h, c.Key())
	if c.Before != nil {
		hashData(h, c.Before.TTL, c.Before.Data)
	}
	if c.After != nil {
		hashData(h, c.After.TTL, c.After.Data)
	}
}

func hashOwned(h *maphash.Hash, o Owned) {
	maphash.WriteComparable(h, o.Key)
	for _, v := range o.Values {
		maphash.WriteComparable(h, v)
	}
}
