package tls

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// shared keeps thousands of certificates small: one copy of what they have in
// common, of which there is little; and what each has of its own packed into
// slabs. One by one, they would lie between what loading them leaves behind,
// and hold a third more memory. What lies in one slab was issued or loaded
// together, and goes together.
type shared struct {
	mu      sync.Mutex
	sources []*source
	slab    []byte
	blank   []served // not in use yet
	wishes  []renewalWish
	texts   strings.Builder
}

const (
	slabSize = 64 << 10
	slabOf   = 128 // certificates
)

// pack copies the parts behind each other.
func (s *shared) pack(parts ...[]byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	need := 0
	for _, p := range parts {
		need += len(p)
	}
	if cap(s.slab)-len(s.slab) < need {
		s.slab = make([]byte, 0, max(slabSize, need))
	}
	from := len(s.slab)
	for _, p := range parts {
		s.slab = append(s.slab, p...)
	}
	return s.slab[from:len(s.slab):len(s.slab)]
}

func (s *shared) newServed() *served {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.blank) == 0 {
		s.blank = make([]served, slabOf)
	}
	next := &s.blank[0]
	s.blank = s.blank[1:]
	return next
}

func (s *shared) wish(w *renewalWish) *renewalWish {
	if w == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.wishes) == 0 {
		s.wishes = make([]renewalWish, slabOf)
	}
	next := &s.wishes[0]
	s.wishes = s.wishes[1:]
	*next = *w
	next.Serial, next.Why = s.text(w.Serial), s.text(w.Why)
	return next
}

// text copies a short one behind others. The lock is held.
func (s *shared) text(t string) string {
	if s.texts.Cap()-s.texts.Len() < len(t) {
		s.texts = strings.Builder{} // whose old buffer lives as long as what is in it
		s.texts.Grow(max(slabSize, len(t)))
	}
	from := s.texts.Len()
	s.texts.WriteString(t)
	return s.texts.String()[from:]
}

// source gives the one copy of what is given.
func (s *shared) source(issuerKey, issuer string, above [][]byte) *source {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.sources {
		if known.issuerKey == issuerKey && known.issuer == issuer && slices.EqualFunc(known.above, above, bytes.Equal) {
			return known
		}
	}
	added := &source{issuerKey, issuer, above}
	s.sources = append(s.sources, added)
	return added
}
