package term

import (
	"cmp"
	"slices"
	"strings"

	"domherre/portfolio"
)

// line is one thing to say of a domain, without the domain's own name in it,
// so that equal things of different domains are equal lines.
type line struct {
	tone tone
	text string
	key  string // of the RRset that changes; empty where none does
}

// lineGroup is a block of lines that the same domains share.
type lineGroup struct {
	domains    []int // ascending
	lines      []line
	exceptions map[string]int // by key: how many other domains have another change there
}

// lineUse tells who has a line. hash stands for domains as a whole: comparing
// the lists of all lines would take too long for 100,000 domains.
type lineUse struct {
	domains []int
	hash    uint64
}

func (u *lineUse) add(domain int) {
	if n := len(u.domains); n > 0 && u.domains[n-1] == domain {
		return
	}
	u.domains = append(u.domains, domain)
	u.hash = (u.hash ^ uint64(domain+1)) * 0x9e3779b97f4a7c15
	u.hash ^= u.hash >> 29
}

// groupLines puts together the lines that exactly the same of n domains have,
// the most widely shared first, each group's lines in the order of its first
// domain.
func groupLines(n int, lines func(int) []line) []*lineGroup {
	uses := map[line]*lineUse{}
	changed := map[string]*lineUse{} // by key
	var order []line
	for i := range n {
		for _, l := range lines(i) {
			if uses[l] == nil {
				uses[l] = &lineUse{}
				order = append(order, l)
			}
			uses[l].add(i)
			if l.key != "" {
				if changed[l.key] == nil {
					changed[l.key] = &lineUse{}
				}
				changed[l.key].add(i)
			}
		}
	}
	type sameDomains struct {
		hash  uint64
		count int
	}
	index := map[sameDomains]*lineGroup{}
	var groups []*lineGroup
	for _, l := range order {
		use := uses[l]
		key := sameDomains{use.hash, len(use.domains)}
		if index[key] == nil {
			index[key] = &lineGroup{domains: use.domains, exceptions: map[string]int{}}
			groups = append(groups, index[key])
		}
		g := index[key]
		g.lines = append(g.lines, l)
		if l.key == "" {
			continue
		}
		if all, here := len(changed[l.key].domains), len(use.domains); 2*here > all {
			g.exceptions[l.key] = all - here
		}
	}
	slices.SortStableFunc(groups, func(a, b *lineGroup) int {
		return cmp.Or(len(b.domains)-len(a.domains), a.domains[0]-b.domains[0])
	})
	return groups
}

// title names the domains of a group: each where they are few, a few where
// they are many, or those that are not among them.
func (g *lineGroup) title(of names) string {
	const shown = 3
	list := func(domains []int) string {
		texts := make([]string, len(domains))
		for i, d := range domains {
			texts[i] = of.at(d).String()
		}
		return strings.Join(texts, ", ")
	}
	n := len(g.domains)
	switch {
	case n == 1 && len(g.lines) > 1:
		return list(g.domains)
	case n <= shown:
		return list(g.domains) + ":"
	case n == of.total:
		return "all " + number(n) + " domains:"
	case of.total-n <= shown && of.total > 3*shown:
		return "all " + number(of.total) + " domains but " + list(g.others(of.total)) + ":"
	}
	return number(n) + " domains (" + list(g.domains[:shown]) + " and " + number(n-shown) + " more):"
}

// others gives those of n domains that are not in the group.
func (g *lineGroup) others(n int) []int {
	var out []int
	next := 0
	for i := range n {
		if next < len(g.domains) && g.domains[next] == i {
			next++
		} else {
			out = append(out, i)
		}
	}
	return out
}

// quiet reports whether nothing happens to the domains of the group, nor is
// anything amiss with them.
func (g *lineGroup) quiet(plans []portfolio.DomainPlan) bool {
	return !slices.ContainsFunc(g.domains, func(i int) bool {
		d := &plans[i]
		return d.Pending() || d.Error != "" || d.Refused != ""
	})
}
