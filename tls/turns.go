package tls

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Where a CA limits orders, what it allows is dealt out by rank: a task that
// finds nothing left, or others waiting, joins the queue; now and then deal
// gives each in the queue the time of its turn. A task that has its turn spends
// an order before it places one (see spend). Only tasks that Ready lets pass
// get so far: the queue holds what could be ordered now.

// dealEvery bounds how often turns are dealt: sorting ten thousand for each
// that joins would cost more.
const dealEvery = time.Second

// classes of urgency, the most urgent first.
const (
	classSaving  = iota // a certificate that serves, and lapses unless renewed
	classNew            // nothing to serve, and never tried in vain
	classFailing        // tried in vain: what keeps failing takes no turn from what might not
)

// class sorts t. What keeps failing is given every turn again in the last tenth
// of its lifetime. The lock is held.
func (t *task) class(now time.Time) int {
	c := t.cert.Load()
	alive := c != nil && now.Before(c.notAfter())
	switch {
	case alive && (t.record.Attempts == 0 || !now.Before(latestRenewal(c))):
		return classSaving
	case t.record.Attempts > 0:
		return classFailing
	}
	return classNew
}

// rank is a task's place in the order of urgency, worked out once.
type rank struct {
	task            *task
	class, attempts int
	expiry          time.Time
}

func (t *task) rank(now time.Time) rank {
	return rank{t, t.class(now), min(t.record.Attempts, 5), t.expiry()}
}

// compare sorts by class, then what failed less, then what is nearest to
// lapsing.
func (r rank) compare(o rank) int {
	return cmp.Or(
		cmp.Compare(r.class, o.class),
		cmp.Compare(r.attempts, o.attempts)*btoi(r.class != classSaving),
		r.expiry.Compare(o.expiry),
		strings.Compare(r.task.id, o.task.id),
	)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// exempt reports whether iss counts an order for j at all: one that replaces
// its own certificate in the window that it named is free (RFC 9773, section 5).
func (m *Manager) exempt(j *job, iss *issuer) bool {
	wish := j.record.ARI
	return j.current != nil && j.current.issuerKey == iss.key && wish != nil && wish.Serial == j.current.serial() &&
		!wish.At.IsZero() && !wish.Start.After(m.now())
}

// forbiddenFor is how long an issuer that CAA forbids is left alone.
const forbiddenFor = 10 * time.Minute

// pause says until when iss must be left alone for j, and why where neither the
// CA nor a failure said so; zero if it may be asked now.
func (m *Manager) pause(j *job, iss *issuer) (time.Time, string) {
	if err := j.forbidden[iss.key]; err != nil {
		return m.now().Add(forbiddenFor), err.Error()
	}
	until := j.record.pause(iss, m.now())
	if m.exempt(j, iss) {
		return until, ""
	}
	if full, why := j.record.full(iss, j.names, j.siblings, m.now()); full.After(until) {
		return full, why
	}
	return until, ""
}

// reserve spends an order at the first issuer that may be asked, and gives it;
// nil if none has one left.
func (m *Manager) reserve(ctx context.Context, j *job) (*issuer, error) {
	if j.unsaved != nil {
		return m.issuers[0], nil // it is only to be stored
	}
	for _, iss := range m.issuers {
		if until, _ := m.pause(j, iss); until.After(m.now()) {
			continue
		}
		if m.exempt(j, iss) || iss.can(j.names) != nil { // it won't be asked
			return iss, nil
		}
		ok, err := m.spend(ctx, iss, j.task)
		if ok || err != nil {
			return iss, err
		}
	}
	return nil, nil
}

// mustQueue reports whether, as far as is known here, there is no order left
// for j, or others wait for one.
func (m *Manager) mustQueue(j *job) bool {
	if j.unsaved != nil {
		return false
	}
	now := m.now()
	for _, iss := range m.issuers {
		if until, _ := m.pause(j, iss); until.After(now) {
			continue
		}
		if !iss.limits.orders.known() || m.exempt(j, iss) || iss.can(j.names) != nil || m.hasOrder(j, iss, now) {
			return false
		}
	}
	return true
}

func (m *Manager) hasOrder(j *job, iss *issuer, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := iss.limits.orders
	return (m.queued == 0 || j.task.turn) && iss.spent.recent(l, now).total() < l.Count
}

// enqueue has t wait for its turn.
func (m *Manager) enqueue(t *task) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queued++
	m.undealt = true
	t.queued, t.turn = true, false
	t.waiting, t.holds, t.outages = "", 0, 0
	t.turnAt = m.now().Add(dealEvery)
	for _, iss := range m.issuers {
		if l := iss.limits.orders; l.known() {
			t.turnAt = maxTime(t.turnAt, iss.spent.slots(l, m.now(), 1)[0])
			break
		}
	}
	t.due = t.turnAt
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// deal gives each task in the queue its turn, the most urgent the earliest, and
// says when it is to be called again; zero if nothing has changed. The lock is
// held.
func (m *Manager) deal(now time.Time) time.Time {
	if !m.undealt {
		return time.Time{}
	}
	if next := m.dealt.Add(dealEvery); next.After(now) && !m.dealt.After(now) {
		return next
	}
	m.dealt, m.undealt, m.stirred = now, false, true
	var queue []rank
	taken := 0 // by tasks that have their turn, and haven't spent it yet
	for _, t := range m.tasks {
		switch {
		case t.turn:
			taken++
		case t.queued && !t.busy:
			queue = append(queue, t.rank(now))
		}
	}
	m.queued = len(queue)
	slices.SortFunc(queue, rank.compare)
	slots := m.slots(now, taken+len(queue))
	for i, r := range queue {
		r.task.turnAt = slots[taken+i]
		r.task.due = r.task.turnAt
	}
	return time.Time{}
}

// slots says when the next n orders may be placed, at any issuer.
func (m *Manager) slots(now time.Time, n int) []time.Time {
	var all []time.Time
	for _, iss := range m.issuers {
		if iss.limits.orders.known() {
			all = append(all, iss.spent.slots(iss.limits.orders, now, n)...)
		}
	}
	if len(all) == 0 {
		return slices.Repeat([]time.Time{now}, n)
	}
	slices.SortFunc(all, time.Time.Compare)
	return all[:n]
}

// turnText says what a task in the queue waits for. The lock is held.
func (m *Manager) turnText(t *task) string {
	var allowed []string
	for _, iss := range m.issuers {
		if l := iss.limits.orders; l.known() {
			allowed = append(allowed, fmt.Sprintf("%s allows %d orders per %s", iss.name, l.Count, span(l.Per)))
		}
	}
	return fmt.Sprintf("its turn comes about %s: %s", minute(t.turnAt), strings.Join(allowed, ", "))
}
