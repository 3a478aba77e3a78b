package tls

import (
	"crypto/tls"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// table is what handshakes read: from each name in use to the slot of the
// certificate that shall cover it. The map is never changed once published.
type table map[string]*slot

// slot holds one certificate. A renewal swaps it, whatever handshakes do.
type slot struct {
	cert atomic.Pointer[served]
}

// served is a certificate in use. It is kept small (no parsed forms until the
// first handshake), since there may be ten thousand.
type served struct {
	number    int    // generation
	issuerKey string // of the CA
	chain     [][]byte
	key       []byte

	names               []string
	issuer, serial      string
	notBefore, notAfter time.Time

	ready atomic.Pointer[tls.Certificate]
}

// newServed takes a verified generation.
func newServed(g *generation) *served {
	issuer := g.leaf.Issuer.CommonName
	if issuer == "" {
		issuer = g.leaf.Issuer.String()
	}
	return &served{
		number: g.number, issuerKey: g.meta.Issuer, chain: g.chain, key: g.key,
		names: g.leaf.DNSNames, issuer: issuer, serial: fmt.Sprintf("%x", g.leaf.SerialNumber),
		notBefore: g.leaf.NotBefore, notAfter: g.leaf.NotAfter,
	}
}

// certificate gives the form that crypto/tls wants, made at first use.
func (s *served) certificate() (*tls.Certificate, error) {
	if c := s.ready.Load(); c != nil {
		return c, nil
	}
	key, err := parseKey(s.key)
	if err != nil {
		return nil, err
	}
	c := &tls.Certificate{Certificate: s.chain, PrivateKey: key}
	s.ready.Store(c)
	return c, nil
}

// lookup gives the certificate that covers host, or nil. A wildcard covers one
// label (RFC 9525, section 6.3).
func (t table) lookup(host string) *served {
	if s := t[host]; s != nil {
		if c := s.cert.Load(); c != nil && covers(c.names, host) {
			return c
		}
	}
	_, parent, ok := strings.Cut(host, ".")
	if !ok {
		return nil
	}
	if s := t["*."+parent]; s != nil {
		if c := s.cert.Load(); c != nil && covers(c.names, host) {
			return c
		}
	}
	return nil
}

// knows reports whether host is a name in use, certificate or not.
func (t table) knows(host string) bool {
	if t[host] != nil {
		return true
	}
	_, parent, ok := strings.Cut(host, ".")
	return ok && t["*."+parent] != nil
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
