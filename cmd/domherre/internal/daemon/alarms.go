package daemon

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"domherre/check"
)

// grade is how much a subject of a notification is in need.
type grade int

// Grades, from good to bad. Between them a subject that waits, or can't be
// told, keeps the grade that it had.
const (
	gradeFine grade = iota
	gradeWarning
	gradeBroken
)

// subject is a domain, the frontend, or a kind of notice.
type subject struct {
	key   string // A-labels, or ".kind" of what concerns the campaign
	shown string
	grade grade
	unset bool // the grade can't be told now
	why   check.Result
}

// subjectsOf finds what a report says of each subject. Warnings about a domain
// are left to the status page, but for those that end in an outage.
func subjectsOf(r check.Report, internalCA bool) []subject {
	var all []subject
	for _, d := range r.Domains {
		s := subject{key: d.ASCII, shown: d.Domain, why: d.Worst()}
		switch {
		case d.State == check.StateBroken:
			s.grade = gradeBroken
		case d.State == check.StateWaiting, d.State == check.StateUnknown:
			s.unset = true
		default:
			s.why, s.grade = endangered(d, internalCA)
		}
		all = append(all, s)
	}
	campaign := slices.Clone(r.Notices)
	if r.Frontend != nil {
		campaign = append(campaign, *r.Frontend)
	}
	for _, n := range campaign {
		s := subject{key: "." + n.Check, why: n}
		switch n.State {
		case check.StateBroken:
			s.grade = gradeBroken
		case check.StateWarning:
			s.grade = gradeWarning
		case check.StateOK:
		default:
			s.unset = true
		}
		all = append(all, s)
	}
	return all
}

// endangered finds a warning that becomes an outage if nobody acts. Our own CA's
// certificates are always warned about.
func endangered(d check.DomainStatus, internalCA bool) (check.Result, grade) {
	for _, name := range []string{check.CheckCertificate, check.CheckRegistration} {
		c, ok := d.Check(name)
		if !ok || name == check.CheckCertificate && internalCA {
			continue
		}
		switch c.State {
		case check.StateWarning:
			return c, gradeWarning
		case check.StateBroken: // such as a registration that has ended, while all still works
			return c, gradeBroken
		}
	}
	return check.Result{}, gradeFine
}

// alarms decide what is told: a change of grade that has held for a while, once.
type alarms struct {
	told    map[string]grade // by key; what isn't in it is fine
	changed map[string]change
	quiet   time.Time // nothing is told before
}

// change is a grade other than the one told, since when.
type change struct {
	to    grade
	since time.Time
}

func newAlarms(told map[string]grade) *alarms {
	return &alarms{told: told, changed: map[string]change{}}
}

// due takes in how all subjects stand now, and gives those whose change is to
// be told: it has held for a while, and the last message was long enough ago.
func (a *alarms) due(now time.Time, subjects []subject, hold time.Duration) []subject {
	var due []subject
	known := map[string]bool{}
	for _, s := range subjects {
		known[s.key] = true
		c, changing := a.changed[s.key]
		switch {
		case s.unset:
			continue
		case s.grade == a.told[s.key]:
			delete(a.changed, s.key)
			continue
		case !changing || c.to != s.grade:
			c = change{s.grade, now}
			a.changed[s.key] = c
		}
		if now.Sub(c.since) >= hold {
			due = append(due, s)
		}
	}
	due = append(due, a.gone(now, known, hold)...)
	if now.Before(a.quiet) {
		return nil
	}
	slices.SortStableFunc(due, func(x, y subject) int { return cmp.Compare(y.grade, x.grade) })
	return due
}

// gone are notices that stand no more; domains that left are forgotten.
func (a *alarms) gone(now time.Time, known map[string]bool, hold time.Duration) []subject {
	var due []subject
	for key := range a.changed {
		if !known[key] && a.told[key] == gradeFine {
			delete(a.changed, key)
		}
	}
	for key, g := range a.told {
		if known[key] || g == gradeFine {
			continue
		}
		if !strings.HasPrefix(key, ".") {
			delete(a.told, key)
			delete(a.changed, key)
			continue
		}
		c, changing := a.changed[key]
		if !changing || c.to != gradeFine {
			c = change{gradeFine, now}
			a.changed[key] = c
		}
		if now.Sub(c.since) >= hold {
			due = append(due, subject{key: key, why: check.Result{Check: key[1:]}})
		}
	}
	slices.SortFunc(due, func(x, y subject) int { return strings.Compare(x.key, y.key) })
	return due
}

// tell notes that subjects have been told of, and keeps quiet for a while.
func (a *alarms) tell(now time.Time, told []subject, quiet time.Duration) {
	for _, s := range told {
		a.told[s.key] = s.grade
		if s.grade == gradeFine {
			delete(a.told, s.key)
		}
		delete(a.changed, s.key)
	}
	a.quiet = now.Add(quiet)
}

// message words what is due, in a language: a title, and a paragraph for all
// subjects that share a cause.
func message(campaign, language string, due []subject) (title, text string) {
	count := map[grade]int{}
	var b strings.Builder
	for len(due) > 0 {
		first := due[0]
		var names []string
		var rest []subject
		for _, s := range due {
			if s.grade != first.grade || s.why.Finding != first.why.Finding || s.why.Check != first.why.Check {
				rest = append(rest, s)
				continue
			}
			count[s.grade]++
			names = append(names, s.name(language))
		}
		paragraph(&b, language, first, names)
		due = rest
	}
	return campaign + ": " + headline(language, count), strings.TrimRight(b.String(), "\n")
}

// name is what a subject is called.
func (s subject) name(language string) string {
	if s.shown != "" {
		return s.shown
	}
	return check.Title(language, s.why.Check)
}

func paragraph(b *strings.Builder, language string, s subject, names []string) {
	const most = 10
	list := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		list += fmt.Sprintf(" (+%d)", more)
	}
	fmt.Fprintf(b, "%s: %s\n", list, gradeWords[s.grade].in(language))
	if s.grade != gradeFine {
		fmt.Fprintf(b, "%s\n", s.why.Finding)
		if s.why.Advice != "" {
			fmt.Fprintf(b, "→ %s\n", s.why.Advice)
		}
	}
	b.WriteString("\n")
}

var gradeWords = map[grade]told{
	gradeFine:    {"fungerar igen", "works again"},
	gradeWarning: {"behöver åtgärdas", "needs attention"},
	gradeBroken:  {"fungerar inte", "does not work"},
}

// headline counts: "2 fungerar inte, 1 fungerar igen".
func headline(language string, count map[grade]int) string {
	var parts []string
	for _, g := range []grade{gradeBroken, gradeWarning, gradeFine} {
		if n := count[g]; n > 0 {
			words := gradeWords[g].in(language)
			if language != "sv" && n > 1 {
				words = strings.NewReplacer("works", "work", "does not", "do not", "needs", "need").Replace(words)
			}
			parts = append(parts, fmt.Sprintf("%d %s", n, words))
		}
	}
	return strings.Join(parts, ", ")
}
