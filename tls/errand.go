package tls

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Errand is what Renew shall do.
type Errand struct {
	Domains []string // A-labels; none: all
	// Force also replaces certificates that aren't due.
	Force bool
	// Patience is how long it goes on trying what failed, or waits for a turn
	// or for another process, as Run would; after that it is left for later.
	Patience time.Duration
}

// Outcomes of an errand for one certificate.
const (
	Issued = "issued" // anew, by us or meanwhile by another process
	Kept   = "kept"   // nothing was due
	Waits  = "waits"  // for its turn at the CA, or for another process
	Failed = "failed" // Entry says why
)

// Renewed is what became of one certificate.
type Renewed struct {
	Entry
	Outcome string
}

// errand is an Errand under way.
type errand struct {
	tasks map[*task]int // the generation before
	until time.Time
}

// Renew renews what is due, by the same rules as Run and beside other processes
// on the store, then returns: sorted by domain, what became of each certificate.
// What Manage was told and Reload has read is what there is. Domains that
// aren't managed are an error.
func (m *Manager) Renew(ctx context.Context, e Errand) ([]Renewed, error) {
	if !m.running.CompareAndSwap(false, true) {
		return nil, errors.New("the certificate manager is running already")
	}
	defer m.running.Store(false)
	if err := m.depart(e); err != nil {
		return nil, err
	}
	m.work(ctx)
	return m.arrive(), ctx.Err()
}

// depart sets the errand. A person who names domains, or forces, has put
// something right: no backoff holds them up.
func (m *Manager) depart(e Errand) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	tasks := map[*task]int{}
	found := map[string]bool{}
	for _, t := range m.tasks {
		if len(e.Domains) > 0 && !slices.Contains(e.Domains, t.domain) {
			continue
		}
		found[t.domain] = true
		tasks[t] = t.number()
		t.due, t.poked = time.Time{}, len(e.Domains) > 0 || e.Force
		if e.Force {
			t.replace = t.number()
		}
	}
	for _, d := range e.Domains {
		if !found[d] {
			return fmt.Errorf("%s has no certificate to renew: it isn't on the list, not launched, or no host of it leads to the frontend", shown(d))
		}
	}
	m.stirred = true
	m.errand = &errand{tasks: tasks, until: m.now().Add(e.Patience)}
	return nil
}

// wants reports whether t is to be worked on: outside an errand all are.
func (e *errand) wants(t *task) bool {
	if e == nil {
		return true
	}
	_, ok := e.tasks[t]
	return ok
}

// over reports whether an errand has nothing left to do. The lock is held.
func (e *errand) over() bool {
	if e == nil {
		return false
	}
	for t := range e.tasks {
		if t.busy || t.problem == nil && !t.due.After(e.until) {
			return false
		}
	}
	return true
}

// arrive ends the errand and says what became of it.
func (m *Manager) arrive() []Renewed {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Renewed, 0, len(m.errand.tasks))
	for t, before := range m.errand.tasks {
		r := Renewed{Entry: m.entry(t), Outcome: Failed}
		switch {
		case t.problem != nil:
		case t.number() > before:
			r.Outcome = Issued
		case !m.needed(m.jobOf(t)):
			r.Outcome = Kept
		case t.queued || t.holds == 0 && t.outages == 0 && t.record.LastError == "":
			r.Outcome = Waits
		}
		all = append(all, r)
	}
	m.errand, m.stirred = nil, true
	slices.SortFunc(all, func(a, b Renewed) int { return compareEntries(a.Entry, b.Entry) })
	return all
}
