package tls

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
)

// Held is one certificate that the Manager serves, with its key. It stays the
// same when a newer one takes its place.
type Held struct {
	task *task
	cert *served
}

// Held gives the certificates that there are, sorted by their ID: of all
// domains, or of one (A-labels).
func (m *Manager) Held(domain string) []Held {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Held
	for _, t := range m.tasks {
		if c := t.cert.Load(); c != nil && (domain == "" || t.domain == domain) {
			all = append(all, Held{t, c})
		}
	}
	slices.SortFunc(all, func(a, b Held) int { return strings.Compare(a.task.id, b.task.id) })
	return all
}

// ID names it among all: the domain, with "~2" and so on behind it where the
// domain's names don't fit on one certificate.
func (h Held) ID() string { return h.task.id }

// Serial is hexadecimal.
func (h Held) Serial() string { return h.cert.serial() }

// Chain gives the certificate and what leads to its root as PEM, leaf first.
func (h Held) Chain() []byte {
	var b bytes.Buffer
	for _, der := range h.cert.chain() {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return b.Bytes()
}

// Key gives the private key as PEM (PKCS #8).
func (h Held) Key() ([]byte, error) {
	key, err := expandKey(h.cert.key())
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
