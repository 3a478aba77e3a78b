// Package internalca is a certificate authority of our own, kept in the store.
// No browser trusts it; it is for laboratories, trials and closed networks.
package internalca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
)

const (
	// Key is the issuer key, which certificates are filed under.
	Key = "internal"

	storeKey = "pki/internal.pem" // the root's key and certificate in one value
	lockName = "internal_ca"

	rootLifetime = 10 * 365 * 24 * time.Hour
	leafLifetime = 30 * 24 * time.Hour
	backdate     = time.Hour // for clocks that are a little behind ours
)

// CA is the internal authority. It is safe for concurrent use, also by several
// processes on one store.
type CA struct {
	storage certmagic.Storage
	log     *slog.Logger
	now     func() time.Time

	mu   sync.Mutex
	root *root
}

// root is a self-signed certificate with its key.
type root struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte // the certificate
}

// Interface guard.
var _ certmagic.Issuer = (*CA)(nil)

// New makes a CA over storage. It does no I/O: the root is read, or made if
// there is none, when it is first needed.
func New(storage certmagic.Storage, log *slog.Logger, now func() time.Time) *CA {
	return &CA{storage: storage, log: log, now: now}
}

// IssuerKey implements certmagic.Issuer.
func (c *CA) IssuerKey() string { return Key }

// Issue signs a certificate for the DNS names and the key of csr, valid for 30
// days. The chain holds the certificate alone: clients hold the root.
func (c *CA) Issue(ctx context.Context, csr *x509.CertificateRequest) (*certmagic.IssuedCertificate, error) {
	r, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("the request is not signed with its own key: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now := c.now()
	leaf := &x509.Certificate{
		SerialNumber: serial,
		DNSNames:     csr.DNSNames,
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(leafLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, r.cert, csr.PublicKey, r.key)
	if err != nil {
		return nil, fmt.Errorf("signing with the internal CA: %w", err)
	}
	return &certmagic.IssuedCertificate{Certificate: encode("CERTIFICATE", der)}, nil
}

// Roots gives the root certificate as PEM, for clients to trust.
func (c *CA) Roots(ctx context.Context) ([]byte, error) {
	r, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(r.pem), nil
}

// load gives the root, from memory, from the store, or made anew.
func (c *CA) load(ctx context.Context) (*root, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.root != nil && c.usable(c.root) {
		return c.root, nil
	}
	r, err := c.read(ctx)
	if err != nil {
		return nil, err
	}
	if r == nil {
		if r, err = c.create(ctx); err != nil {
			return nil, err
		}
	}
	c.root = r
	return r, nil
}

// usable reports whether r outlives what it signs now.
func (c *CA) usable(r *root) bool { return c.now().Add(leafLifetime).Before(r.cert.NotAfter) }

// create makes the root, unless another process does so at the same time.
func (c *CA) create(ctx context.Context) (*root, error) {
	if err := c.storage.Lock(ctx, lockName); err != nil {
		return nil, fmt.Errorf("locking the internal CA: %w", err)
	}
	defer func() {
		if err := c.storage.Unlock(context.WithoutCancel(ctx), lockName); err != nil {
			c.log.Warn("unlocking the internal CA", "error", err)
		}
	}()
	if r, err := c.read(ctx); r != nil || err != nil {
		return r, err
	}
	value, err := makeRoot(c.now())
	if err != nil {
		return nil, fmt.Errorf("making the internal CA: %w", err)
	}
	if err := c.storage.Store(ctx, storeKey, value); err != nil {
		return nil, fmt.Errorf("storing the internal CA: %w", err)
	}
	c.log.Info("made an internal CA: browsers don't trust it", "key", storeKey)
	return parse(value)
}

// read gives nil where the store holds no root that can be used.
func (c *CA) read(ctx context.Context) (*root, error) {
	value, err := c.storage.Load(ctx, storeKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the internal CA from the state: %w", err)
	}
	r, err := parse(value)
	if err != nil {
		c.log.Error("the internal CA in the state is damaged: making another, which clients must be told to trust",
			"key", storeKey, "error", err)
		return nil, nil
	}
	if !c.usable(r) {
		c.log.Warn("the internal CA ends soon: making another, which clients must be told to trust", "not_after", r.cert.NotAfter)
		return nil, nil
	}
	return r, nil
}

func makeRoot(now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"Domherre"}, CommonName: "Domherre internal CA " + now.UTC().Format("2006-01-02")},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(rootLifetime),
		KeyUsage:     x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:         true,
		MaxPathLen:   0, MaxPathLenZero: true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(encode("PRIVATE KEY", secret), encode("CERTIFICATE", der)...), nil
}

// parse reads what makeRoot wrote, and checks that both halves fit.
func parse(value []byte) (*root, error) {
	keyBlock, rest := pem.Decode(value)
	if keyBlock == nil || keyBlock.Type != "PRIVATE KEY" {
		return nil, errors.New("no private key")
	}
	certBlock, _ := pem.Decode(rest)
	if certBlock == nil || certBlock.Type != "CERTIFICATE" {
		return nil, errors.New("no certificate")
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok || !signer.PublicKey.Equal(cert.PublicKey) {
		return nil, errors.New("key and certificate don't match")
	}
	return &root{cert: cert, key: signer, pem: encode("CERTIFICATE", certBlock.Bytes)}, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func newSerial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
}
