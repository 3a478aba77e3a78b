package tls

import (
	"crypto/tls"
	"encoding/hex"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// served is a certificate in use. It is kept small (no parsed forms until the
// first handshake), since there may be ten thousand.
type served struct {
	*source
	number int    // generation
	packed []byte // leaf, key as compactKey has it, serial number
	names  []string

	leafEnd, keyEnd uint32 // in packed
	from, until     int64  // seconds since 1970

	ready atomic.Pointer[tls.Certificate]
}

// source is what certificates of one CA have in common.
type source struct {
	issuerKey string // of the CA
	issuer    string // its certificate's name
	above     [][]byte
}

// served takes a verified generation, for a task that wants names.
func (m *Manager) served(g *generation, names []string) *served {
	if !slices.Equal(names, g.leaf.DNSNames) {
		names = g.leaf.DNSNames
	}
	issuer := g.leaf.Issuer.CommonName
	if issuer == "" {
		issuer = g.leaf.Issuer.String()
	}
	leaf, key := g.chain[0], compactKey(g.key)
	s := m.shared.newServed()
	s.source, s.number, s.names = m.shared.source(g.meta.Issuer, issuer, g.chain[1:]), g.number, names
	s.packed = m.shared.pack(leaf, key, g.leaf.SerialNumber.Bytes())
	s.leafEnd, s.keyEnd = uint32(len(leaf)), uint32(len(leaf)+len(key))
	s.from, s.until = g.leaf.NotBefore.Unix(), g.leaf.NotAfter.Unix()
	return s
}

func (s *served) leaf() []byte { return s.packed[:s.leafEnd:s.leafEnd] }
func (s *served) key() []byte  { return s.packed[s.leafEnd:s.keyEnd:s.keyEnd] }

// serial is hexadecimal.
func (s *served) serial() string {
	return strings.TrimPrefix(hex.EncodeToString(s.packed[s.keyEnd:]), "0")
}

func (s *served) notBefore() time.Time { return time.Unix(s.from, 0).UTC() }
func (s *served) notAfter() time.Time  { return time.Unix(s.until, 0).UTC() }

// chain gives the whole chain, leaf first.
func (s *served) chain() [][]byte {
	return append([][]byte{s.leaf()}, s.above...)
}

// certificate gives the form that crypto/tls wants, made at first use.
func (s *served) certificate() (*tls.Certificate, error) {
	if c := s.ready.Load(); c != nil {
		return c, nil
	}
	key, err := expandKey(s.key())
	if err != nil {
		return nil, err
	}
	c := &tls.Certificate{Certificate: s.chain(), PrivateKey: key}
	s.ready.Store(c)
	return c, nil
}
