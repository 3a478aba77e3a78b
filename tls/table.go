package tls

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unique"
)

// table is what handshakes read: from each name in use to the slot of the
// certificate that shall cover it. The map is never changed once published.
type table map[string]*slot

// slot holds one certificate. A renewal swaps it, whatever handshakes do.
type slot struct {
	task *task
	cert atomic.Pointer[served]
	read atomic.Bool // the store was asked
}

// put has c served unless a later generation is, and reports whether it is.
func (s *slot) put(c *served) bool {
	for {
		old := s.cert.Load()
		if old != nil && old.number >= c.number {
			return false
		}
		if s.cert.CompareAndSwap(old, c) {
			return true
		}
	}
}

// served is a certificate in use. It is kept small (no parsed forms until the
// first handshake), since there may be ten thousand.
type served struct {
	number    int      // generation
	issuerKey string   // of the CA
	leaf, key []byte   // key as compactKey has it
	above     [][]byte // the rest of the chain

	names               []string
	issuer, serial      string
	notBefore, notAfter time.Time

	ready atomic.Pointer[tls.Certificate]
}

// served takes a verified generation, for a task that wants names.
func (m *Manager) served(g *generation, names []string) *served {
	if !slices.Equal(names, g.leaf.DNSNames) {
		names = g.leaf.DNSNames
	}
	der, n := m.shared.pack(g.chain[0], compactKey(g.key)), len(g.chain[0])
	issuer := g.leaf.Issuer.CommonName
	if issuer == "" {
		issuer = g.leaf.Issuer.String()
	}
	return &served{
		number: g.number, issuerKey: unique.Make(g.meta.Issuer).Value(), leaf: der[:n:n], key: der[n:], above: m.above(g.chain[1:]),
		names: names, issuer: unique.Make(issuer).Value(), serial: fmt.Sprintf("%x", g.leaf.SerialNumber),
		notBefore: g.leaf.NotBefore, notAfter: g.leaf.NotAfter,
	}
}

// above keeps the rest of a chain.
func (m *Manager) above(chain [][]byte) [][]byte {
	rest := make([][]byte, len(chain))
	for i, der := range chain {
		rest[i] = m.shared.one(der)
	}
	return rest
}

// chain gives the whole chain, leaf first.
func (s *served) chain() [][]byte {
	return append([][]byte{s.leaf}, s.above...)
}

// certificate gives the form that crypto/tls wants, made at first use.
func (s *served) certificate() (*tls.Certificate, error) {
	if c := s.ready.Load(); c != nil {
		return c, nil
	}
	key, err := expandKey(s.key)
	if err != nil {
		return nil, err
	}
	c := &tls.Certificate{Certificate: s.chain(), PrivateKey: key}
	s.ready.Store(c)
	return c, nil
}

// lookup gives the certificate that covers host, or nil. A wildcard covers one
// label (RFC 9525, section 6.3).
func (t table) lookup(host string) *served {
	for _, s := range t.slots(host) {
		if s == nil {
			continue
		}
		if c := s.cert.Load(); c != nil && covers(c.names, host) {
			return c
		}
	}
	return nil
}

// slots gives those that may hold a certificate for host: its own, and that of
// the wildcard above; nil where there is none.
func (t table) slots(host string) [2]*slot {
	_, parent, ok := strings.Cut(host, ".")
	if !ok {
		return [2]*slot{t[host]}
	}
	return [2]*slot{t[host], t["*."+parent]}
}

// knows reports whether host is a name in use, certificate or not.
func (t table) knows(host string) bool {
	return t.slots(host) != [2]*slot{}
}

// covers reports whether one of a certificate's names covers name, which may
// be a wildcard itself.
func covers(names []string, name string) bool {
	_, parent, _ := strings.Cut(name, ".")
	for _, n := range names {
		n = strings.ToLower(n)
		if n == name {
			return true
		}
		if p, ok := strings.CutPrefix(n, "*."); ok && p == parent && !strings.HasPrefix(name, "*.") {
			return true
		}
	}
	return false
}
