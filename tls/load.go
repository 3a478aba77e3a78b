package tls

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"sync"

	"golang.org/x/sync/errgroup"
)

// parallelLoads bounds how many certificates are read from the store at once.
const parallelLoads = 16

// Reload reads from the store what isn't known yet: everything at start, so
// that all that was ever issued is served before the first connection, and
// later what other processes have issued. It returns once all that can be read
// is served; the error names what couldn't.
func (m *Manager) Reload(ctx context.Context) error {
	newest, err := m.stored(ctx)
	if err != nil {
		return err
	}
	defer m.nudge()
	var group errgroup.Group // without a context: one that fails stops no other
	group.SetLimit(parallelLoads)
	var mu sync.Mutex
	var errs []error
	for t, loaded := range m.snapshot() {
		if loaded && newest[t.id] <= t.slot.number() {
			continue
		}
		group.Go(func() error {
			err := m.load(ctx, t)
			if err == nil {
				m.update(t, func() { t.due = t.record.NextTry })
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, fmt.Errorf("%s: %w", shown(t.domain), err))
			return nil
		})
	}
	return errors.Join(group.Wait(), errors.Join(errs...))
}

// stored lists the newest generation of each folder in the store.
func (m *Manager) stored(ctx context.Context) (map[string]int, error) {
	keys, err := m.list(ctx)
	if err != nil {
		return nil, err
	}
	newest := map[string]int{}
	for _, k := range keys {
		if id, n, ok := generationOf(k); ok {
			newest[id] = max(newest[id], n)
		}
	}
	return newest, nil
}

// list gives all keys below StoragePrefix.
func (m *Manager) list(ctx context.Context) ([]string, error) {
	keys, err := m.o.Storage.List(ctx, StoragePrefix, true)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing the certificates in the state: %w", err)
	}
	return keys, nil
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

// load reads a task's newest whole generation and its record. A certificate
// that is served already is only ever replaced by a later generation.
func (m *Manager) load(ctx context.Context, t *task) error {
	g, err := m.shelf.newest(ctx, t.id, func(key string, err error) {
		m.log.Error("a certificate in the state is damaged: using the one before, or ordering anew",
			"domain", shown(t.domain), "key", key, "error", err)
	})
	if err != nil {
		return err
	}
	r, err := m.shelf.load(ctx, t.id, m.now())
	if err != nil {
		return err
	}
	newer := g != nil && g.number > t.slot.number()
	renewed := newer && t.slot.number() > 0
	if newer {
		t.slot.cert.Store(newServed(g))
	}
	m.update(t, func() {
		renewed = renewed && !t.busy // else a step of ours has just stored it, or tells by itself
		t.loaded, t.record = true, r
	})
	if renewed {
		m.log.Info("certificate renewed by another process", "domain", shown(t.domain))
		m.tell(t)
	}
	return nil
}

// number gives the generation in the slot, 0 if it is empty.
func (s *slot) number() int {
	if c := s.cert.Load(); c != nil {
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
