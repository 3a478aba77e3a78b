package portfolio

import (
	"cmp"
	"slices"
	"strings"
)

// Steps puts the changes of one domain, and its marker, in an order in which a
// name that works never stops working, a foreign RRset is never marked as
// ours, and which can break off anywhere and leaves what the next run
// converges from:
//
//  1. what is created and updated, addresses first and shallow names first: a
//     name that a wildcard answers for ceases to be answered for with the first
//     record at it or below it (RFC 4592);
//  2. per name, deletes that stand in the way (a CNAME where an A goes), and
//     in the same step what goes there; after the first, since a wildcard in
//     the way may have answered for what those create;
//  3. the marker, with what is new and still with what goes next;
//  4. the other deletes, the other way round;
//  5. the marker without them.
//
// A zone that doesn't exist yet is filled in a single step.
func Steps(p DomainPlan) []Step {
	swaps, set, del := sortOut(p.Changes)
	after := p.Marker.After
	if p.Zone.Missing {
		if !after.IsZero() {
			set = append(set, after.RRset())
		}
		return dropEmpty([]Step{{Set: set}})
	}
	steps := append([]Step{{Set: set}}, swaps...)
	between := after
	if len(del) > 0 {
		between = p.Marker.Before.union(after)
	}
	steps = append(steps,
		markerStep(p, p.Marker.Before, between),
		Step{Delete: del},
		markerStep(p, between, after),
	)
	return dropEmpty(steps)
}

// sortOut parts changes into those that swap what a name holds, sets and
// deletes, each in the order of writing.
func sortOut(changes []Change) (swaps []Step, set, del []RRset) {
	for start := 0; start < len(changes); {
		end := start + 1
		for end < len(changes) && changes[end].Name == changes[start].Name {
			end++
		}
		var here Step
		for _, c := range changes[start:end] {
			if c.After == nil {
				here.Delete = append(here.Delete, c.RRset())
			} else {
				here.Set = append(here.Set, c.RRset())
			}
		}
		if way, rest := inTheWay(here); len(way) > 0 {
			swaps = append(swaps, Step{Delete: way, Set: addressesFirst(here.Set)})
			del = append(del, rest...)
		} else {
			set, del = append(set, here.Set...), append(del, rest...)
		}
		start = end
	}
	return swaps, addressesFirst(set), addressesLast(del)
}

// inTheWay parts the deletes of one name into those that what is set there
// can't stand beside, and the rest.
func inTheWay(here Step) (way, rest []RRset) {
	cname := slices.ContainsFunc(here.Set, func(s RRset) bool { return s.Type == "CNAME" })
	for _, s := range here.Delete {
		alias := s.Type == "CNAME" || s.Type == "ALIAS" || s.Type == "ANAME"
		if len(here.Set) > 0 && (cname || alias) {
			way = append(way, s)
		} else {
			rest = append(rest, s)
		}
	}
	return way, rest
}

// addressesFirst sorts what is set: addresses of all names, shallow ones first.
func addressesFirst(sets []RRset) []RRset {
	slices.SortStableFunc(sets, func(a, b RRset) int {
		return cmp.Or(weight(a)-weight(b), depth(a)-depth(b))
	})
	return sets
}

// addressesLast sorts what is deleted: name by name, deep ones first.
func addressesLast(sets []RRset) []RRset {
	slices.SortStableFunc(sets, func(a, b RRset) int {
		return cmp.Or(depth(b)-depth(a), compareOwners(a.Name, b.Name), weight(b)-weight(a))
	})
	return sets
}

func weight(s RRset) int {
	switch s.Type {
	case "A", "AAAA", "CNAME", "ALIAS", "ANAME":
		return 0
	}
	return 1
}

func depth(s RRset) int { return strings.Count(s.Name, ".") }

func markerStep(p DomainPlan, from, to Marker) Step {
	switch {
	case from.Equal(to):
		return Step{}
	case to.IsZero():
		s, found := p.Zone.Find(MarkerKey)
		if !found {
			s = from.RRset()
		}
		return Step{Delete: []RRset{s}}
	}
	return Step{Set: []RRset{to.RRset()}}
}

func dropEmpty(steps []Step) []Step {
	return slices.DeleteFunc(steps, func(s Step) bool { return len(s.Set)+len(s.Delete) == 0 })
}
