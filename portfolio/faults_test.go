package portfolio

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A read that lacks a part of the zone, such as a page, never makes a plan
// delete anything that the whole zone wouldn't, but for what stands in the way of
// something declared. (With ownership: exclusive, what isn't known to be ours
// goes; there the reading before the write is what helps.)
func TestReadInPart(t *testing.T) {
	eachWorld(t, 2000, func(t *testing.T, w world, whole DomainPlan) {
		if w.entry.DNS.Ownership == OwnExclusive {
			return
		}
		may := map[Key]bool{}
		for _, c := range whole.Changes {
			if c.Op == OpDelete {
				may[c.Key()] = true
			}
		}
		r := rand.New(rand.NewPCG(uint64(len(w.zone.RRsets)), 7))
		for range 4 {
			part := w
			part.zone.RRsets = slices.DeleteFunc(slices.Clone(w.zone.RRsets), func(RRset) bool { return chance(r, 30) })
			p := part.plan()
			for _, c := range p.Changes {
				declared := slices.ContainsFunc(p.Changes, func(o Change) bool { return o.Name == c.Name && o.After != nil })
				if c.Op == OpDelete && !may[c.Key()] && !declared {
					t.Errorf("would delete %s %s, which the whole zone keeps", c.Name, c.Type)
				}
			}
		}
	})
}

// A write that an older run sent arrives after a newer one: the next run sees
// it and puts it right, and that is the end of it.
func TestDelayedWriteOfAnOlderPlan(t *testing.T) {
	t.Parallel()
	s := settled(t, "kopasex.se")
	older := s.zones.get(name(t, "kopasex.se"))
	s.p.Domains[0].DNS.Hosts = []string{"@"}
	s.p.Domains[0].DNS.TTL = 60
	_, got := s.run(Options{Force: true})
	s.want(got, "kopasex.se applied\ndone")
	newer := s.zones.get(older.Name)
	s.zones.put(older)
	// It brought its marker too, so that what it brought can be taken away.
	report, got := s.run(Options{Force: true})
	s.want(got, "kopasex.se applied\ndone")
	if n := report.Plan.Summary; n.Delete != 5 || n.Update != 9 || s.zones.get(older.Name).Digest() != newer.Digest() {
		t.Errorf("%+v", n)
	}
	_, got = s.run(Options{})
	s.want(got, "kopasex.se unchanged\ndone")
}

// Killed after any number of requests, new zones are either not there or whole,
// those that were there still answer, and the next run does the rest alone.
func TestKilledAmongManyZones(t *testing.T) {
	t.Parallel()
	build := func() (*scene, int) {
		s := newScene(t, "new-a.example", "new-b.example", "old.example", "new-c.example")
		for _, d := range []string{"new-a.example", "new-b.example", "new-c.example"} {
			delete(s.zones.zones, name(t, d))
		}
		s.edit("old.example", func(z *Zone) {
			z.RRsets = append(z.RRsets, set("@", "A", 60, "198.51.100.7"), set("www", "CNAME", 60, "parking.example."))
		})
		s.r.Parallel = 1
		return s, 6 // one request a new zone; the old one's swap, sets and marker
	}
	_, requests := build()
	for n := range requests {
		s, _ := build()
		s.zones.budget = n
		s.run(Options{})
		for i := range s.p.Domains {
			z := s.zones.get(s.p.Domains[i].Name)
			if !z.Missing && !answers(z, "www") {
				t.Errorf("killed after %d: %s answers nothing: %v", n, z.Name, z.RRsets)
			}
		}
		s.zones.budget, s.zones.requests = -1, 0
		_, got := s.run(Options{})
		if !strings.HasSuffix(got, "done") || s.zones.requests != requests-n {
			t.Errorf("killed after %d, the next run: %d requests, %s", n, s.zones.requests, got)
		}
		if plan, err := s.r.Plan(t.Context(), s.p, Options{}); err != nil || plan.Pending() {
			t.Errorf("killed after %d: still pending: %v %s", n, err, fmt.Sprint(plan.Summary))
		}
	}
}
