package term

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"domherre/portfolio"
)

// anyDomain stands in a line for the name of the domain that it is about.
const anyDomain = "{domain}"

// tone is what a line means.
type tone int

const (
	tonePlain tone = iota
	toneCreate
	toneUpdate
	toneDelete
	toneNote
	toneBad
)

var tones = map[tone]lipgloss.Style{
	tonePlain: lipgloss.NewStyle(), toneCreate: good, toneUpdate: amber, toneDelete: bad, toneNote: faint, toneBad: bad,
}

// domainLines says what a plan does to one domain.
func domainLines(d *portfolio.DomainPlan) []line {
	lines := make([]line, 0, len(d.Changes)+len(d.Notes)+2)
	for _, c := range d.Changes {
		lines = append(lines, changeLine(d.Name, c))
	}
	for _, n := range d.Notes {
		if d.Refused == "" || n != "refused: "+d.Refused {
			lines = append(lines, line{tone: toneNote, text: "note: " + withoutName(d.Name, n)})
		}
	}
	switch {
	case d.Stale:
		lines = append(lines, line{tone: toneBad, text: "refused: " + d.Refused})
	case d.Refused != "":
		lines = append(lines, line{tone: toneBad, text: "refused by the guard: " + d.Refused})
	}
	if d.Error != "" {
		lines = append(lines, line{tone: toneBad, text: "error: " + withoutName(d.Name, d.Error)})
	}
	return lines
}

// withoutName takes the domain's name from the head of a sentence, and puts a
// placeholder for it elsewhere.
func withoutName(n portfolio.Name, text string) string {
	for {
		rest, found := strings.CutPrefix(text, n.String()+": ")
		if !found {
			break
		}
		text = rest
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, n.String(), anyDomain), n.ASCII(), anyDomain)
}

// changeLine words a change: what stood there, what will.
func changeLine(zone portfolio.Name, c portfolio.Change) line {
	l := line{key: c.Name + " " + c.Type}
	switch c.Op {
	case portfolio.OpCreate:
		l.tone, l.text = toneCreate, "+ "+l.key+" "+values(zone, c.After.Data)+ttl(c.After.TTL)
	case portfolio.OpDelete:
		l.tone, l.text = toneDelete, "- "+l.key+" "+values(zone, c.Before.Data)+foreign(c)+ttl(c.Before.TTL)
	default:
		l.tone, l.text = toneUpdate, "~ "+l.key+" "+updated(zone, c)+updatedTTL(c)
	}
	return l
}

// foreign says of what is replaced that others put it there.
func foreign(c portfolio.Change) string {
	if c.Before.Owned {
		return ""
	}
	return " (not ours)"
}

// updated words an update by the values that go and come; those that stay are
// counted.
func updated(zone portfolio.Name, c portfolio.Change) string {
	gone, come := missing(c.Before.Data, c.After.Data), missing(c.After.Data, c.Before.Data)
	stay := len(c.Before.Data) - len(gone)
	switch {
	case len(gone) == 0 && len(come) == 0:
		return values(zone, c.After.Data)
	case stay == 0:
		return values(zone, gone) + foreign(c) + " → " + values(zone, come)
	}
	var parts []string
	if len(gone) > 0 {
		parts = append(parts, "loses "+values(zone, gone)+foreign(c))
	}
	if len(come) > 0 {
		parts = append(parts, "gains "+values(zone, come))
	}
	return strings.Join(append(parts, "keeps "+Count(stay, "value")), ", ")
}

// missing gives those of a that aren't in b.
func missing(a, b []string) []string {
	var out []string
	for _, v := range a {
		if !slices.Contains(b, v) {
			out = append(out, v)
		}
	}
	return out
}

func updatedTTL(c portfolio.Change) string {
	if c.Before.TTL == c.After.TTL {
		return ttl(c.After.TTL)
	}
	return fmt.Sprintf(" (ttl %ds → %ds)", c.Before.TTL, c.After.TTL)
}

func ttl(seconds uint32) string { return fmt.Sprintf(" (ttl %ds)", seconds) }

func values(zone portfolio.Name, data []string) string {
	return strings.ReplaceAll(strings.Join(data, ", "), zone.FQDN(), anyDomain+".")
}
