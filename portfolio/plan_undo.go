package portfolio

import (
	"fmt"
	"slices"
	"strings"
)

// Undo plans the way back from a journal entry: every RRset that e changed
// becomes what it was before, whatever it is now. Of a TXT RRset, which others
// may share, only those values go and come back that e added and took. d is the
// domain's entry in the portfolio, obs its zone as it is now.
//
// What was not ours before e is not ours afterwards. Undo is pure.
func Undo(e Entry, d *Domain, obs Zone, portfolioID string) DomainPlan {
	p := newDomainPlan(d)
	p.Observed, p.Zone, p.undoes = obs.Digest(), obs, e.ID
	p.holds = obs.holdsMore()
	marker, err := readMarker(d.Name, obs, MarkerID(portfolioID))
	if err != nil {
		p.fail(err)
		return p
	}
	after := Marker{Portfolio: MarkerID(portfolioID), Owned: slices.Clone(marker.Owned)}
	p.Marker = MarkerChange{marker, marker}
	changes := slices.Clone(e.Changes)
	slices.SortFunc(changes, func(a, b Change) int { return compareKeys(a.Key(), b.Key()) })
	for _, c := range changes {
		own, ours := marker.Find(c.Key())
		after.Owned = slices.DeleteFunc(after.Owned, func(o Owned) bool { return o.Key == c.Key() })
		if back, still := ownedBefore(c, own); still {
			after.Owned = append(after.Owned, back)
		}
		p.undo(c, ours)
	}
	for i := range marker.Owned {
		if _, there := obs.Find(marker.Owned[i].Key); there {
			p.Owned++
		}
	}
	if d.DNS.Ownership != OwnNone {
		if after.Owned = tidyOwned(after.Owned); len(after.Owned) == 0 {
			after = Marker{}
		}
		p.Marker.After = after
	}
	if err := p.crowded(); err != nil {
		p.fail(err)
	}
	return p
}

// undo adds what undoes c to the plan.
func (p *DomainPlan) undo(c Change, ours bool) {
	var now *RRset
	if s, found := p.Zone.Find(c.Key()); found {
		now = &s
	}
	if changedSince(c, now) {
		p.Notes = append(p.Notes, fmt.Sprintf("%s %s has changed since: it goes back all the same", c.Name, c.Type))
	}
	target := c.target(now)
	same := target == nil && now == nil ||
		target != nil && now != nil && target.TTL == now.TTL && slices.Equal(target.Data, now.Data)
	if !same {
		p.Changes = append(p.Changes, newChange(c.Key(), now, ours, target))
	}
}

// changedSince reports whether the RRset is neither as c left it nor as c found it.
func changedSince(c Change, now *RRset) bool {
	if now == nil {
		return c.After != nil && c.Before != nil
	}
	left := c.After != nil && slices.Equal(c.After.Data, now.Data)
	found := c.Before != nil && slices.Equal(c.Before.Data, now.Data)
	return !left && !found
}

// target is what stands at c's place once c is undone; nil for nothing.
func (c Change) target(now *RRset) *After {
	if c.Type != "TXT" || now == nil {
		if c.Before == nil {
			return nil
		}
		return &After{TTL: c.Before.TTL, Data: c.Before.Data}
	}
	added, taken := c.values()
	back := After{TTL: now.TTL, Data: slices.Clone(taken)}
	for _, v := range now.Data {
		if !slices.Contains(added, v) {
			back.Data = append(back.Data, v)
		}
	}
	if len(back.Data) == 0 {
		return nil
	}
	if c.Before != nil {
		back.TTL = c.Before.TTL
	}
	back.Data = sortedSet(back.Data)
	return &back
}

// values gives those that c put into the RRset, and those that it took out.
func (c Change) values() (added, taken []string) {
	var before, after []string
	if c.Before != nil {
		before = c.Before.Data
	}
	if c.After != nil {
		after = c.After.Data
	}
	without := func(list, other []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(v string) bool { return slices.Contains(other, v) })
	}
	return without(after, before), without(before, after)
}

// ownedBefore is what the marker lists at c's place once c is undone: own as far
// as c didn't add it. A value that c took from a TXT RRset may have been
// another's: it isn't listed, and taken over where it is wanted.
func ownedBefore(c Change, own Owned) (Owned, bool) {
	back := Owned{Key: c.Key()}
	if c.Before == nil || !c.Before.Owned || c.Type != "TXT" {
		return back, c.Before != nil && c.Before.Owned
	}
	added, _ := c.values()
	gone := hashes(added)
	for _, h := range own.Values {
		if !slices.Contains(gone, h) {
			back.Values = append(back.Values, h)
		}
	}
	return back, len(back.Values) > 0
}

// crowded refuses what would put a CNAME beside other records of its name:
// those came later, and must go first.
func (p *DomainPlan) crowded() error {
	sets := p.After().RRsets
	for _, s := range sets {
		if s.Type != "CNAME" {
			continue
		}
		var beside []string
		for _, o := range sets {
			if o.Name == s.Name && o.Type != "CNAME" {
				beside = append(beside, o.Type)
			}
		}
		if len(beside) > 0 {
			return fmt.Errorf("%s: rolling back would put the CNAME of %s beside its %s: roll back what came later first",
				p.Name, s.Name, strings.Join(beside, ", "))
		}
	}
	return nil
}
