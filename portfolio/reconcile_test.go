package portfolio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// scene is a portfolio at work on fakes.
type scene struct {
	t     *testing.T
	zones *fakeZones
	store *fakeStore
	r     *Reconciler
	p     Portfolio
}

// newScene has the domains' zones with their delegation alone.
func newScene(t *testing.T, domains ...string) *scene {
	t.Helper()
	s := &scene{t: t, zones: newFake(), store: &fakeStore{}}
	for _, d := range domains {
		s.zones.put(zoneOf(t, name(t, d).ASCII()))
		s.p.Domains = append(s.p.Domains, entry(t, d))
	}
	s.p.ID, s.p.MaxDelete = "duavgor", 0.30
	s.r = reconciler(s.zones, s.store)
	return s
}

// run is RunOnce, and what came of it in a line per domain.
func (s *scene) run(o Options) (Report, string) {
	s.t.Helper()
	report, err := s.r.RunOnce(s.t.Context(), s.p, o)
	if err != nil {
		s.t.Fatal(err)
	}
	return report, outcomes(report)
}

func outcomes(r Report) string {
	var b strings.Builder
	for _, o := range r.Outcomes {
		fmt.Fprintf(&b, "%s %s", o.Domain.ASCII(), o.Outcome)
		if o.Err != nil {
			fmt.Fprintf(&b, ": %v", o.Err)
		}
		b.WriteString("\n")
	}
	return b.String() + string(r.Exit())
}

// settled is a scene in which all is as wanted.
func settled(t *testing.T, domains ...string) *scene {
	t.Helper()
	s := newScene(t, domains...)
	if _, got := s.run(Options{}); !strings.HasSuffix(got, "done") {
		t.Fatal(got)
	}
	s.store.entries = nil
	return s
}

// edit changes the records that a zone holds.
func (s *scene) edit(domain string, f func(*Zone)) {
	z := s.zones.get(name(s.t, domain))
	z.RRsets = slices.Clone(z.RRsets)
	f(&z)
	s.zones.put(z)
}

func (s *scene) want(got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRunOnceConverges(t *testing.T) {
	t.Parallel()
	s := newScene(t, "köpasex.example", "kopasex.se", "new.example")
	delete(s.zones.zones, name(t, "new.example"))
	s.edit("kopasex.se", func(z *Zone) {
		z.RRsets = append(z.RRsets, set("@", "A", 3600, "198.51.100.7"), set("www", "CNAME", 3600, "parking.example."))
	})
	report, got := s.run(Options{By: "anna@laptop"})
	s.want(got, "kopasex.se applied\nnew.example applied\nxn--kpasex-wxa.example applied\ndone")
	for i, o := range report.Outcomes {
		if o.Journal == "" || !o.Served.All() || o.Owned != 14 {
			t.Errorf("%+v", o)
		}
		if e := s.store.entries[i]; e.By != "anna@laptop" || e.PlanDigest != report.Plan.Digest || !e.Time.Equal(now) || e.Error != "" || len(e.Changes) < 14 {
			t.Errorf("%+v", e)
		}
	}
	if s.zones.requests != 2+3+1 { // sets and marker; with a swap; a new zone
		t.Errorf("%d requests", s.zones.requests)
	}
	plan, err := s.r.Plan(t.Context(), s.p, Options{})
	if err != nil || plan.Pending() || len(plan.Domains) != 3 || plan.Domains[2].Domain != "köpasex.example" {
		t.Errorf("%v %+v", err, plan)
	}
	saves := s.store.saves
	_, got = s.run(Options{})
	s.want(got, "kopasex.se unchanged\nnew.example unchanged\nxn--kpasex-wxa.example unchanged\ndone")
	if s.store.saves != saves || len(s.store.entries) != 3 {
		t.Errorf("%d saves, %d entries for nothing", s.store.saves-saves, len(s.store.entries))
	}
}

func TestPlanChangesNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t, "kopasex.se")
	plan, err := s.r.Plan(t.Context(), s.p, Options{})
	if err != nil || plan.Summary != (Summary{Domains: 1, Changed: 1, Create: 14}) {
		t.Errorf("%v %+v", err, plan.Summary)
	}
	if s.zones.requests > 0 || s.store.saves > 0 || len(s.store.entries) > 0 {
		t.Error("something was written")
	}
}

func TestDomainsFailAlone(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example", "b.example", "c.example", "d.example")
	s.zones.broken[name(t, "b.example")] = errors.New("no answer: try again later")
	s.edit("c.example", func(z *Zone) { z.RRsets = append(z.RRsets, owning("other")) })
	s.p.Domains[3].DNS.Records = []RRset{set("@", "CNAME", 0, "x.example.")}
	var events []Event
	s.r.Progress = func(e Event) { events = append(events, e) }

	report, got := s.run(Options{})
	s.want(got, `a.example applied
b.example failed: b.example: reading the zone at provider main: no answer: try again later
c.example failed: c.example: the zone is managed by another portfolio (d010aa9b54db455c): take the domain out of one of the two lists; if the other has given it up, delete the TXT RRset at _domherre.c.example
d.example failed: d.example: a CNAME can't stand at the apex, where the zone has its SOA and NS: declare A and AAAA records instead
partly`)
	if report.Plan.Summary.Failed != 3 || report.Count(Failed) != 3 || len(s.store.accepted) != 4 {
		t.Errorf("%+v, accepted %d", report.Plan.Summary, len(s.store.accepted))
	}
	steps := map[string]int{}
	for _, e := range events {
		steps[e.Step]++
		if e.Done != steps[e.Step] {
			t.Errorf("%+v out of order", e)
		}
	}
	if steps[StepObserve] != 4 || steps[StepWrite] != 1 || steps[StepVerify] != 1 {
		t.Error(steps)
	}
	s.p.Domains = s.p.Domains[1:]
	s.p.Domains[0].Name = name(t, "b.example")
	s.store.accepted = nil
	if _, got := s.run(Options{}); !strings.HasSuffix(got, "\nfailed") {
		t.Error(got)
	}
}

func TestOnlySomeDomains(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example", "b.example", "c.example")
	_, got := s.run(Options{Only: []Name{name(t, "b.example")}})
	s.want(got, "b.example applied\ndone")
	if len(s.store.accepted) != 1 || s.store.accepted[0].Name != name(t, "b.example") {
		t.Errorf("%+v", s.store.accepted)
	}
	_, err := s.r.Plan(t.Context(), s.p, Options{Only: []Name{name(t, "köpasex.example")}})
	if err == nil || err.Error() != "köpasex.example (xn--kpasex-wxa.example) is not in the portfolio: add it to the domain file first" {
		t.Error(err)
	}
}

func TestStoresThatFail(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example")
	s.store.err = errors.New("disk full")
	if _, err := s.r.RunOnce(t.Context(), s.p, Options{}); err == nil || err.Error() != "reading what was accepted last, for the guard: disk full" || s.zones.requests > 0 {
		t.Errorf("%v, %d requests", err, s.zones.requests)
	}
	s.r.Accepted = nil
	_, got := s.run(Options{})
	s.want(got, "a.example failed: a.example: written, but not in the journal: disk full\nfailed")
	s.r.Journal = nil
	_, got = s.run(Options{})
	s.want(got, "a.example unchanged\ndone")

	s = newScene(t, "a.example")
	s.r.Accepted = unsaved{s.store}
	if report, err := s.r.RunOnce(t.Context(), s.p, Options{}); err == nil || err.Error() != "the zones are written, but not what was accepted, which the guard needs: disk full" || report.Exit() != ExitDone {
		t.Errorf("%v %+v", err, report)
	}
}

type unsaved struct{ *fakeStore }

func (unsaved) SaveAccepted(context.Context, string, []Domain) error { return errors.New("disk full") }

func TestConfirm(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example")
	no := errors.New("not now")
	report, err := s.r.RunOnce(t.Context(), s.p, Options{Confirm: func(Plan) error { return no }})
	if !errors.Is(err, no) || report.Plan.Summary.Create != 14 || s.zones.requests > 0 || s.store.saves > 0 {
		t.Errorf("%v %+v", err, report.Plan.Summary)
	}
	s.run(Options{})
	s.run(Options{Confirm: func(Plan) error { t.Error("asked for nothing"); return nil }})
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example", "b.example", "c.example")
	s.r.Parallel = 1
	ctx, cancel := context.WithCancel(t.Context())
	s.zones.before = func(Name) { cancel() }
	report, err := s.r.RunOnce(ctx, s.p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.want(outcomes(report), "a.example applied\nb.example failed: b.example: writing the zone at provider main: context canceled\nc.example failed: c.example: writing the zone at provider main: context canceled\npartly")
	if len(s.store.entries) != 1 || len(s.store.accepted) != 3 {
		t.Error("what was done isn't kept")
	}
	if _, err := s.r.Plan(ctx, s.p, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestFullReads(t *testing.T) {
	t.Parallel()
	s := settled(t, "a.example")
	s.zones.full = 0
	s.run(Options{})
	if s.zones.full != 0 {
		t.Error("read in full unasked")
	}
	s.run(Options{Full: true})
	if s.zones.full != 1 {
		t.Errorf("%d full reads", s.zones.full)
	}
}

// A write that succeeded has read the zone itself; after one that failed, only
// a full read tells what came of it.
func TestFullReadsAfterWrites(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example")
	s.run(Options{})
	if s.zones.full != 0 {
		t.Errorf("%d full reads after a write", s.zones.full)
	}
	s = newScene(t, "a.example")
	s.zones.lost = errors.New("the answer got lost")
	s.run(Options{})
	if s.zones.full != 1 {
		t.Errorf("%d full reads after a write whose answer got lost", s.zones.full)
	}
}

func TestProvidersDontWaitForEachOther(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example", "b.example")
	s.r.Parallel = 1
	s.p.Domains[0].Provider = "slow"
	gate := make(chan struct{})
	s.r.Zones = gated{s.zones, name(t, "a.example"), gate}
	s.r.Progress = func(e Event) {
		if e.Step == StepObserve && e.Domain == name(t, "b.example") {
			close(gate) // only now may the slow one answer
		}
	}
	_, got := s.run(Options{})
	s.want(got, "a.example applied\nb.example applied\ndone")
}

type gated struct {
	*fakeZones
	slow Name
	gate chan struct{}
}

func (g gated) Observe(ctx context.Context, d Domain) (Zone, error) {
	if d.Name == g.slow {
		<-g.gate
	}
	return g.fakeZones.Observe(ctx, d)
}

// The list is judged as a whole whatever provider a run is for; of the zones
// only the provider's own are looked at.
func TestOnlyOneProvider(t *testing.T) {
	t.Parallel()
	s := settled(t, "a.example", "b.example", "c.example", "d.example")
	s.p.Domains[0].Provider = "other"
	_, got := s.run(Options{Provider: "other"})
	s.want(got, "a.example unchanged\ndone")
	if len(s.store.accepted) != 4 {
		t.Errorf("%+v", s.store.accepted)
	}
	s.p.Domains = s.p.Domains[:2]
	report, got := s.run(Options{Provider: "other"})
	s.want(got, "a.example unchanged\nrefused")
	if report.Plan.Summary.Refused != "the domain list has lost 2 of its 4 domains at once (50%, allowed 30%)" {
		t.Error(report.Plan.Summary.Refused)
	}
}
