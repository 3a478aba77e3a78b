package tls

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"

	"domherre/tls/acmeca"
)

// job is what a step knows about its task: a copy, so that nothing is locked
// while it works.
type job struct {
	task    *task
	id      string
	domain  string
	names   []string
	record  record
	current *served
	poked   bool
	unsaved *generation

	replace   int              // the generation that is to be replaced, due or not
	forbidden map[string]error // by issuer key: why CAA forbids it
	siblings  []issued         // for the other parts of the domain
}

// step brings one task forward: read the store, see what is needed, do it, and
// say when to look again.
func (m *Manager) step(ctx context.Context, t *task) {
	if !m.isLoaded(t) {
		if err := m.load(ctx, t, nil); err != nil {
			m.stumble(ctx, t, err)
			return
		}
	}
	j := m.job(t)
	if !m.needed(j) {
		m.refreshWish(ctx, j)
		m.settle(j)
		return
	}
	if m.rests(&j) || m.cutOff(ctx, j) || m.held(ctx, &j) {
		return
	}
	if m.mustQueue(&j) {
		m.enqueue(t)
		return
	}
	m.orderLocked(ctx, j)
}

func (m *Manager) isLoaded(t *task) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return t.loaded
}

func (m *Manager) job(t *task) job {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.jobOf(t)
}

// jobOf is job where the lock is held.
func (m *Manager) jobOf(t *task) job {
	var siblings []issued
	if len(t.names) > 0 && (len(t.id) != len(t.domain) || m.tasks[t.id+"~2"] != nil) {
		for _, o := range m.tasks {
			if o != t && o.domain == t.domain {
				siblings = append(siblings, o.record.Issued...)
			}
		}
	}
	j := job{
		task: t, id: t.id, domain: t.domain, names: t.names, record: t.record.clone(),
		current: t.cert.Load(), poked: t.poked, unsaved: t.unsaved, replace: t.replace, siblings: siblings,
	}
	if j.unsaved != nil && j.unsaved.follows != t.number() {
		j.unsaved = nil // another process has issued one meanwhile
	}
	return j
}

// update changes a task under the lock.
func (m *Manager) update(t *task, change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// rests reports whether the job must rest: its own wait, unless poked, and until
// any issuer may be asked.
func (m *Manager) rests(j *job) bool {
	var until, free time.Time
	if !j.poked {
		until = j.record.NextTry
	}
	var waiting string
	for i, iss := range m.issuers {
		if p, why := m.pause(j, iss); i == 0 || p.Before(free) {
			free, waiting = p, why
		}
	}
	until = maxTime(until, free)
	if !until.After(m.now()) {
		return false
	}
	m.update(j.task, func() {
		j.task.due = until
		if waiting != "" {
			j.task.waiting = waiting
		}
	})
	return true
}

// cutOff reports whether no issuer can be reached. Then nothing is tried, and
// nothing written: such an attempt costs none of what the CAs count.
func (m *Manager) cutOff(ctx context.Context, j job) bool {
	var errs []string
	for _, iss := range m.issuers {
		err := iss.ca.Check(ctx)
		if err == nil {
			return false
		}
		errs = append(errs, iss.name+": "+err.Error())
	}
	if ctx.Err() != nil {
		return true
	}
	text := strings.Join(errs, "; ")
	var first bool
	m.update(j.task, func() {
		t := j.task
		t.outages++
		first = t.outages == 1
		t.record.LastError = shown(t.domain) + ": " + text
		t.due = m.now().Add(waitAfter(acmeca.Unreachable, false, t.outages))
	})
	if first {
		m.log.Warn("no CA can be reached", "domain", shown(j.domain), "error", text)
		m.tell(j.task)
	}
	return true
}

// held asks whether there is evidence that an order would fail, and reports
// whether that holds it back.
func (m *Manager) held(ctx context.Context, j *job) bool {
	err := m.evidence(ctx, j)
	if err == nil || ctx.Err() != nil {
		return false
	}
	m.update(j.task, func() {
		j.task.holds++
		j.task.waiting = err.Error()
		if bar := (*barError)(nil); errors.As(err, &bar) {
			j.task.barred = j.task.waiting
		}
		j.task.due = m.now().Add(jitter(nth(waitsReady, j.task.holds)))
	})
	return true
}

// readyTimeout bounds the search for evidence: can't tell never blocks.
const readyTimeout = 20 * time.Second

// evidence asks Ready, then Permits for each issuer.
func (m *Manager) evidence(ctx context.Context, j *job) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	subject := Subject{Domain: j.domain, Names: slices.Clone(j.names)}
	if m.o.Ready != nil {
		if err := m.o.Ready(ctx, subject); err != nil && ctx.Err() == nil {
			return err
		}
	}
	if m.o.Permits == nil {
		return nil
	}
	var all []error
	j.forbidden = map[string]error{}
	for _, iss := range m.issuers {
		if iss.acme == nil {
			continue
		}
		if err := m.o.Permits(ctx, subject, iss.caaIdentity(ctx)); err != nil && ctx.Err() == nil {
			j.forbidden[iss.key] = err
			all = append(all, err)
		}
	}
	if len(all) < len(m.issuers) {
		return nil
	}
	return &barError{errors.Join(all...)}
}

// barError is evidence that no issuer may issue until somebody changes the
// records.
type barError struct{ error }

// stumble is for when the store can't be read: nothing is known, so nothing is
// ordered.
func (m *Manager) stumble(ctx context.Context, t *task, err error) {
	if ctx.Err() != nil {
		return
	}
	m.update(t, func() {
		t.due = m.now().Add(jitter(stateDelay))
		t.record.LastError = fmt.Sprintf("%s: %v", shown(t.domain), err)
	})
	m.log.Warn("certificate: the state can't be used", "domain", shown(t.domain), "error", err)
}

// orderLocked orders under a lock that all processes on the store share, and
// only if none of them has done so meanwhile.
func (m *Manager) orderLocked(ctx context.Context, j job) {
	ctx, unlock, ok, err := m.lock(ctx, "certificate_"+j.id)
	if err != nil {
		m.stumble(ctx, j.task, fmt.Errorf("locking: %w", err))
		return
	}
	if !ok {
		m.update(j.task, func() {
			j.task.waiting = WaitsForOther
			j.task.due = m.now().Add(jitter(busyDelay))
			j.task.loaded = false // read what that one did
		})
		return
	}
	defer unlock()
	if err := m.load(ctx, j.task, nil); err != nil {
		m.stumble(ctx, j.task, err)
		return
	}
	forbidden := j.forbidden
	j = m.job(j.task)
	j.forbidden = forbidden
	if !m.needed(j) {
		m.settle(j)
		return
	}
	if m.rests(&j) {
		return
	}
	granted, err := m.reserve(ctx, &j)
	switch {
	case err != nil:
		m.stumble(ctx, j.task, err)
	case granted == nil:
		m.enqueue(j.task)
	default:
		m.attempt(ctx, j, granted)
	}
}

// fencer is what a store has beside certmagic's interfaces: under the context
// that it gives, nothing is written once the lock is lost. Who was out of the
// world for a while must not undo what the next holder did.
type fencer interface {
	Fence(ctx context.Context, lock string) context.Context
}

// lock takes a lock of the store if nobody holds it. What the lock is for is
// written under the context that it gives.
func (m *Manager) lock(ctx context.Context, name string) (under context.Context, unlock func(), ok bool, err error) {
	if try, is := m.o.Storage.(certmagic.TryLocker); is {
		if ok, err = try.TryLock(ctx, name); err != nil || !ok {
			return ctx, nil, false, err
		}
	} else {
		short, cancel := context.WithTimeout(ctx, busyDelay)
		defer cancel()
		if err := m.o.Storage.Lock(short, name); err != nil {
			if short.Err() != nil {
				return ctx, nil, false, ctx.Err()
			}
			return ctx, nil, false, err
		}
	}
	return m.fenced(ctx, name), func() {
		if err := m.o.Storage.Unlock(context.WithoutCancel(ctx), name); err != nil {
			m.log.Warn("certificate: unlocking", "lock", name, "error", err)
		}
	}, true, nil
}

func (m *Manager) fenced(ctx context.Context, lock string) context.Context {
	if s, can := m.o.Storage.(fencer); can {
		return s.Fence(ctx, lock)
	}
	return ctx
}
