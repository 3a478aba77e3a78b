package tls

import (
	"context"
	"time"
)

const (
	abandonedFor = 30 * 24 * time.Hour // after its end, a certificate that nobody keeps is removed
	tidyEvery    = 24 * time.Hour
	tidyFirst    = time.Hour // after Run began
)

// tidy removes from the store what nobody keeps any more: certificates of
// domains that aren't managed and ended a grace period ago, whoever left them
// (another portfolio on the store renews its own), and what is remembered of
// names that were last tried as long ago. With a clock that no CA confirms it
// removes nothing.
func (m *Manager) tidy(ctx context.Context) {
	if !m.clockConfirmed(ctx) {
		return
	}
	folders, err := m.shelf.folders(ctx)
	if err != nil {
		m.log.Warn("certificates: looking for what nobody keeps", "error", err)
		return
	}
	for id, there := range folders {
		if m.manages(id) || !m.abandoned(ctx, id, there) {
			continue
		}
		if err := m.remove(ctx, id, there.keys); err != nil {
			m.log.Warn("certificates: removing what nobody keeps", "domain", shown(id), "error", err)
			continue
		}
		m.log.Info("removed what was left of a domain that nobody keeps", "domain", shown(id))
	}
}

func (m *Manager) clockConfirmed(ctx context.Context) bool {
	for _, iss := range m.issuers {
		if iss.ca.Check(ctx) == nil {
			return true
		}
	}
	return false
}

func (m *Manager) manages(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tasks[id] != nil
}

// abandoned reports whether id has neither had a valid certificate nor been
// tried for so long that nobody can want it. What can't be read isn't.
func (m *Manager) abandoned(ctx context.Context, id string, there folder) bool {
	g, err := m.shelf.newest(ctx, id, there.numbers, func(string, error) {})
	if err != nil {
		return false
	}
	r, err := m.shelf.load(ctx, id, m.now())
	if err != nil {
		return false
	}
	last := r.LastTried
	if g != nil {
		last = maxTime(last, g.leaf.NotAfter)
	}
	return !last.IsZero() && m.now().Sub(last) > abandonedFor
}

func (m *Manager) remove(ctx context.Context, id string, keys []string) error {
	ctx, unlock, ok, err := m.lock(ctx, "certificate_"+id)
	if err != nil || !ok {
		return err
	}
	defer unlock()
	for _, k := range keys {
		if err := m.o.Storage.Delete(ctx, k); err != nil {
			return err
		}
	}
	return nil
}
