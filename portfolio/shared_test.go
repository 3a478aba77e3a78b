package portfolio

import (
	"hash/maphash"
	"slices"
	"testing"
)

// Domains that get the same keep it once; an exception has its own.
func TestPlansShare(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example", "b.example", "c.example")
	s.p.Domains[2].DNS.TTL++
	plan, err := s.r.Plan(t.Context(), s.p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := plan.Domains[0], plan.Domains[1], plan.Domains[2]
	if &a.Changes[0] != &b.Changes[0] || &a.Notes[0] != &b.Notes[0] || &a.Marker.After.Owned[0] != &b.Marker.After.Owned[0] {
		t.Error("equal plans don't share")
	}
	if c.Changes[0].TTL == a.Changes[0].TTL {
		t.Error("the exception got lost")
	}
	grown := append(a.Notes, "a's own")
	if len(b.Notes) == len(grown) || slices.Contains(b.Notes[:cap(b.Notes)], "a's own") {
		t.Error("what is appended to one shows in the other")
	}
}

func TestPoolTellsApartWhatHashesAlike(t *testing.T) {
	t.Parallel()
	p := newPool(func(*maphash.Hash, string) {}, equalComparable[string])
	for _, list := range [][]string{{"a"}, {"b"}, {"a", "b"}, nil, {"a"}} {
		if got := p.one(list); !slices.Equal(got, list) {
			t.Errorf("%q became %q", list, got)
		}
	}
}
