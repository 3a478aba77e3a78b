package tls

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"golang.org/x/sync/errgroup"
)

// parallelLoads bounds how many certificates are read from the store at once.
// What reading leaves behind lies between what stays: with more at once, more
// memory is held for it.
const parallelLoads = 4

// Reload reads from the store what isn't known yet: everything at start, and
// later what other processes have issued. It returns once all that can be read
// is served; the error names what couldn't. A handshake that comes before reads
// its own certificate by itself.
func (m *Manager) Reload(ctx context.Context) error {
	defer m.nudge()
	m.RotateTickets(ctx)
	folders, err := m.shelf.folders(ctx)
	if err != nil {
		return err
	}
	var group errgroup.Group // without a context: one that fails stops no other
	group.SetLimit(parallelLoads)
	var mu sync.Mutex
	var errs []error
	for t, loaded := range m.snapshot() {
		there := folders[t.id]
		if loaded && there.newest() <= t.number() && first(there.revoked) < t.number() {
			continue
		}
		group.Go(func() error {
			err := m.load(ctx, t, &there)
			if err == nil {
				m.schedule(t)
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, fmt.Errorf("%s: %w", shown(t.domain), err))
			return nil
		})
	}
	err = errors.Join(group.Wait(), errors.Join(errs...))
	if err == nil {
		m.allRead.Do(func() { close(m.loaded) })
	}
	return err
}

// Loaded is closed once Reload has read everything for the first time.
func (m *Manager) Loaded() <-chan struct{} { return m.loaded }

// schedule says when a task that was just read is to be looked at.
func (m *Manager) schedule(t *task) {
	j := m.job(t)
	needed := m.needed(j)
	if !needed {
		m.settle(j)
	}
	m.update(t, func() {
		m.stirred = true
		if needed {
			t.due = t.record.NextTry
		}
	})
}

// snapshot gives the tasks, and which of them were read from the store.
func (m *Manager) snapshot() map[*task]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[*task]bool, len(m.tasks))
	for _, t := range m.tasks {
		if t.problem == nil {
			all[t] = t.loaded
		}
	}
	return all
}

// load reads a task's newest whole generation and its record; there is what the
// store holds, nil to look. A certificate that is served already is only ever
// replaced by a later generation.
func (m *Manager) load(ctx context.Context, t *task, there *folder) error {
	if there == nil {
		f, err := m.shelf.folder(ctx, t.id)
		if err != nil {
			return err
		}
		there = &f
	}
	g, err := m.shelf.newest(ctx, t.id, there.numbers, func(key string, err error) {
		m.log.Error("a certificate in the state is damaged: using the one before, or ordering anew",
			"domain", shown(t.domain), "key", key, "error", err)
	})
	if err != nil {
		return err
	}
	var r record
	if there.record {
		if r, err = m.shelf.load(ctx, t.id, m.now()); err != nil {
			return err
		}
		r.ARI = m.shared.wish(r.ARI)
	}
	before := t.number()
	renewed := g != nil && t.put(m.served(g, m.job(t).names)) && before > 0
	t.read.Store(true)
	m.update(t, func() {
		renewed = renewed && !t.busy // else a step of ours has just stored it, or tells by itself
		t.replace = max(t.replace, first(there.revoked))
		t.loaded, t.record = true, r
	})
	if renewed {
		m.log.Info("certificate renewed by another process", "domain", shown(t.domain))
		m.tell(t)
	}
	return nil
}

// number gives the generation that is served, 0 for none.
func (t *task) number() int {
	if c := t.cert.Load(); c != nil {
		return c.number
	}
	return 0
}

// clone copies the record so deep that neither side sees the other's changes.
func (r record) clone() record {
	r.Limited = maps.Clone(r.Limited)
	r.Failed = maps.Clone(r.Failed) // its slices are replaced, never changed
	return r
}
