package tls

import (
	"context"
	"errors"
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
	m.work(ctx)
	return nil
}

// work runs steps until ctx ends or the errand, if there is one, is over.
func (m *Manager) work(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var steps sync.WaitGroup
	defer steps.Wait()
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	tidyAt := m.now().Add(tidyFirst)
	for {
		next, over := m.launch(ctx, &steps)
		if over {
			return
		}
		timer.Reset(min(max(next.Sub(m.now()), 0), maxSleep))
		m.rotateTickets()
		if m.errand == nil && !m.now().Before(tidyAt) {
			tidyAt = m.now().Add(tidyEvery)
			steps.Go(func() { m.tidy(ctx) })
		}
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
		case <-timer.C:
		}
	}
}

// launch starts what is due, the most urgent first, as far as there are slots,
// and gives the time when more will be; over is whether an errand has nothing
// left to do.
func (m *Manager) launch(ctx context.Context, steps *sync.WaitGroup) (next time.Time, over bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	next = now.Add(maxSleep)
	if again := m.deal(now); !again.IsZero() {
		next = again
	}
	var due []rank
	for _, t := range m.tasks {
		switch {
		case t.busy || t.problem != nil || !m.errand.wants(t):
		case !t.due.After(now):
			due = append(due, t.rank(now))
		case t.due.Before(next):
			next = t.due
		}
	}
	free := min(maxActive-m.active, maxFlying-m.flying) // a freed slot nudges
	for _, r := range mostUrgent(due, free) {
		m.start(ctx, r.task, steps)
	}
	return next, m.errand.over()
}

// mostUrgent gives the n first by urgency. Nearly always n is small, or all
// are taken: sorting ten thousand for each one that starts would cost more.
func mostUrgent(due []rank, n int) []rank {
	for i := 0; i < n && i < len(due); i++ {
		first := i
		for j := i + 1; j < len(due); j++ {
			if due[j].compare(due[first]) < 0 {
				first = j
			}
		}
		due[i], due[first] = due[first], due[i]
	}
	return due[:max(0, min(n, len(due)))]
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
	m.begin(t, cancel)
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
		m.end(t)
		m.nudge()
	})
}

// begin marks t as worked on. The lock is held.
func (m *Manager) begin(t *task, cancel context.CancelFunc) {
	t.busy, t.again, t.cancel = true, false, cancel
	if t.queued {
		m.queued--
	}
	t.turn = t.queued && !t.turnAt.After(m.now())
	t.queued = false
}

// end is the opposite of begin. A turn that wasn't used goes to the next. The
// lock is held.
func (m *Manager) end(t *task) {
	t.busy, t.cancel = false, nil
	m.undealt = m.undealt || t.turn
	t.turn = false
	if t.again {
		t.due = time.Time{}
	}
}
