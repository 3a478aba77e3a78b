package portfolio

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// defaultParallel bounds the domains of one provider that are worked on at
// once; the providers' own limits come on top.
const defaultParallel = 16

// Reconciler makes zones what the portfolio says. Its fields are not changed
// once it is used; its methods may be called at the same time, though two runs
// of one portfolio at once only get in each other's way.
type Reconciler struct {
	Zones    Zones
	Journal  Journal            // nil: no journal
	Accepted AcceptedStore      // nil: nothing is remembered, so the guard knows less and no domain is ever leaving
	Facts    func(Domain) Facts // nil: the state isn't held
	Now      func() time.Time
	Parallel int         // domains of one provider at once; 0: a default
	Progress func(Event) // nil, or called once per domain and step, never twice at a time

	// Providers are all that there are. Where Unlisted isn't nil, their zones are
	// searched for the marker of domains that left the list and that Accepted
	// doesn't know of; Unlisted gives the entry that such a one is taken to have.
	Providers []string
	Unlisted  func(n Name, provider string) Domain
}

// Options is what is asked of one run.
type Options struct {
	Only     []Name           // nil: all
	Provider string           // "": all; else only the domains that it keeps: runs for several providers may go side by side
	Prune    bool             // delete what is ours in domains that left the list
	Away     bool             // look at providers that kept zones before, too; with Prune, delete what is ours there, and search
	Force    bool             // past the guard
	Full     bool             // read zones that show no sign of change too
	Lean     bool             // Wanted isn't asked of plans that change nothing: saves much memory
	Wait     bool             // until all is served; ends with ctx
	Waves    bool             // a few domains first, and more only once those are served: see applyInWaves
	By       string           // for the journal: "anna@laptop", "daemon@host"
	Confirm  func(Plan) error // asked before anything is written; an error stops the run
	Saved    *Plan            // do this and nothing else; see ParsePlan
}

// Event tells that a step of a run is done for one domain.
type Event struct {
	Step   string // StepObserve, StepWrite or StepVerify
	Domain Name
	Done   int // domains so far in this step
	Total  int
	Err    error
}

// Steps of a run.
const (
	StepObserve = "observe"
	StepWrite   = "write"
	StepVerify  = "verify"
)

// Plan says what RunOnce would do, and changes nothing.
func (r *Reconciler) Plan(ctx context.Context, p Portfolio, o Options) (Plan, error) {
	accepted, err := r.accepted(ctx, p)
	if err != nil {
		return Plan{}, err
	}
	return r.plan(ctx, p, accepted, o)
}

// RunOnce observes, plans, guards, asks, applies, looks again and verifies.
// Domains fail alone: each has its Outcome in the report. The error is for what
// stops the run as a whole; the report then holds what was reached. A plan that
// the guard refuses is no error, see Report.Exit.
func (r *Reconciler) RunOnce(ctx context.Context, p Portfolio, o Options) (Report, error) {
	accepted, err := r.accepted(ctx, p)
	if err != nil {
		return Report{}, err
	}
	plan, err := r.plan(ctx, p, accepted, o)
	if err != nil {
		return Report{}, err
	}
	again := func(d DomainPlan, now Zone) DomainPlan { return Diff(r.desired(d, plan.Made), now, p.ID) }
	return r.carryOut(ctx, p, accepted, plan, o, again)
}

// carryOut is RunOnce from the guarded plan on.
func (r *Reconciler) carryOut(ctx context.Context, p Portfolio, accepted []Domain, plan Plan, o Options, again replan) (Report, error) {
	report := Report{Plan: plan, Outcomes: foregone(plan)}
	if plan.Summary.Refused != "" {
		return report, nil
	}
	if o.Confirm != nil && len(report.unsettled()) > 0 {
		if err := o.Confirm(plan); err != nil {
			return report, err
		}
	}
	report.waves, report.unserved = o.Waves, unservedBefore(plan, accepted)
	r.apply(ctx, &report, o, again)
	r.verify(ctx, &report, o)
	return report, r.accept(ctx, p, accepted, report)
}

// each calls f for 0..n-1, providers beside each other, a bounded number of
// domains of each provider at a time.
func (r *Reconciler) each(n int, provider func(int) string, f func(int)) {
	queues := map[string][]int{}
	for i := range n {
		queues[provider(i)] = append(queues[provider(i)], i)
	}
	parallel := r.Parallel
	if parallel <= 0 {
		parallel = defaultParallel
	}
	var wg sync.WaitGroup
	for _, queue := range queues {
		var next atomic.Int64
		for range min(parallel, len(queue)) {
			wg.Go(func() {
				for {
					i := int(next.Add(1)) - 1
					if i >= len(queue) {
						return
					}
					f(queue[i])
				}
			})
		}
	}
	wg.Wait()
}

// progress counts the domains of one step.
type progress struct {
	mu    sync.Mutex
	tell  func(Event)
	event Event
}

func (r *Reconciler) progress(step string, total int) *progress {
	return &progress{tell: r.Progress, event: Event{Step: step, Total: total}}
}

func (p *progress) done(domain Name, err error) {
	if p.tell == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.event.Done++
	p.event.Domain, p.event.Err = domain, err
	p.tell(p.event)
}

// Outcomes of a domain.
const (
	Applied   = "applied"
	Unchanged = "unchanged"
	Failed    = "failed"
	Refused   = "refused"
)

// Outcome is what became of one domain in a run.
type Outcome struct {
	Domain  Name
	Outcome string // Applied, Unchanged, Failed or Refused; empty where the run stopped before
	Err     error  // why it failed or was refused
	Journal string // the entry's ID, where something was written
	Served  Served // by the authoritative servers, where that was asked
	Held    bool   // held back, since what went before it is not served as wanted
	Owned   int    // RRsets of ours in the zone afterwards, where that is known
}

// Report is what became of a run.
type Report struct {
	Plan     Plan
	Outcomes []Outcome // one for each of Plan.Domains, in its order

	waves    bool
	unserved map[int]bool // outcomes of domains that were written and are not served as wanted
}

// Exit sums a report up in one of the ways in which a command can end.
type Exit string

// Ways to end.
const (
	ExitDone    Exit = "done"
	ExitFailed  Exit = "failed"  // nothing came of it
	ExitPartly  Exit = "partly"  // some domains failed, or a saved plan no longer fits them
	ExitRefused Exit = "refused" // by the guard
)

// Exit sums the report up. What the guard refuses shows only where nothing failed.
func (r Report) Exit() Exit {
	var good, bad, refused int
	for _, o := range r.Outcomes {
		switch {
		case o.Outcome == Failed || errors.Is(o.Err, ErrStale):
			bad++
		case o.Outcome == Refused:
			refused++
		default:
			good++
		}
	}
	switch {
	case r.Plan.Summary.Refused != "":
		return ExitRefused
	case bad > 0 && good+refused > 0:
		return ExitPartly
	case bad > 0:
		return ExitFailed
	case refused > 0:
		return ExitRefused
	}
	return ExitDone
}

// Count gives the number of domains with an outcome.
func (r Report) Count(outcome string) int {
	n := 0
	for _, o := range r.Outcomes {
		if o.Outcome == outcome {
			n++
		}
	}
	return n
}

// unsettled gives the places of what is left to write.
func (r Report) unsettled() []int {
	var open []int
	for i := range r.Outcomes {
		if r.Outcomes[i].Outcome == "" {
			open = append(open, i)
		}
	}
	return open
}
