package daemon

import (
	"maps"
	"slices"
	"sync"

	"domherre/check"
	"domherre/portfolio"
)

// book holds what the daemon knows of each domain: the newest status, and the
// newest plan.
type book struct {
	mu       sync.Mutex
	statuses map[string]check.DomainStatus   // by A-labels
	plans    map[string]portfolio.DomainPlan // the newest, of each domain
	applied  map[string]bool                 // its changes were carried out
	plan     portfolio.Plan                  // the newest of all, for its head
}

func newBook() *book {
	return &book{statuses: map[string]check.DomainStatus{}, plans: map[string]portfolio.DomainPlan{}, applied: map[string]bool{}}
}

// keep forgets all domains but these.
func (b *book) keep(ascii []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	gone := func(name string) bool { return !slices.Contains(ascii, name) }
	maps.DeleteFunc(b.statuses, func(name string, _ check.DomainStatus) bool { return gone(name) })
	maps.DeleteFunc(b.plans, func(name string, _ portfolio.DomainPlan) bool { return gone(name) })
	maps.DeleteFunc(b.applied, func(name string, _ bool) bool { return gone(name) })
}

// checked enters a status and gives the one before.
func (b *book) checked(s check.DomainStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.statuses[s.ASCII] = s
}

func (b *book) status(ascii string) (check.DomainStatus, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.statuses[ascii]
	return s, ok
}

// planned enters the plans of a run and what became of them.
func (b *book) planned(r portfolio.Report) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plan = r.Plan
	for i, d := range r.Plan.Domains {
		if d.Error != "" && b.plans[d.ASCII].Error == "" && !b.plans[d.ASCII].Name.IsZero() {
			// What was wanted is still known from before.
			known := b.plans[d.ASCII]
			known.Error = d.Error
			d = known
		}
		b.plans[d.ASCII] = d
		b.applied[d.ASCII] = i < len(r.Outcomes) && r.Outcomes[i].Outcome == portfolio.Applied
	}
}

// wanted gives the RRsets that a domain's name servers should serve.
func (b *book) wanted(n portfolio.Name) []portfolio.RRset {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.plans[n.ASCII()].Wanted()
}

// pending counts the changes that are known and not carried out, by operation.
func (b *book) pending() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	counts := map[string]int{}
	for ascii, d := range b.plans {
		if b.applied[ascii] {
			continue
		}
		for _, c := range d.Changes {
			counts[c.Op]++
		}
	}
	return counts
}

// openPlan is the newest plan of the whole portfolio, without what is done.
func (b *book) openPlan() portfolio.Plan {
	b.mu.Lock()
	defer b.mu.Unlock()
	domains := make([]portfolio.DomainPlan, 0, len(b.plans))
	for ascii, d := range b.plans {
		if b.applied[ascii] {
			d.Changes, d.Marker, d.Notes = []portfolio.Change{}, portfolio.MarkerChange{}, []string{}
		}
		domains = append(domains, d)
	}
	p := portfolio.NewPlan(b.plan.Portfolio, b.plan.Made, domains)
	p.Summary.Refused = b.plan.Summary.Refused
	return p
}
