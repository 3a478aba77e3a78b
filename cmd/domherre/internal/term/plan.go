package term

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"domherre/portfolio"
)

// Plan writes a plan for people. A change that many domains share is said
// once, above the domains' own ones, so that fifty new domains read as one.
func (t *Term) Plan(p portfolio.Plan) {
	for _, g := range groupLines(t, p.Domains) {
		t.Printf("%s\n", t.paint(bold, g.title(len(p.Domains))))
		for _, line := range g.lines {
			t.Printf("  %s\n", line)
		}
		t.Printf("\n")
	}
	t.summary(p.Summary)
}

func (t *Term) summary(s portfolio.Summary) {
	if s.Refused != "" {
		t.Printf("%s %s\n", t.paint(bad, "Refused by the guard:"), s.Refused)
	}
	if s.Changed == 0 && s.Failed == 0 {
		t.Printf("No changes. %s as declared.\n", are(s.Domains))
		return
	}
	t.Printf("Plan: %d to create, %d to update, %d to delete, in %d of %s.\n",
		s.Create, s.Update, s.Delete, s.Changed, count(s.Domains, "domain"))
	if s.Failed > 0 {
		t.Printf("%s could not be planned.\n", t.paint(bad, count(s.Failed, "domain")))
	}
}

func are(n int) string {
	if n == 1 {
		return "1 domain is"
	}
	return fmt.Sprintf("All %d domains are", n)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// lineGroup is a block of lines that the same domains share.
type lineGroup struct {
	domains []portfolio.Name
	lines   []string
}

func (g lineGroup) title(of int) string {
	const shown = 3
	names := make([]string, 0, shown)
	for _, n := range g.domains[:min(shown, len(g.domains))] {
		names = append(names, n.String())
	}
	switch {
	case len(g.domains) == 1:
		return names[0]
	case len(g.domains) == of:
		return fmt.Sprintf("all %d domains:", of)
	case len(g.domains) <= shown:
		return strings.Join(names, ", ") + ":"
	}
	return fmt.Sprintf("%d domains (%s and %d more):", len(g.domains), strings.Join(names, ", "), len(g.domains)-shown)
}

// groupLines puts together the lines that exactly the same domains have, the
// most widely shared first, each group's lines in the order of the plan.
func groupLines(t *Term, plans []portfolio.DomainPlan) []*lineGroup {
	domains := map[string][]portfolio.Name{}
	var order []string
	for _, d := range plans {
		for _, line := range t.domainLines(d) {
			if _, seen := domains[line]; !seen {
				order = append(order, line)
			}
			if has := domains[line]; len(has) == 0 || has[len(has)-1] != d.Name {
				domains[line] = append(has, d.Name)
			}
		}
	}
	groups := map[string]*lineGroup{}
	for _, line := range order {
		key := setKey(domains[line])
		if groups[key] == nil {
			groups[key] = &lineGroup{domains: domains[line]}
		}
		groups[key].lines = append(groups[key].lines, line)
	}
	return slices.SortedFunc(maps.Values(groups), func(a, b *lineGroup) int {
		return cmp.Or(len(b.domains)-len(a.domains), cmp.Compare(a.domains[0].ASCII(), b.domains[0].ASCII()))
	})
}

func setKey(names []portfolio.Name) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteString(n.FQDN())
	}
	return b.String()
}

// domainLines gives a domain's lines without its own name in them, so that
// equal changes of different domains are equal lines.
func (t *Term) domainLines(d portfolio.DomainPlan) []string {
	var lines []string
	if d.Leaving && d.Pending() {
		lines = append(lines, t.paint(bad, "left the list: what is ours goes"))
	}
	for _, c := range d.Changes {
		lines = append(lines, t.changeLines(d.Name, c)...)
	}
	for _, n := range d.Notes {
		lines = append(lines, t.paint(faint, "note: "+n))
	}
	if d.Refused != "" {
		lines = append(lines, t.paint(bad, "refused by the guard: "+d.Refused))
	}
	if d.Error != "" {
		lines = append(lines, t.paint(bad, "error: "+d.Error))
	}
	return lines
}

func (t *Term) changeLines(zone portfolio.Name, c portfolio.Change) []string {
	key := c.Name + " " + c.Type
	switch c.Op {
	case portfolio.OpCreate:
		return []string{t.paint(good, "+ "+key+" "+values(zone, c.After.TTL, c.After.Data))}
	case portfolio.OpDelete:
		return []string{t.paint(bad, "- "+key+" "+values(zone, c.Before.TTL, c.Before.Data))}
	}
	was := values(zone, c.Before.TTL, c.Before.Data)
	if !c.Before.Owned {
		was += " (not ours)"
	}
	return []string{t.paint(amber, "~ "+key+" "+was+" → "+values(zone, c.After.TTL, c.After.Data))}
}

func values(zone portfolio.Name, ttl uint32, data []string) string {
	shown := make([]string, len(data))
	for i, d := range data {
		shown[i] = strings.ReplaceAll(d, zone.FQDN(), "{domain}.")
	}
	return fmt.Sprintf("%s (ttl %ds)", strings.Join(shown, ", "), ttl)
}
