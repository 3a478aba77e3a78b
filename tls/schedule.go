package tls

import (
	"context"
	"errors"
	"slices"
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
	m.readAll(ctx)
	m.work(ctx)
	return nil
}

// readAll reads the store, unless Reload has done so. What can't be read now,
// the steps read one by one.
func (m *Manager) readAll(ctx context.Context) {
	select {
	case <-m.loaded:
		return
	default:
	}
	if err := m.Reload(ctx); err != nil && ctx.Err() == nil {
		m.log.Error("certificates: not all in the state could be read", "error", err)
	}
	m.allRead.Do(func() { close(m.loaded) })
}

// work runs steps until ctx ends or the errand, if there is one, is over.
func (m *Manager) work(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var steps sync.WaitGroup
	defer steps.Wait()
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	tidyAt, ticketsAt := m.now().Add(tidyFirst), m.now()
	for {
		next, over := m.launch(ctx, &steps)
		if over {
			return
		}
		timer.Reset(min(max(next.Sub(m.now()), 0), maxSleep))
		if m.errand == nil && !m.now().Before(ticketsAt) {
			ticketsAt = m.now().Add(ticketsEvery)
			steps.Go(func() { m.turnTickets(ctx, true) })
		}
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
	again := m.deal(now)
	if m.stirred || !m.next.After(now) {
		m.survey(now)
	}
	free := min(maxActive-m.active, maxFlying-m.flying) // a freed slot nudges
	for free > 0 && len(m.due) > 0 {
		t := m.due[0].task
		m.due = m.due[1:]
		if !t.busy && !t.due.After(now) && m.tasks[t.id] == t {
			m.start(ctx, t, steps)
			free--
		}
	}
	next = m.next
	if !again.IsZero() && again.Before(next) {
		next = again
	}
	return next, m.errand.over()
}

// survey lists what is due, the most urgent first, and says when to look again.
// Between surveys only what is listed is started: looking at ten thousand for
// each that ends would cost more. The lock is held.
func (m *Manager) survey(now time.Time) {
	m.stirred, m.next = false, now.Add(maxSleep)
	m.due = m.due[:0]
	for _, t := range m.tasks {
		switch {
		case t.busy || t.problem != nil || !m.errand.wants(t):
		case !t.due.After(now):
			m.due = append(m.due, t.rank(now))
		case t.due.Before(m.next):
			m.next = t.due
		}
	}
	slices.SortFunc(m.due, rank.compare)
}

func (t *task) expiry() time.Time {
	if c := t.cert.Load(); c != nil {
		return c.notAfter()
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
	if t.due.Before(m.next) {
		m.next = t.due
	}
}
