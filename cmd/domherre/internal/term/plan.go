package term

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"domherre/portfolio"
)

// quietGroups bounds what is said about domains in which nothing changes, so
// that one changed domain stands out among any number of others.
const quietGroups = 2

// Plan writes a plan for people. A change that many domains share is said
// once, so that fifty new domains read as one.
func (t *Term) Plan(p portfolio.Plan) {
	quiet := 0
	for _, g := range groupLines(len(p.Domains), func(i int) []line { return domainLines(&p.Domains[i]) }) {
		if g.quiet(p.Domains) {
			if quiet++; quiet > quietGroups {
				continue
			}
		}
		t.group(g, names{len(p.Domains), func(i int) portfolio.Name { return p.Domains[i].Name }})
	}
	if quiet > quietGroups {
		t.Printf("%s\n\n", t.paint(faint, "and "+Count(quiet-quietGroups, "more note")+" on domains without changes; name a domain to see its own"))
	}
	refused := slices.ContainsFunc(p.Domains, func(d portfolio.DomainPlan) bool { return d.Refused != "" })
	t.summary(p.Summary, refused)
}

// names tells the domains that a group's numbers stand for.
type names struct {
	total int
	at    func(int) portfolio.Name
}

// group writes a block: on one line where it says but one thing of one domain
// or of very many.
func (t *Term) group(g *lineGroup, of names) {
	title := t.paint(bold, g.title(of))
	if len(g.lines) == 1 {
		t.Printf("%s %s\n", title, t.line(g, g.lines[0], of))
	} else {
		t.Printf("%s\n", title)
		for _, l := range g.lines {
			t.Printf("  %s\n", t.line(g, l, of))
		}
	}
	t.Printf("\n")
}

func (t *Term) line(g *lineGroup, l line, of names) string {
	text := l.text
	if len(g.domains) == 1 {
		text = strings.ReplaceAll(text, anyDomain, of.at(g.domains[0]).ASCII())
	}
	switch n := g.exceptions[l.key]; n {
	case 0:
	case 1:
		text += "; 1 exception below"
	default:
		text += "; " + number(n) + " exceptions below"
	}
	return t.paint(tones[l.tone], text)
}

func (t *Term) summary(s portfolio.Summary, refused bool) {
	if s.Refused != "" {
		t.Printf("%s %s\n", t.paint(bad, "Refused by the guard:"), s.Refused)
	}
	if s.Changed == 0 && s.Failed == 0 && (refused || s.Refused != "") {
		t.Printf("Nothing to do but what is refused.\n")
		return
	}
	if s.Changed == 0 && s.Failed == 0 {
		t.Printf("No changes. %s as declared.\n", are(s.Domains))
		return
	}
	t.Printf("Plan: %s to create, %s to update, %s to delete, in %s of %s.\n",
		number(s.Create), number(s.Update), number(s.Delete), number(s.Changed), Count(s.Domains, "domain"))
	if s.Failed > 0 {
		t.Printf("%s could not be planned.\n", t.paint(bad, Count(s.Failed, "domain")))
	}
}

// Cost writes what carrying out a plan takes at a provider.
func (t *Term) Cost(provider string, requests int, perSecond float64, takes time.Duration) {
	t.Printf("To apply it takes about %s to provider %s: %s at %s/s.\n",
		Count(requests, "request"), provider, roughly(takes), strconv.FormatFloat(perSecond, 'f', -1, 64))
}

// roughly words a time as people would: 54 s, 12 min, 3 h.
func roughly(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", max(1, math.Round(d.Seconds())))
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.0f h", d.Hours())
}

func are(n int) string {
	if n == 1 {
		return "1 domain is"
	}
	return fmt.Sprintf("All %s domains are", number(n))
}

// Count words a number of things: "1 domain", "4,998 domains".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// number writes n with a comma before every three digits: 4,998.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
