package daemon

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"domherre/check"
	"domherre/portfolio"
)

// book holds what the daemon knows of each domain: the newest status, and the
// newest plan.
type book struct {
	mu       sync.Mutex
	looked   uint64                          // counts the looks at domains
	seen     map[string]uint64               // the look that the status comes from, by A-labels
	statuses map[string]check.DomainStatus   // by A-labels
	plans    map[string]portfolio.DomainPlan // the newest, of each domain
	applied  map[string]bool                 // its changes were carried out
	failed   map[string]string               // why they were not, by A-labels
	refused  map[string]string               // the guard's reasons, by A-labels, or of a whole plan by ".provider"
	plan     portfolio.Plan                  // the newest of all, for its head
}

func newBook() *book {
	return &book{
		seen: map[string]uint64{}, statuses: map[string]check.DomainStatus{}, plans: map[string]portfolio.DomainPlan{},
		applied: map[string]bool{}, failed: map[string]string{}, refused: map[string]string{},
	}
}

// keep forgets all domains and providers but these.
func (b *book) keep(ascii, providers []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := make(map[string]bool, len(ascii)+len(providers))
	for _, name := range ascii {
		known[name] = true
	}
	for _, p := range providers {
		known[wholeOf(p)] = true
	}
	forget(b.seen, known)
	forget(b.statuses, known)
	forget(b.plans, known)
	forget(b.applied, known)
	forget(b.failed, known)
	forget(b.refused, known)
}

func forget[V any](m map[string]V, known map[string]bool) {
	maps.DeleteFunc(m, func(name string, _ V) bool { return !known[name] })
}

// wholeOf is the key of what concerns a provider's whole plan: no domain's name
// begins with a dot.
func wholeOf(provider string) string { return "." + provider }

// look numbers a look at domains that begins now.
func (b *book) look() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.looked++
	return b.looked
}

// checked enters a status and gives the one before. A look that began later has
// the last word: then entered is false.
func (b *book) checked(look uint64, s check.DomainStatus) (before check.DomainStatus, seen, entered bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before, seen = b.statuses[s.ASCII]
	if b.seen[s.ASCII] > look {
		return before, seen, false
	}
	b.statuses[s.ASCII], b.seen[s.ASCII] = s, look
	return before, seen, true
}

func (b *book) status(ascii string) (check.DomainStatus, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.statuses[ascii]
	return s, ok
}

// planned enters the plans of a run and what became of them, and gives the
// domains of which other records are wanted than before.
func (b *book) planned(w work, r portfolio.Report) (changed []portfolio.Name) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plan = r.Plan
	if whole := wholeOf(w.provider); r.Plan.Summary.Refused != "" {
		b.refused[whole] = r.Plan.Summary.Refused
	} else if w.all {
		delete(b.refused, whole)
	}
	for i, d := range r.Plan.Domains {
		before := b.plans[d.ASCII].Wanted()
		b.enter(outcomeOf(r, i), d)
		if !reflect.DeepEqual(before, b.plans[d.ASCII].Wanted()) {
			changed = append(changed, d.Name)
		}
	}
	return changed
}

// enter puts one domain's plan into the book. The lock is held.
func (b *book) enter(o portfolio.Outcome, d portfolio.DomainPlan) {
	delete(b.failed, d.ASCII)
	delete(b.refused, d.ASCII)
	switch {
	case o.Outcome == portfolio.Failed && o.Err != nil && !cancelled(o.Err):
		b.failed[d.ASCII] = rootOf(o.Err).Error()
	case d.Refused != "":
		b.refused[d.ASCII] = d.Refused
	}
	if known := b.plans[d.ASCII]; d.Error != "" && !known.Name.IsZero() {
		// What was wanted is still known from before, and what was done is done,
		// however often the zone can't be read.
		known.Error = d.Error
		b.plans[d.ASCII] = known
		return
	}
	b.plans[d.ASCII] = d
	b.applied[d.ASCII] = o.Outcome == portfolio.Applied || o.Outcome == portfolio.Unchanged
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

// failures gives why domains could not be reconciled, by A-labels.
func (b *book) failures() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.failed)
}

// refusals gives what the guard refuses, a sentence each.
func (b *book) refusals() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, key := range slices.Sorted(maps.Keys(b.refused)) {
		why := b.refused[key]
		if !strings.HasPrefix(key, ".") {
			why = b.plans[key].Name.String() + ": " + why
		}
		if !slices.Contains(all, why) {
			all = append(all, why)
		}
	}
	return all
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
	var refused []string
	for key, why := range b.refused {
		if strings.HasPrefix(key, ".") && !slices.Contains(refused, why) {
			refused = append(refused, why)
		}
	}
	slices.Sort(refused)
	p := portfolio.NewPlan(b.plan.Portfolio, b.plan.Made, domains)
	p.Summary.Refused = strings.Join(refused, "; ")
	return p
}
