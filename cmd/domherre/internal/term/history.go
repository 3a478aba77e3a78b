package term

import (
	"strings"
	"time"

	"domherre/portfolio"
)

// History writes entries of the journal: a line each, and with detail every
// change as well.
func (t *Term) History(entries []portfolio.Entry, detail bool) {
	if len(entries) == 0 {
		t.Printf("Nothing was done yet.\n")
		return
	}
	if !detail {
		rows := make([][]string, 0, len(entries))
		for _, e := range entries {
			rows = append(rows, []string{e.ID, moment(e.Time), e.By, Both(e.Domain, e.ASCII), t.did(e)})
		}
		t.Table([]string{"ENTRY", "TIME", "BY", "DOMAIN", "WHAT"}, rows)
		return
	}
	for i, e := range entries {
		if i > 0 {
			t.Printf("\n")
		}
		t.Printf("%s %s by %s, %s\n  %s\n", t.paint(bold, e.ID), moment(e.Time), e.By, Both(e.Domain, e.ASCII), t.did(e))
		zone, err := portfolio.ParseName(e.ASCII)
		for _, c := range e.Changes {
			l := changeLine(zone, c)
			if err == nil {
				l.text = strings.ReplaceAll(l.text, anyDomain, zone.ASCII())
			}
			t.Printf("  %s\n", t.paint(tones[l.tone], l.text))
		}
	}
}

func moment(at time.Time) string { return at.Local().Format(time.DateTime) }

// did sums an entry up.
func (t *Term) did(e portfolio.Entry) string {
	numbers := map[string]int{}
	for _, c := range e.Changes {
		numbers[c.Op]++
	}
	var parts []string
	for _, op := range []string{portfolio.OpCreate, portfolio.OpUpdate, portfolio.OpDelete} {
		if n := numbers[op]; n > 0 {
			parts = append(parts, number(n)+" "+op+"d")
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "the marker alone")
	}
	if e.Undoes != "" {
		parts = append(parts, "rolls back "+e.Undoes)
	}
	if e.RolledBack != "" {
		parts = append(parts, t.paint(amber, "rolled back by "+e.RolledBack))
	}
	if e.Error != "" {
		parts = append(parts, t.paint(bad, "failed: "+e.Error))
	}
	return strings.Join(parts, ", ")
}
