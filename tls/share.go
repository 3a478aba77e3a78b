package tls

import "sync"

// shared keeps thousands of certificates small: one copy of what they have in
// common, the certificates of their CAs, of which there are few; and what each
// has of its own packed into slabs. One by one, they would lie between what
// loading them leaves behind, and hold a third more memory. What lies in one
// slab was issued or loaded together, and goes together.
type shared struct {
	mu   sync.Mutex
	all  map[string][]byte
	slab []byte
}

const slabSize = 64 << 10

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

func (s *shared) one(der []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first, ok := s.all[string(der)]; ok {
		return first
	}
	if s.all == nil {
		s.all = map[string][]byte{}
	}
	s.all[string(der)] = der
	return der
}
