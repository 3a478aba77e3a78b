package term

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"

	"domherre/check"
)

// Status writes the table of domains, one word a check, and below it what must
// be done.
func (t *Term) Status(r check.Report) {
	header := []string{"DOMAIN", "STATE"}
	for _, c := range checksOf(r) {
		header = append(header, strings.ToUpper(c))
	}
	rows := make([][]string, 0, len(r.Domains))
	for _, d := range r.Domains {
		row := []string{bothForms(d), t.state(d.State)}
		for _, c := range d.Checks {
			row = append(row, t.state(c.State))
		}
		rows = append(rows, row)
	}
	t.Table(header, rows)
	t.Printf("\n")
	t.advice(r)
	live, failing := 0, 0
	for _, d := range r.Domains {
		if d.Live {
			live++
		}
		if d.Failing() {
			failing++
		}
	}
	t.Printf("%d of %s live", live, Count(len(r.Domains), "domain"))
	if others := len(r.Domains) - live - failing; others > 0 {
		t.Printf(", %d paused or planned", others)
	}
	t.Printf(".\n")
	t.nodes(r.Nodes)
}

func checksOf(r check.Report) []string {
	var names []string
	if len(r.Domains) > 0 {
		for _, c := range r.Domains[0].Checks {
			names = append(names, c.Check)
		}
	}
	return names
}

func bothForms(d check.DomainStatus) string {
	return Both(d.Domain, d.ASCII)
}

// Both names a domain by U-labels, with its A-labels behind where they differ.
func Both(domain, ascii string) string {
	if domain == ascii {
		return domain
	}
	return domain + " (" + ascii + ")"
}

// advice writes, for each domain that isn't well, what was found and who must
// do what. What many domains share is said once.
func (t *Term) advice(r check.Report) {
	type said struct{ check, state, finding, advice string }
	domains := map[said][]string{}
	var order []said
	add := func(name string, c check.Result) {
		if c.State == check.StateOK || c.Advice == "" {
			return
		}
		s := said{c.Check, c.State, c.Finding, c.Advice}
		if domains[s] == nil {
			order = append(order, s)
		}
		domains[s] = append(domains[s], name)
	}
	if r.Frontend != nil {
		add("campaign", *r.Frontend)
	}
	for _, notice := range r.Notices {
		add("campaign", notice)
	}
	for _, d := range r.Domains {
		for _, c := range d.Checks {
			add(d.Domain, c)
		}
	}
	for _, s := range order {
		names := domains[s]
		who := strings.Join(names, ", ")
		if len(names) > 3 {
			who = fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
		}
		t.Printf("%s: %s %s: %s\n  → %s\n", who, s.check, t.state(s.state), s.finding, s.advice)
	}
	if len(order) > 0 {
		t.Printf("\n")
	}
}

// state paints a word by what it means.
func (t *Term) state(word string) string {
	styles := map[string]lipgloss.Style{
		check.StateLive: good, check.StateOK: good, check.StateBroken: bad,
		check.StateWarning: amber, check.StateWaiting: amber,
		check.StateUnknown: faint, check.StatePaused: faint, check.StatePlanned: faint,
	}
	if style, ok := styles[word]; ok {
		return t.paint(style, word)
	}
	return word
}
