package daemon

import (
	"strings"
	"testing"
	"time"

	"domherre/check"
)

func domain(name, state string) check.DomainStatus {
	s := check.DomainStatus{Domain: name, ASCII: name, State: state, Live: state == check.StateLive}
	if state == check.StateBroken {
		s.Checks = []check.Result{{Check: check.CheckRedirect, State: check.StateBroken, Finding: "It can't be reached.", Advice: "Operations: look."}}
	}
	return s
}

// What breaks is told once it has held, together, and once; what flaps isn't.
func TestAlarms(t *testing.T) {
	t.Parallel()
	const hold, quiet = time.Minute, 10 * time.Minute
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	a := newAlarms(map[string]grade{})
	// at gives the title of what is told when domains are in states.
	at := func(after time.Duration, notices []check.Result, states ...string) string {
		now = now.Add(after)
		r := check.Report{Notices: notices}
		for i, state := range states {
			r.Domains = append(r.Domains, domain(string(rune('a'+i))+".example", state))
		}
		due := a.due(now, subjectsOf(r, false), hold)
		if len(due) == 0 {
			return ""
		}
		title, _ := message("C", "en", due)
		a.tell(now, due, quiet)
		return title
	}
	guard := []check.Result{{Check: "guard", State: check.StateWarning, Finding: "The guard waits.", Advice: "Look."}}
	for i, step := range []struct {
		after   time.Duration
		notices []check.Result
		states  []string
		want    string
	}{
		{0, nil, []string{"waiting", "waiting", "live"}, ""},
		{time.Hour, nil, []string{"live", "live", "live"}, ""},
		{0, nil, []string{"broken", "broken", "live"}, ""},
		{hold / 2, nil, []string{"broken", "live", "live"}, ""},
		{hold / 2, nil, []string{"broken", "live", "live"}, "C: 1 does not work"},
		{hold, nil, []string{"broken", "broken", "live"}, ""},
		{hold, nil, []string{"unknown", "broken", "live"}, ""}, // kept quiet so soon after the first
		{quiet, guard, []string{"live", "broken", "live"}, "C: 1 does not work"},
		{quiet, guard, []string{"live", "broken", "waiting"}, "C: 1 needs attention, 1 works again"},
		{quiet, nil, []string{"live", "live", "waiting"}, ""},
		{hold, nil, []string{"live", "live", "waiting"}, "C: 2 work again"},
		{quiet, nil, []string{"paused", "planned"}, ""},
	} {
		if got := at(step.after, step.notices, step.states...); got != step.want {
			t.Errorf("step %d: told %q, want %q", i, got, step.want)
		}
	}
	if len(a.told) != 0 || len(a.changed) != 0 {
		t.Errorf("left over: %v %v", a.told, a.changed)
	}
}

// Many domains that fail from one cause are one paragraph.
func TestMessage(t *testing.T) {
	t.Parallel()
	var r check.Report
	for i := range 50 {
		r.Domains = append(r.Domains, domain(string(rune('a'+i%26))+strings.Repeat("x", i/26)+".example", check.StateBroken))
	}
	title, text := message("Du avgör!", "sv", subjectsOf(r, false))
	if title != "Du avgör!: 50 fungerar inte" {
		t.Errorf("title %q", title)
	}
	const want = "a.example, b.example, c.example, d.example, e.example, f.example, g.example, h.example, i.example, j.example (+40): fungerar inte\nIt can't be reached.\n→ Operations: look."
	if text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

// A certificate that isn't renewed is told before it ends; that browsers don't
// know our own CA isn't news.
func TestEndangered(t *testing.T) {
	t.Parallel()
	d := domain("kopasex.se", check.StateLive)
	d.Checks = []check.Result{{Check: check.CheckCertificate, State: check.StateWarning}}
	for internal, want := range map[bool]grade{true: gradeFine, false: gradeWarning} {
		if _, got := endangered(d, internal); got != want {
			t.Errorf("internal CA %t: grade %d, want %d", internal, got, want)
		}
	}
}
