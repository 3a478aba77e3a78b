package zoneio

import (
	"slices"

	"domherre/portfolio"
)

// Change is what becomes of one RRset.
type Change struct {
	Key portfolio.Key
	Set *portfolio.RRset // nil: it goes
}

// Changes gives what the steps do, one after the other: within a step, deletes
// come before sets.
func Changes(steps []portfolio.Step) []Change {
	var out []Change
	for _, step := range steps {
		for _, s := range step.Delete {
			out = append(out, Change{Key: s.Key()})
		}
		for _, s := range step.Set {
			out = append(out, Change{Key: s.Key(), Set: &s})
		}
	}
	return out
}

// Fold gives the last word on every RRset, in the order of the first.
func Fold(changes []Change) []Change {
	place := make(map[portfolio.Key]int, len(changes))
	var out []Change
	for _, c := range changes {
		i, seen := place[c.Key]
		if !seen {
			i = len(out)
			place[c.Key] = i
			out = append(out, Change{})
		}
		out[i] = c
	}
	return out
}

// Contents is a zone's RRsets by key.
type Contents map[portfolio.Key]portfolio.RRset

// ContentsOf gives the contents of a zone.
func ContentsOf(z portfolio.Zone) Contents {
	c := make(Contents, len(z.RRsets))
	for _, s := range z.RRsets {
		c[s.Key()] = s
	}
	return c
}

// Has reports whether the RRset is there, with this TTL and data.
func (c Contents) Has(want portfolio.RRset) bool {
	s, ok := c[want.Key()]
	return ok && s.TTL == want.TTL && slices.Equal(s.Data, want.Data)
}

// Met reports whether the RRset of the change is as the change leaves it.
func (c Contents) Met(change Change) bool {
	if change.Set == nil {
		_, present := c[change.Key]
		return !present
	}
	return c.Has(*change.Set)
}

// Apply carries out changes.
func (c Contents) Apply(changes []Change) {
	for _, change := range changes {
		if change.Set == nil {
			delete(c, change.Key)
		} else {
			c[change.Key] = *change.Set
		}
	}
}
