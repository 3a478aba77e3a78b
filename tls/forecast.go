package tls

import (
	"context"
	"slices"
	"time"
)

// Forecast is how long the orders that are due take within the CAs' limits.
// What a domain must do first, such as to have its records served, isn't in it.
type Forecast struct {
	Now        time.Time
	Kept       int         // certificates that are there, and not due
	Allowances []Allowance // of each issuer
	Turns      []Turn      // in order of time
}

// Allowance is what one CA allows.
type Allowance struct {
	Issuer string
	Orders Limit // zero: none is known
	Left   int   // orders, now
}

// Turn is when one certificate can be ordered.
type Turn struct {
	Domain string // A-labels; empty for one that was only supposed
	Names  []string
	Reason string // new, renewal or names
	At     time.Time
}

// Reasons of a Turn.
const (
	ReasonNew     = "new"     // no certificate yet
	ReasonNames   = "names"   // a name is missing on the one there is
	ReasonRenewal = "renewal" // it is due, or its issuer isn't configured any more
)

// Forecast says when what is due can be ordered, as if more new domains came
// along behind it. Manage and Reload come before.
func (m *Manager) Forecast(ctx context.Context, more int) (Forecast, error) {
	f := Forecast{Now: m.now()}
	for _, iss := range m.issuers {
		a, err := m.allowance(ctx, iss)
		if err != nil {
			return f, err
		}
		f.Allowances = append(f.Allowances, a)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var free, counted []Turn
	f.Kept, free, counted = m.dueTurns(f.Now)
	counted = append(counted, make([]Turn, more)...)
	slots := m.slots(f.Now, len(counted))
	for i := range counted {
		t := &counted[i]
		if t.Reason == "" {
			t.Reason, t.At = ReasonNew, f.Now
		}
		if m.limited() {
			t.At = maxTime(t.At, slots[i])
		}
	}
	f.Turns = slices.Concat(free, counted)
	slices.SortStableFunc(f.Turns, func(a, b Turn) int { return a.At.Compare(b.At) })
	return f, nil
}

// limited reports whether every issuer limits orders: else what one doesn't
// allow goes to the next.
func (m *Manager) limited() bool {
	return !slices.ContainsFunc(m.issuers, func(i *issuer) bool { return !i.limits.orders.known() })
}

// dueTurns lists what is due by rank: what no limit counts, and the others. The
// lock is held.
func (m *Manager) dueTurns(now time.Time) (kept int, free, counted []Turn) {
	var due []rank
	for _, t := range m.tasks {
		switch {
		case t.problem != nil:
		case m.needed(m.jobOf(t)):
			due = append(due, t.rank(now))
		default:
			kept++
		}
	}
	slices.SortFunc(due, rank.compare)
	for _, r := range due {
		j := m.jobOf(r.task)
		turn := Turn{Domain: j.domain, Names: j.names, Reason: reason(j), At: maxTime(now, j.record.NextTry)}
		if slices.ContainsFunc(m.issuers, func(i *issuer) bool { return m.exempt(&j, i) }) {
			free = append(free, turn)
			continue
		}
		until, _ := m.pause(&j, m.issuers[0])
		turn.At = maxTime(turn.At, until)
		counted = append(counted, turn)
	}
	return kept, free, counted
}

func reason(j job) string {
	switch {
	case j.current == nil:
		return ReasonNew
	case !covered(j.current.names, j.names):
		return ReasonNames
	}
	return ReasonRenewal
}

// allowance reads what was spent at a CA.
func (m *Manager) allowance(ctx context.Context, iss *issuer) (Allowance, error) {
	a := Allowance{Issuer: iss.name, Orders: iss.limits.orders}
	if !a.Orders.known() {
		return a, nil
	}
	s, err := m.loadSpending(ctx, iss)
	if err != nil {
		return a, err
	}
	m.know(iss, s)
	a.Left = max(0, a.Orders.Count-s.total())
	return a, nil
}
