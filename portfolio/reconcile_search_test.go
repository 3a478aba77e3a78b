package portfolio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// several is fake zones at several providers: those of "main" and, apart,
// others.
type several struct {
	*fakeZones
	others    map[string]*fakeZones
	unlisted  map[string]bool // providers that can't list
	delegated func(Domain) (bool, error)
}

func (s several) at(provider string) *fakeZones {
	if f := s.others[provider]; f != nil {
		return f
	}
	return s.fakeZones
}

func (s several) Observe(ctx context.Context, d Domain) (Zone, error) {
	return s.at(d.Provider).Observe(ctx, d)
}

func (s several) ObserveFull(ctx context.Context, d Domain) (Zone, error) {
	return s.at(d.Provider).ObserveFull(ctx, d)
}

func (s several) Write(ctx context.Context, w Write) error {
	return s.at(w.Domain.Provider).Write(ctx, w)
}

func (s several) ListZones(_ context.Context, provider string) ([]string, error) {
	if s.unlisted[provider] {
		return nil, errors.ErrUnsupported
	}
	names := []string{"no.domain..", "se."}
	for n := range s.at(provider).zones {
		names = append(names, n.FQDN())
	}
	return names, nil
}

func (s several) Delegated(_ context.Context, d Domain, ns []string) (bool, error) {
	if !slices.Contains(ns, "ns1.example.net.") {
		return false, fmt.Errorf("asked about %q", ns)
	}
	return s.delegated(d)
}

// searching is a settled scene with a second, empty provider.
func searching(t *testing.T, domains ...string) (*scene, *several) {
	t.Helper()
	s := settled(t, domains...)
	z := &several{fakeZones: s.zones, others: map[string]*fakeZones{"other": newFake()}, unlisted: map[string]bool{},
		delegated: func(Domain) (bool, error) { return true, nil }}
	s.r.Zones, s.r.Providers = z, []string{"main", "other"}
	s.r.Unlisted = func(n Name, provider string) Domain {
		d := entry(t, n.ASCII())
		d.Provider = provider
		return d
	}
	return s, z
}

// A state that is lost, or another machine: the marker tells which domains left
// the list.
func TestLeavingFoundByMarker(t *testing.T) {
	t.Parallel()
	s, z := searching(t, "a.example", "b.example", "c.example", "d.example")
	for _, theirs := range []Zone{zoneOf(t, "foreign.example", owning("other", "@ A")), zoneOf(t, "plain.example", set("@", "A", 60, "198.51.100.1"))} {
		s.zones.put(theirs)
	}
	s.p.Domains = slices.Delete(s.p.Domains, 1, 2)
	s.store.accepted = nil
	for i := range searchUnasked {
		s.zones.put(zoneOf(t, fmt.Sprintf("foreign-%d.example", i)))
	}
	if plan, err := s.r.Plan(t.Context(), s.p, Options{}); err != nil || len(plan.Domains) != 3 {
		t.Errorf("so many zones are read unasked: %v", err)
	}
	for i := range searchUnasked {
		delete(s.zones.zones, name(t, fmt.Sprintf("foreign-%d.example", i)))
	}
	report, got := s.run(Options{})
	s.want(got, "a.example unchanged\nb.example unchanged\nc.example unchanged\nd.example unchanged\ndone")
	s.want(strings.Join(report.Plan.Domains[1].Notes, ";"), "left the list, as its marker tells: its records stay, and lead here, until apply --prune")
	if l := Leaving(s.p, s.store.accepted); len(l) != 1 || l[0].Owned != 14 || l[0].Frontend == "" || fmt.Sprint(l[0].DNS.Hosts) != "[@ www]" {
		t.Errorf("%+v", l)
	}

	s.store.accepted = slices.DeleteFunc(s.store.accepted, func(d Domain) bool { return d.Leaving })
	_, got = s.run(Options{}) // the state knows the portfolio: no search
	s.want(got, "a.example unchanged\nc.example unchanged\nd.example unchanged\ndone")
	z.unlisted["main"] = true
	if _, got := s.run(Options{Prune: true, Away: true}); strings.Contains(got, "b.example") {
		t.Error(got)
	}
	z.unlisted["main"] = false
	saved, err := s.r.Plan(t.Context(), s.p, Options{Prune: true, Away: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, got = s.run(Options{Only: []Name{name(t, "a.example")}, Prune: true, Away: true}); strings.Contains(got, "b.example") {
		t.Error(got)
	}
	_, got = s.run(Options{Saved: &saved})
	s.want(got, "a.example unchanged\nb.example applied\nc.example unchanged\nd.example unchanged\ndone")
	if left := s.zones.get(name(t, "b.example")).RRsets; len(left) != 1 {
		t.Error(left)
	}
	if _, got = s.run(Options{Prune: true, Full: true}); strings.Contains(got, "b.example") || len(s.store.accepted) != 3 {
		t.Errorf("%s, %d accepted", got, len(s.store.accepted))
	}
}

// A domain that goes to another provider is cleaned up after at the one before,
// once the world no longer asks there.
func TestMovedToAnotherProvider(t *testing.T) {
	t.Parallel()
	for _, memory := range []string{"state", "marker"} {
		t.Run(memory, func(t *testing.T) {
			t.Parallel()
			s, z := searching(t, "a.example", "b.example", "c.example", "d.example")
			s.edit("b.example", func(zone *Zone) { zone.RRsets = append(zone.RRsets, set("blog", "A", 60, "198.51.100.1")) })
			z.others["other"].put(zoneOf(t, "b.example"))
			before := s.zones.get(name(t, "b.example"))
			s.p.Domains[1].Provider = "other"
			_, got := s.run(Options{})
			s.want(got, "a.example unchanged\nb.example applied\nc.example unchanged\nd.example unchanged\ndone")
			if memory == "marker" {
				s.store.accepted = nil
			} else if b := s.store.accepted[1]; b.Provider != "other" || b.Owned != 14 || fmt.Sprint(b.Former) != "[main]" {
				t.Errorf("%+v", b)
			}
			notes := func(o Options) string {
				t.Helper()
				plan, err := s.r.Plan(t.Context(), s.p, o)
				if err != nil || len(plan.Domains) != 5 || plan.Domains[2].Provider != "main" {
					t.Fatalf("%v, %d plans", err, len(plan.Domains))
				}
				return strings.Join(plan.Domains[2].Notes, ";")
			}
			s.want(notes(Options{Away: true}), "moved to provider other: what is ours at main stays there until apply --prune")
			s.want(notes(Options{Away: true, Prune: true}), "moved to provider other; what is ours at main stays: the domain is still delegated there")
			z.delegated = func(Domain) (bool, error) { return false, errors.New("no answer") }
			s.want(notes(Options{Away: true, Prune: true}), "moved to provider other; what is ours at main stays: where the domain is delegated to can't be found out: no answer")
			if _, got := s.run(Options{Prune: true}); strings.Count(got, "b.example") != 1 || s.zones.get(before.Name).Digest() != before.Digest() {
				t.Errorf("a run that doesn't look there: %s", got)
			}

			z.delegated = func(Domain) (bool, error) { return false, nil }
			report, got := s.run(Options{Away: true, Prune: true})
			s.want(got, "a.example unchanged\nb.example unchanged\nb.example applied\nc.example unchanged\nd.example unchanged\ndone")
			s.want(report.Plan.Domains[2].Notes[0], "moved to provider other: what is ours at main is deleted")
			if left := s.zones.get(before.Name).RRsets; len(left) != 2 || left[1].Name != "blog" {
				t.Error(left)
			}
			if there := z.others["other"].get(before.Name); len(there.RRsets) != 16 {
				t.Errorf("the zone that is in use: %v", there.RRsets)
			}
			if b := s.store.accepted[1]; b.Provider != "other" || b.Owned != 14 || b.Former != nil {
				t.Errorf("%+v", b)
			}
			if _, got := s.run(Options{Away: true, Prune: true}); strings.Count(got, "b.example") != 1 {
				t.Error(got)
			}
			// What was deleted there comes back there.
			e := s.store.entries[len(s.store.entries)-1]
			if report, err := s.r.Rollback(t.Context(), s.p, e, Options{}); err != nil || report.Exit() != ExitDone {
				t.Errorf("%v, %+v", err, report.Outcomes)
			}
			unmarked := func(z Zone) string {
				return fmt.Sprint(slices.DeleteFunc(slices.Clone(z.RRsets), func(s RRset) bool { return s.Key() == MarkerKey }))
			}
			if got := s.zones.get(before.Name); unmarked(got) != unmarked(before) || s.store.accepted[1].Provider != "other" {
				t.Errorf("%v\nwant %v", got.RRsets, before.RRsets)
			}
		})
	}
}

// A provider under a new name is no other: its zones are left alone, whatever
// is asked. One that the config no longer has can't be asked at all.
func TestSameProviderByAnotherName(t *testing.T) {
	t.Parallel()
	s, z := searching(t, "a.example", "b.example", "c.example")
	z.others["other"] = s.zones
	before := s.zones.get(name(t, "b.example"))
	for i := range s.p.Domains {
		s.p.Domains[i].Provider = "other"
	}
	s.run(Options{Away: true})
	report, got := s.run(Options{Away: true, Prune: true, Force: true})
	if report.Count(Unchanged) != 6 || s.zones.get(before.Name).Digest() != before.Digest() {
		t.Error(got)
	}
	s.want(report.Plan.Domains[1].Notes[0], "moved to provider other; what is ours at main stays: it is the same zone, as far as can be seen")
	s.r.Providers = []string{"other"}
	if report, got := s.run(Options{Away: true, Prune: true}); report.Count(Unchanged) != 3 {
		t.Error(got)
	}
}
