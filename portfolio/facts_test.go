package portfolio

import (
	"slices"
	"strings"
	"testing"
)

// A TTL that the provider doesn't know becomes the one that it makes of it, so
// that no plan asks for what can't be.
func TestFactsTTL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		facts Facts
		ttl   uint32
		want  uint32
	}{
		{Facts{}, 5, 5},
		{Facts{MinTTL: 60}, 5, 60},
		{Facts{MinTTL: 60}, 61, 61},
		{Facts{TTLs: []uint32{60, 300}}, 5, 60},
		{Facts{TTLs: []uint32{60, 300}}, 60, 60},
		{Facts{TTLs: []uint32{60, 300}}, 61, 300},
		{Facts{TTLs: []uint32{60, 300}}, 301, 300},
		{Facts{TTLs: []uint32{300}, MinTTL: 600}, 900, 300},
	} {
		if got := c.facts.TTL(c.ttl); got != c.want {
			t.Errorf("%+v makes %d of %d, not %d", c.facts, got, c.ttl, c.want)
		}
	}
}

// A plan for a zone that isn't there says whether it will be, or who must add it.
func TestMissingZoneIsTold(t *testing.T) {
	t.Parallel()
	for facts, want := range map[*Facts]string{
		{}:                "no such zone: it is created with its records",
		{Uncreated: true}: "no such zone, and can't create it: add it there, then apply",
		{Uncreated: true, CreatesBy: "account_id"}: "without the setting account_id: set that, or add the zone there, then apply",
	} {
		s := newScene(t)
		s.p.Domains = append(s.p.Domains, entry(t, "kopasex.se"))
		s.r.Facts = func(Domain) Facts { return *facts }
		p, err := s.r.Plan(t.Context(), s.p, Options{})
		if err != nil || len(p.Domains) != 1 || !slices.ContainsFunc(p.Domains[0].Notes, func(n string) bool { return strings.Contains(n, want) }) {
			t.Errorf("%v, %v: no note says %q", p.Domains, err, want)
		}
	}
}
