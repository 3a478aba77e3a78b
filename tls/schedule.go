package tls

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

const (
	maxActive = 32              // steps that begin side by side
	maxFlying = 2048            // steps at all
	slotHold  = 1 * time.Second // then a step gives its slot away: it only waits
	maxSleep  = 5 * time.Minute // so that a clock that jumps is noticed
)

// Run keeps the certificates until ctx ends. Listeners should be open before,
// since CAs ask them. It returns nil, once the orders under way are given up.
func (m *Manager) Run(ctx context.Context) error {
	if !m.running.CompareAndSwap(false, true) {
		return errors.New("the certificate manager is running already")
	}
	defer m.running.Store(false)
	ctx, cancel := context.WithCancel(ctx)
	var steps sync.WaitGroup
	defer steps.Wait()
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		next := m.launch(ctx, &steps)
		timer.Reset(min(max(next.Sub(m.now()), 0), maxSleep))
		m.rotateTickets()
		select {
		case <-ctx.Done():
			return nil
		case <-m.wake:
		case <-timer.C:
		}
	}
}

// launch starts what is due, the most urgent first, as far as there are slots,
// and gives the time when more will be.
func (m *Manager) launch(ctx context.Context, steps *sync.WaitGroup) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	next := now.Add(maxSleep)
	var due []*task
	for _, t := range m.tasks {
		switch {
		case t.busy || t.problem != nil:
		case !t.due.After(now):
			due = append(due, t)
		case t.due.Before(next):
			next = t.due
		}
	}
	free := min(maxActive-m.active, maxFlying-m.flying) // a freed slot nudges
	for _, t := range mostUrgent(due, free) {
		m.start(ctx, t, steps)
	}
	return next
}

// mostUrgent gives the n first by urgency. Nearly always n is small, or all
// are taken: sorting ten thousand for each one that starts would cost more.
func mostUrgent(due []*task, n int) []*task {
	for i := 0; i < n && i < len(due); i++ {
		first := i
		for j := i + 1; j < len(due); j++ {
			if urgency(due[j], due[first]) < 0 {
				first = j
			}
		}
		due[i], due[first] = due[first], due[i]
	}
	return due[:max(0, min(n, len(due)))]
}

// urgency sorts what was never tried in vain before what was, then what is
// nearest to lapsing; without a certificate a name has lapsed already.
func urgency(a, b *task) int {
	if n := min(a.record.Attempts, 5) - min(b.record.Attempts, 5); n != 0 {
		return n
	}
	if n := a.expiry().Compare(b.expiry()); n != 0 {
		return n
	}
	return strings.Compare(a.id, b.id)
}

func (t *task) expiry() time.Time {
	if c := t.slot.cert.Load(); c != nil {
		return c.notAfter
	}
	return time.Time{}
}

// start runs one step of t. A step that lasts gives its slot to the next: it
// only waits for others, and a thousand that hang shall not hold up one that
// would not.
func (m *Manager) start(ctx context.Context, t *task, steps *sync.WaitGroup) {
	ctx, cancel := context.WithCancel(ctx)
	t.busy, t.again, t.cancel = true, false, cancel
	m.active++
	m.flying++
	release := sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.active--
		m.nudge()
	})
	hold := time.AfterFunc(slotHold, release)
	steps.Go(func() {
		defer cancel()
		m.step(ctx, t)
		hold.Stop()
		release()
		m.mu.Lock()
		defer m.mu.Unlock()
		m.flying--
		t.busy, t.cancel = false, nil
		if t.again {
			t.due = time.Time{}
		}
		m.nudge()
	})
}
