package portfolio

import (
	"context"
	"fmt"
	"slices"
)

// Rollback takes a zone back to what stood before the journal entry e, by the
// same way as RunOnce: guard, Confirm (which is shown the plan), apply, look
// again, journal, verify. Of the options it heeds Force, Wait, By and Confirm.
//
// Where the configuration still wants what is rolled back, the plan notes that
// the next apply puts it there again.
func (r *Reconciler) Rollback(ctx context.Context, p Portfolio, e Entry, o Options) (Report, error) {
	accepted, err := r.accepted(ctx, p)
	if err != nil {
		return Report{}, err
	}
	all := r.known(p, accepted, Options{})
	i := slices.IndexFunc(all, func(t target) bool { return t.Name.ASCII() == e.ASCII })
	if i < 0 {
		return Report{}, fmt.Errorf("%s is no longer in the portfolio: entry %s can't be rolled back", e.Domain, e.ID)
	}
	t := all[i]
	if e.Provider != "" && e.Provider != t.Provider {
		t = t.at(e.Provider) // the entry is about the zone there
	}
	d := r.planRollback(ctx, p.ID, e, t)
	policies := []Policy{Guard(GuardFacts{MaxDelete: p.MaxDelete, Listed: p.Domains, Accepted: accepted})}
	if o.Force {
		policies = append(policies, Force)
	}
	plan := NewPlan(p.ID, r.Now(), []DomainPlan{d}, policies...)
	again := func(d DomainPlan, now Zone) DomainPlan { return Undo(e, d.Entry, now, p.ID) }
	return r.carryOut(ctx, p, accepted, plan, o, again)
}

func (r *Reconciler) planRollback(ctx context.Context, portfolioID string, e Entry, t target) DomainPlan {
	zone, err := r.observe(ctx, *t.Domain, true)
	if err != nil {
		d := newDomainPlan(t.Domain)
		d.Leaving, d.Away = t.leaving, t.away
		d.fail(fmt.Errorf("%s: reading the zone at provider %s: %w", t.Name, t.Provider, err))
		return d
	}
	d := Undo(e, t.Domain, zone, portfolioID)
	d.Leaving, d.Away = t.leaving, t.away
	if t.leaving || t.away != "" || d.Err != nil {
		return d
	}
	next := Diff(r.desire(t.Domain, r.Now()), d.After(), portfolioID)
	back := slices.DeleteFunc(next.Changes, func(c Change) bool {
		return !slices.ContainsFunc(d.Changes, func(mine Change) bool { return mine.Key() == c.Key() })
	})
	if len(back) > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("the configuration wants %s otherwise: change it too, or the next apply puts that back", plural(len(back), "RRset")))
	}
	return d
}
