package portfolio

import (
	"fmt"
	"slices"
)

// Policy filters a plan: what may be done of what it asks. A Policy is pure,
// and never adds anything.
type Policy func(Plan) Plan

// Apply gives p as the policies leave it, with its summary and digest anew.
func (p Plan) Apply(policies ...Policy) Plan {
	for _, policy := range policies {
		p = policy(p)
	}
	return p.settled()
}

// eachDomain is the Policy that treats every domain by itself; f says whether it
// made another of it. f gets a copy whose slices it must not write to.
func eachDomain(f func(DomainPlan) (_ DomainPlan, changed bool)) Policy {
	return func(p Plan) Plan {
		shared := true // with the plan that was given
		for i, d := range p.Domains {
			d, changed := f(d)
			if changed && shared {
				p.Domains, shared = slices.Clone(p.Domains), false
			}
			if changed {
				p.Domains[i] = d
			}
		}
		return p
	}
}

// AsSaved lets pass what saved says already, and nothing else. Domains for
// which saved no longer fits are refused, each by itself.
func AsSaved(saved Plan) Policy {
	return eachDomain(func(d DomainPlan) (DomainPlan, bool) {
		s, found := saved.planFor(d)
		switch {
		case !found || len(s.Changes) == 0 && (len(d.Changes) > 0 || d.Leaving):
			return d.withoutChanges(), true
		case d.Err != nil:
		case s.Observed != d.Observed && (len(s.Changes) > 0 || d.Pending()):
			d = d.refuse("its zone has changed since the plan was saved: make the plan anew")
			d.Stale = true
		case !slices.EqualFunc(s.Changes, d.Changes, Change.equal):
			d = d.refuse("what is wanted has changed since the plan was saved: make the plan anew")
			d.Stale = true
		}
		d.Prune = d.Prune && d.Pending()
		return d, true
	})
}

// planFor finds what a saved plan says of the zone that d is for.
func (p Plan) planFor(d DomainPlan) (DomainPlan, bool) {
	same := func(s DomainPlan) bool { return s.ASCII == d.ASCII && s.Provider == d.Provider }
	if i := slices.IndexFunc(p.Domains, same); i >= 0 {
		return p.Domains[i], true
	}
	if d.Away != "" {
		return DomainPlan{}, false
	}
	return p.Find(d.ASCII)
}

// withoutChanges is d, doing nothing.
func (p DomainPlan) withoutChanges() DomainPlan {
	p.Changes, p.Marker.After = []Change{}, p.Marker.Before
	p.Prune = false
	return p
}

// refuse is d, not to be carried out, and saying so.
func (p DomainPlan) refuse(reason string) DomainPlan {
	p.Refused = reason
	p.Notes = append(slices.Clone(p.Notes), "refused: "+reason)
	return p
}

// Force lifts the guard's refusals, and notes for each domain what the guard
// had against it. What a saved plan no longer fits stays refused.
func Force(p Plan) Plan {
	p.Forced, p.Summary.Refused = p.Summary.Refused, ""
	return eachDomain(func(d DomainPlan) (DomainPlan, bool) {
		if d.Refused == "" || d.Stale {
			return d, false
		}
		note := slices.Index(d.Notes, "refused: "+d.Refused)
		d.Notes = slices.Clone(d.Notes)
		d.Notes[note] = fmt.Sprintf("forced, though the guard says: %s", d.Refused)
		d.Forced, d.Refused = d.Refused, ""
		return d, true
	})(p)
}
