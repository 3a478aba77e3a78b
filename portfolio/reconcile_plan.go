package portfolio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// target is one domain of a run.
type target struct {
	*Domain // not to be changed
	leaving bool
	away    string // the provider that keeps the zone now, where Domain has one that kept it before
	found   bool   // by its marker alone
}

// at is the target at a provider that kept the zone before.
func (t target) at(provider string) target {
	old := *t.Domain
	t.Domain, t.away = &old, t.Provider
	old.Provider = provider
	return t
}

// plan observes, compares, and lets policies and the guard judge.
func (r *Reconciler) plan(ctx context.Context, p Portfolio, accepted []Domain, o Options) (Plan, error) {
	targets, err := r.targets(ctx, p, accepted, o)
	if err != nil {
		return Plan{}, err
	}
	began := r.Now() // one moment for all: what they shall hold may depend on it
	kept := newShared()
	domains := make([]DomainPlan, len(targets))
	progress := r.progress(StepObserve, len(targets))
	r.each(len(targets), func(i int) string { return targets[i].Provider }, func(i int) {
		d := r.planDomain(ctx, p.ID, targets[i], began, o)
		if o.Lean && !o.Wait && !o.Waves {
			d = d.lean()
		}
		domains[i] = kept.plan(d)
		progress.done(targets[i].Name, domains[i].Err)
	})
	if err := ctx.Err(); err != nil {
		return Plan{}, err
	}
	var policies []Policy
	if o.Saved != nil {
		policies = append(policies, AsSaved(*o.Saved))
	}
	policies = append(policies, Guard(GuardFacts{MaxDelete: p.MaxDelete, Listed: p.Domains, Accepted: accepted, Whole: o.Only == nil && o.Saved == nil}))
	if o.Force {
		policies = append(policies, Force)
	}
	return NewPlan(p.ID, began, domains, policies...), nil
}

// targets are the zones that a run is for: of those listed and those leaving,
// as far as the options name them.
func (r *Reconciler) targets(ctx context.Context, p Portfolio, accepted []Domain, o Options) ([]target, error) {
	all := r.known(p, accepted, o)
	all = append(all, r.search(ctx, p, accepted, all, o)...)
	for _, n := range o.Only {
		if !slices.ContainsFunc(all, func(t target) bool { return t.Name == n }) {
			return nil, fmt.Errorf("%s is not in the portfolio: add it to the domain file first", n)
		}
	}
	if o.Only != nil {
		all = slices.DeleteFunc(all, func(t target) bool { return !slices.Contains(o.Only, t.Name) })
	}
	if o.Provider != "" {
		all = slices.DeleteFunc(all, func(t target) bool { return t.Provider != o.Provider })
	}
	if o.Saved == nil {
		return all, nil
	}
	if o.Saved.Portfolio != p.ID {
		return nil, fmt.Errorf("the saved plan is for portfolio %s, not %s", o.Saved.Portfolio, p.ID)
	}
	saved := make(map[string]bool, len(o.Saved.Domains))
	for i := range o.Saved.Domains {
		saved[o.Saved.Domains[i].ASCII] = true
	}
	return slices.DeleteFunc(all, func(t target) bool { return !saved[t.Name.ASCII()] }), nil
}

// known are the targets that the list and the state tell of.
func (r *Reconciler) known(p Portfolio, accepted []Domain, o Options) []target {
	all := make([]target, 0, len(p.Domains))
	for i := range p.Domains {
		all = append(all, target{Domain: &p.Domains[i]})
	}
	leaving := Leaving(p, accepted)
	for i := range leaving {
		all = append(all, target{Domain: &leaving[i], leaving: true})
	}
	if o.Away {
		all = append(all, away(p, accepted, r.Providers)...)
	}
	return all
}

// Leaving gives the accepted domains that are no longer listed: they keep
// redirecting and renewing as last accepted until they are pruned.
func Leaving(p Portfolio, accepted []Domain) []Domain {
	listed := make(map[Name]bool, len(p.Domains))
	for i := range p.Domains {
		listed[p.Domains[i].Name] = true
	}
	var leaving []Domain
	for _, d := range accepted {
		if !listed[d.Name] {
			d.Leaving = true
			leaving = append(leaving, d)
		}
	}
	return leaving
}

// planDomain observes one domain and compares.
func (r *Reconciler) planDomain(ctx context.Context, portfolioID string, t target, at time.Time, o Options) DomainPlan {
	d := newDomainPlan(t.Domain)
	d.Leaving = t.leaving
	if d.Away = t.away; t.leaving && !o.Prune && o.Saved == nil {
		d.Notes, d.Owned = append(d.Notes, t.stays()), t.Owned
		return d
	}
	zone, err := r.observe(ctx, *t.Domain, o.Full)
	if err != nil {
		d.fail(fmt.Errorf("%s: reading the zone at provider %s: %w", t.Name, t.Provider, err))
		return d
	}
	switch {
	case t.away != "":
		d = r.planAway(ctx, portfolioID, t, zone, o)
	case t.leaving:
		d = planLeaving(t.Domain, zone, portfolioID)
	default:
		d = Diff(r.desire(t.Domain, at), zone, portfolioID)
		if zone.Missing && d.Pending() {
			d.Notes = append(d.Notes, r.creation(*t.Domain))
		}
	}
	d.Observed = zone.Digest()
	return d
}

// creation says what becomes of a domain without a zone.
func (r *Reconciler) creation(d Domain) string {
	switch f := r.factsOf(d); {
	case f.Uncreated && f.CreatesBy != "":
		return fmt.Sprintf("provider %s has no such zone, and doesn't create it without the setting %s: set that, or add the zone there, then apply", d.Provider, f.CreatesBy)
	case f.Uncreated:
		return fmt.Sprintf("provider %s has no such zone, and can't create it: add it there, then apply", d.Provider)
	}
	return fmt.Sprintf("provider %s has no such zone: it is created with its records", d.Provider)
}

// stays says what becomes of a leaving target that isn't pruned.
func (t target) stays() string {
	switch {
	case t.away != "":
		return fmt.Sprintf("moved to provider %s: what is ours at %s stays there until apply --prune", t.away, t.Provider)
	case t.found:
		return "left the list, as its marker tells: its records stay, and lead here, until apply --prune"
	}
	return "left the list: its records stay, and lead here, until apply --prune"
}

// desire is what a domain's zone shall hold at a time.
func (r *Reconciler) desire(d *Domain, at time.Time) Desired { return Desire(d, r.factsOf(*d), at) }

// desired is what d was made from. It is made anew where it is needed: kept, it
// would be the largest part of a plan.
func (r *Reconciler) desired(d DomainPlan, at time.Time) Desired {
	if d.Leaving {
		return Desired{Domain: d.Entry}
	}
	return r.desire(d.Entry, at)
}

func (r *Reconciler) factsOf(d Domain) Facts {
	if r.Facts == nil {
		return Facts{}
	}
	return r.Facts(d)
}

func (r *Reconciler) observe(ctx context.Context, d Domain, full bool) (Zone, error) {
	if err := ctx.Err(); err != nil {
		return Zone{}, err
	}
	if f, ok := r.Zones.(FullObserver); ok && full {
		return f.ObserveFull(ctx, d)
	}
	return r.Zones.Observe(ctx, d)
}

// planLeaving plans the removal of all that is ours from the zone of a domain
// that left the list. Where another portfolio has taken the zone over, or the
// zone is gone, there is nothing left to do.
func planLeaving(entry *Domain, zone Zone, portfolioID string) DomainPlan {
	if entry.DNS.Ownership == OwnExclusive {
		left := *entry
		left.DNS.Ownership = OwnMarker // what others have in the zone survives our leaving
		entry = &left
	}
	d := Diff(Desired{Domain: entry}, zone, portfolioID)
	if foreign := (*ForeignMarkerError)(nil); errors.As(d.Err, &foreign) {
		d.Err, d.Error = nil, ""
		d.Notes = []string{"left the list, and another portfolio manages its zone now"}
	}
	if len(d.Changes) > 0 {
		d.Notes = append([]string{"left the list: what is ours in its zone is deleted"}, d.Notes...)
	}
	d.Leaving, d.Prune = true, true
	return d
}

// accepted loads what the portfolio was, sorted by name.
func (r *Reconciler) accepted(ctx context.Context, p Portfolio) ([]Domain, error) {
	if r.Accepted == nil {
		return nil, nil
	}
	domains, err := r.Accepted.LoadAccepted(ctx, p.ID)
	if err != nil {
		return nil, fmt.Errorf("reading what was accepted last, for the guard: %w", err)
	}
	slices.SortFunc(domains, func(a, b Domain) int { return strings.Compare(a.Name.ascii, b.Name.ascii) })
	return domains, nil
}
