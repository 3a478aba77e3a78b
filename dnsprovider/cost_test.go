package dnsprovider

import (
	"fmt"
	"testing"
	"time"

	"domherre/portfolio"
)

func TestCosts(t *testing.T) {
	t.Parallel()
	d := domain(t, "kopasex.se")
	created := func(n int) portfolio.Plan {
		var zones []portfolio.DomainPlan
		for i := range n {
			name := domain(t, fmt.Sprintf("z%d.example", i)).Name
			zones = append(zones, portfolio.DomainPlan{Name: name, Domain: name.Unicode(), ASCII: name.ASCII(), Provider: d.Provider, Changes: []portfolio.Change{
				{Op: "create", Name: "@", Type: "A", After: &portfolio.After{Data: []string{"192.0.2.1"}}},
				{Op: "create", Name: "@", Type: "TXT", After: &portfolio.After{Data: []string{"x"}}},
			}})
		}
		return portfolio.NewPlan("p", time.Now(), zones)
	}
	for _, c := range []struct {
		cfg   Config
		zones int
		want  string
	}{
		{Config{Name: "main", Type: "embedded"}, 5, "[]"},                                               // no limit
		{Config{Name: "other", Type: "gandi"}, 5, "[]"},                                                 // no work
		{Config{Name: "main", Type: "gandi"}, 0, "[]"},                                                  // nothing to do
		{Config{Name: "main", Type: "njalla"}, 2, "[{main 10 1}]"},                                      // 2 readings and 3 records a zone
		{Config{Name: "main", Type: "inwx"}, 2, "[{main 10 1}]"},                                        // 2 readings and 3 calls
		{Config{Name: "main", Type: "namecheap"}, 2, "[{main 12 0.8}]"},                                 // 2 readings and 2 calls of 2 requests
		{Config{Name: "main", Type: "gandi", Limits: Limits{RequestsPerSecond: 8}}, 2, "[{main 16 8}]"}, // 2 readings and 3 records of 2 requests
	} {
		if got := fmt.Sprint(Costs([]Config{c.cfg}, created(c.zones))); got != c.want {
			t.Errorf("%s, %d zones: %s, not %s", c.cfg.Type, c.zones, got, c.want)
		}
	}
	if d := (Cost{Requests: 214, PerSecond: 4}).Takes(); d != 53500*time.Millisecond {
		t.Errorf("214 requests at 4 a second take %s", d)
	}
}
