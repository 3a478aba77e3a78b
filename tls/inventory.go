package tls

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"domherre/tls/internalca"
)

// Inventory gives an entry for each certificate that is kept, sorted by
// domain. A domain with too many names for one certificate has several.
func (m *Manager) Inventory() []Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Entry, 0, len(m.tasks))
	for _, t := range m.tasks {
		all = append(all, m.entry(t))
	}
	slices.SortFunc(all, compareEntries)
	return all
}

func compareEntries(a, b Entry) int {
	return cmp.Or(strings.Compare(a.Domain, b.Domain), slices.Compare(a.Names, b.Names))
}

// entry describes t. The lock is held.
func (m *Manager) entry(t *task) Entry {
	e := Entry{
		Domain: t.domain, Names: slices.Clone(t.names), Waiting: t.waiting,
		LastError: t.record.LastError, Attempts: t.record.Attempts + t.outages,
	}
	if t.problem != nil {
		e.LastError = shown(t.domain) + ": " + t.problem.Error()
		return e
	}
	if t.queued {
		e.Waiting = m.turnText(t)
	}
	e.Barred = e.Waiting != "" && e.Waiting == t.barred
	if j := m.jobOf(t); m.needed(j) {
		e.Due = reason(j)
	}
	if e.Attempts > 0 || e.Waiting != "" {
		e.NextTry = t.due
	}
	c := t.cert.Load()
	if c == nil {
		return e
	}
	e.Names, e.Issuer, e.Serial, e.Internal = slices.Clone(c.names), c.issuer, c.serial(), c.issuerKey == internalca.Key
	e.NotBefore, e.NotAfter = c.notBefore(), c.notAfter()
	e.RenewAt, e.ARI = m.renewAt(c, t.record.ARI)
	return e
}

// tell hands the entry of t to Options.Changed.
func (m *Manager) tell(t *task) {
	if m.o.Changed == nil {
		return
	}
	m.mu.Lock()
	e := m.entry(t)
	m.mu.Unlock()
	m.o.Changed(e)
}

// BrowserTrusted reports whether host (A-labels) is served with a certificate
// that is valid now and isn't from the internal CA.
func (m *Manager) BrowserTrusted(host string) bool {
	c := m.table.Load().lookup(strings.ToLower(host))
	if c == nil || c.issuerKey == internalca.Key {
		return false
	}
	now := m.now()
	return !now.Before(c.notBefore()) && now.Before(c.notAfter())
}

// InternalRoots gives the internal CA's root as PEM, for clients to trust. It
// makes the CA if there is none yet.
func (m *Manager) InternalRoots() ([]byte, error) {
	for _, iss := range m.issuers {
		if iss.internal != nil {
			ctx, cancel := context.WithTimeout(context.Background(), saveTimeout)
			defer cancel()
			return iss.internal.Roots(ctx)
		}
	}
	return nil, errors.New("tls.issuers has no internal CA")
}
