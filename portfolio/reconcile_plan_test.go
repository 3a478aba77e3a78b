package portfolio

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestGuardStopsARun(t *testing.T) {
	t.Parallel()
	domains := []string{"a.example", "b.example", "c.example"}

	t.Run("one domain", func(t *testing.T) {
		t.Parallel()
		s := settled(t, domains...)
		before := s.store.accepted[1]
		s.p.Domains[0].DNS.TTL = 60
		s.p.Domains[1].DNS.Hosts = []string{"@"}
		_, got := s.run(Options{})
		s.want(got, "a.example applied\nb.example refused: b.example: the guard refuses the plan: would delete 5 of the 14 RRsets that are ours (36%, allowed 30%); see it with plan, approve it with --force\nc.example unchanged\nrefused")
		if after := s.store.accepted[1]; fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("the refused entry was accepted: %+v", after)
		}
		asked := Plan{}
		_, got = s.run(Options{Force: true, Confirm: func(p Plan) error { asked = p; return nil }})
		s.want(got, "a.example unchanged\nb.example applied\nc.example unchanged\ndone")
		if b, _ := asked.Find("b.example"); !strings.HasPrefix(b.Forced, "would delete 5 of the 14") {
			t.Errorf("%+v", b)
		}
	})
	t.Run("the list", func(t *testing.T) {
		t.Parallel()
		s := settled(t, domains...)
		s.p.Domains = s.p.Domains[:1]
		s.p.Domains[0].DNS.TTL = 60
		_, got := s.run(Options{Prune: true})
		const why = "the domain list has lost 2 of its 3 domains at once (67%, allowed 30%); would delete 28 of the portfolio's 42 RRsets (67%, allowed 30%)"
		s.want(got, "a.example refused: a.example: the guard refuses the whole plan: "+why+"\nb.example refused: b.example: the guard refuses the whole plan: "+why+
			"\nc.example refused: c.example: the guard refuses the whole plan: "+why+"\nrefused")
		if len(s.store.entries) > 0 || len(s.store.accepted) != 3 || s.store.accepted[1].Leaving {
			t.Error("something came of it")
		}
		s.p.Domains = nil
		if report, _ := s.run(Options{}); report.Plan.Summary.Refused != "the domain list is empty" || report.Exit() != ExitRefused {
			t.Errorf("%+v", report.Plan.Summary)
		}
	})
	t.Run("emptied zones", func(t *testing.T) {
		t.Parallel()
		s := settled(t, domains...)
		for _, d := range domains {
			s.edit(d, func(z *Zone) { z.RRsets = z.RRsets[:0] })
		}
		report, _ := s.run(Options{})
		if report.Plan.Summary.Refused != "all 3 zones that were managed are suddenly empty at the provider" || s.store.accepted[0].Owned != 14 {
			t.Errorf("%+v", report.Plan.Summary)
		}
		_, got := s.run(Options{Force: true})
		s.want(got, "a.example applied\nb.example applied\nc.example applied\ndone")
		s.edit("b.example", func(z *Zone) { z.RRsets = z.RRsets[:0] })
		_, got = s.run(Options{})
		s.want(got, "a.example unchanged\nb.example refused: b.example: the guard refuses the plan: the zone is suddenly empty at the provider, where 14 RRsets of ours stood before; see it with plan, approve it with --force\nc.example unchanged\nrefused")
		s.p.Domains[1].Provider = "another" // where it can't have stood before
		if _, got = s.run(Options{}); !strings.HasSuffix(got, "done") {
			t.Error(got)
		}
	})
}

func TestLeavingDomains(t *testing.T) {
	t.Parallel()
	s := settled(t, "a.example", "b.example", "c.example", "d.example")
	s.edit("b.example", func(z *Zone) {
		z.RRsets = append(z.RRsets, set("blog", "A", 60, "198.51.100.1"))
		i := slices.IndexFunc(z.RRsets, func(s RRset) bool { return s.Key() == Key{"@", "TXT"} })
		z.RRsets[i] = set("@", "TXT", 300, "theirs=1", "v=spf1 -all")
	})
	before := s.zones.get(name(t, "b.example"))
	s.p.Domains = slices.Delete(s.p.Domains, 1, 2)
	s.zones.broken[name(t, "b.example")] = errors.New("leaving domains aren't read")
	report, got := s.run(Options{})
	s.want(got, "a.example unchanged\nb.example unchanged\nc.example unchanged\nd.example unchanged\ndone")
	s.want(strings.Join(report.Plan.Domains[1].Notes, ";"), "left the list: its records stay, and lead here, until apply --prune")
	if l := Leaving(s.p, s.store.accepted); len(l) != 1 || !l[0].Leaving || l[0].Owned != 14 || l[0].Frontend == "" {
		t.Errorf("%+v", l)
	}
	if s.zones.get(before.Name).Digest() != before.Digest() {
		t.Error("its zone changed")
	}
	delete(s.zones.broken, name(t, "b.example"))

	// On the list again, and off it again, nothing is lost.
	s.p.Domains = slices.Insert(s.p.Domains, 1, entry(t, "b.example"))
	s.run(Options{})
	if s.store.accepted[1].Leaving {
		t.Error("still leaving")
	}
	s.p.Domains = slices.Delete(s.p.Domains, 1, 2)
	s.run(Options{})

	report, got = s.run(Options{Prune: true})
	s.want(got, "a.example unchanged\nb.example applied\nc.example unchanged\nd.example unchanged\ndone")
	s.want(report.Plan.Domains[1].Notes[0], "left the list: what is ours in its zone is deleted")
	left := s.zones.get(before.Name).RRsets
	if fmt.Sprint(left) != fmt.Sprint([]RRset{set("@", "NS", 3600, "ns1.example.net.", "ns2.example.net."), set("@", "TXT", 300, "theirs=1"), set("blog", "A", 60, "198.51.100.1")}) {
		t.Error(left)
	}
	if len(s.store.accepted) != 3 {
		t.Errorf("%d accepted", len(s.store.accepted))
	}
}

func TestLeavingWhatIsNoLongerOurs(t *testing.T) {
	t.Parallel()
	s := settled(t, "a.example", "b.example", "c.example", "d.example")
	s.edit("b.example", func(z *Zone) {
		z.RRsets = slices.DeleteFunc(z.RRsets, func(s RRset) bool { return s.Key() == MarkerKey })
		z.RRsets = append(z.RRsets, owning("other", "@ A"))
	})
	s.p.Domains[1].DNS.Ownership = OwnExclusive
	before := s.zones.get(name(t, "b.example"))
	s.p.Domains = slices.Delete(s.p.Domains, 1, 2)
	report, got := s.run(Options{Prune: true})
	s.want(got, "a.example unchanged\nb.example unchanged\nc.example unchanged\nd.example unchanged\ndone")
	s.want(strings.Join(report.Plan.Domains[1].Notes, ";"), "left the list, and another portfolio manages its zone now")
	if s.zones.get(before.Name).Digest() != before.Digest() || len(s.store.accepted) != 3 {
		t.Error("another's zone was touched, or the domain isn't forgotten")
	}
}

// A lean plan lacks what only writing takes, where there is nothing to write;
// the guard judges it all the same.
func TestLeanPlan(t *testing.T) {
	t.Parallel()
	s := settled(t, "a.example", "b.example", "c.example")
	s.p.Domains[1].DNS.TTL = 60
	whole, err := s.r.Plan(t.Context(), s.p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	lean, err := s.r.Plan(t.Context(), s.p, Options{Lean: true})
	if err != nil || lean.Digest != whole.Digest || lean.Domains[0].Zone.RRsets != nil || len(lean.Domains[1].Wanted()) != 14 {
		t.Errorf("%v %+v", err, lean.Domains)
	}
	_, got := s.run(Options{Lean: true})
	s.want(got, "a.example unchanged\nb.example applied\nc.example unchanged\ndone")
	if len(s.store.accepted) != 3 || s.store.accepted[0].Owned != 14 {
		t.Errorf("%+v", s.store.accepted)
	}
	for _, d := range []string{"a.example", "b.example", "c.example"} {
		s.edit(d, func(z *Zone) { z.RRsets = z.RRsets[:0] })
	}
	if report, _ := s.run(Options{Lean: true}); report.Exit() != ExitRefused {
		t.Errorf("%+v", report.Plan.Summary)
	}
}
