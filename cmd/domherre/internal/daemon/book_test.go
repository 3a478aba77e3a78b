package daemon

import (
	"errors"
	"testing"

	"domherre/portfolio"
)

// A provider that can't be asked, once or many times over, takes nothing from
// what is known: what should be served is checked, and what was done isn't due.
func TestProviderAway(t *testing.T) {
	t.Parallel()
	name, err := portfolio.ParseName("kopasex.se")
	if err != nil {
		t.Fatal(err)
	}
	planned := portfolio.DomainPlan{Domain: name.String(), ASCII: name.ASCII(), Name: name, Changes: []portfolio.Change{
		{Op: portfolio.OpCreate, Name: "www", Type: "A", TTL: 300, After: &portfolio.After{TTL: 300, Data: []string{"192.0.2.1"}}},
	}}
	b := newBook()
	run := func(d portfolio.DomainPlan, outcome string) {
		b.planned(work{all: true}, portfolio.Report{
			Plan:     portfolio.Plan{Domains: []portfolio.DomainPlan{d}},
			Outcomes: []portfolio.Outcome{{Domain: name, Outcome: outcome, Err: d.Err}},
		})
	}
	run(planned, portfolio.Applied)
	away := portfolio.DomainPlan{Domain: name.String(), ASCII: name.ASCII(), Name: name, Err: errors.New("401"), Error: "401"}
	for range 3 {
		run(away, portfolio.Failed)
		if got := b.wanted(name); len(got) != 1 {
			t.Fatalf("wanted while the provider is away: %v", got)
		}
		if got := b.pending(); len(got) != 0 {
			t.Errorf("pending: %v", got)
		}
		if open := b.openPlan(); open.Summary.Failed != 1 || len(open.Domains[0].Changes) != 0 || b.failures()[name.ASCII()] == "" {
			t.Errorf("open plan: %+v, failures %v", open.Domains[0], b.failures())
		}
	}
	run(planned, portfolio.Unchanged)
	if open := b.openPlan(); open.Summary.Failed != 0 || len(b.failures()) != 0 {
		t.Errorf("after it came back: %+v, %v", open.Summary, b.failures())
	}
}
