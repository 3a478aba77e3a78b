package tls

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"math/big"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"

	"domherre/tls/acmeca"
)

// memory is a store in memory.
type memory struct {
	mu    sync.Mutex
	data  map[string]map[string][]byte // by folder and key
	locks map[string]bool
}

func newMemory() *memory {
	return &memory{data: map[string]map[string][]byte{}, locks: map[string]bool{}}
}

func (s *memory) TryLock(_ context.Context, name string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locks[name] {
		return false, nil
	}
	s.locks[name] = true
	return true, nil
}

func (s *memory) Lock(ctx context.Context, name string) error {
	for {
		if ok, _ := s.TryLock(ctx, name); ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (s *memory) Unlock(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.locks, name)
	return nil
}

func (s *memory) Store(_ context.Context, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data[path.Dir(key)] == nil {
		s.data[path.Dir(key)] = map[string][]byte{}
	}
	s.data[path.Dir(key)][key] = value
	return nil
}

func (s *memory) Load(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.data[path.Dir(key)][key]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return v, nil
}

func (s *memory) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.data[path.Dir(key)], key)
	return nil
}

func (s *memory) Exists(_ context.Context, key string) bool {
	_, err := s.Load(context.Background(), key)
	return err == nil
}

func (s *memory) List(_ context.Context, prefix string, recursive bool) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := slices.Collect(maps.Keys(s.data[prefix]))
	for folder, below := range s.data {
		if recursive && strings.HasPrefix(folder, prefix+"/") {
			keys = slices.AppendSeq(keys, maps.Keys(below))
		}
	}
	return keys, nil
}

func (s *memory) Stat(context.Context, string) (certmagic.KeyInfo, error) {
	return certmagic.KeyInfo{}, errors.ErrUnsupported
}

// fakeCA issues in no time, with the lifetime that life gives, unless down.
type fakeCA struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	life func(name string) time.Duration
	ari  func(leaf *x509.Certificate) (start, end time.Time)

	askAgain time.Duration // Retry-After of the renewal information
	slow     time.Duration // to issue
	above    []byte        // PEM, handed out behind the certificate
	bulk     int           // octets that certificates have more than names and keys

	mu       sync.Mutex
	down     bool
	refuse   error // instead of issuing
	orders   []time.Time
	replaced int
	serial   int64
}

func newFakeCA(t testing.TB) *fakeCA {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		Subject: pkix.Name{CommonName: "fake"}, NotBefore: time.Now(), NotAfter: time.Now().AddDate(20, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeCA{key: key, cert: cert, life: func(string) time.Duration { return 90 * 24 * time.Hour }, askAgain: 24 * time.Hour}
}

func (f *fakeCA) set(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

func (f *fakeCA) placed() int { return len(f.times()) }

// times says when each order was placed.
func (f *fakeCA) times() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.orders)
}

func (f *fakeCA) Check(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return &acmeca.Failure{Kind: acmeca.Unreachable, Step: "asking", Err: errors.New("connection refused")}
	}
	return nil
}

func (f *fakeCA) Replace(_ context.Context, csr *x509.CertificateRequest, old *x509.Certificate) (*certmagic.IssuedCertificate, error) {
	time.Sleep(f.slow)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders = append(f.orders, time.Now())
	if f.refuse != nil {
		return nil, f.refuse
	}
	if old != nil {
		f.replaced++
	}
	f.serial++
	leaf := &x509.Certificate{SerialNumber: big.NewInt(f.serial + 1), DNSNames: csr.DNSNames,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(f.life(csr.DNSNames[0]))}
	if f.bulk > 0 {
		bulk := make([]byte, f.bulk)
		if _, err := rand.Read(bulk); err != nil {
			return nil, err
		}
		leaf.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 9999}, Value: bulk}}
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, f.cert, csr.PublicKey, f.key)
	if err != nil {
		return nil, err
	}
	return &certmagic.IssuedCertificate{Certificate: append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), f.above...)}, nil
}

func (f *fakeCA) RenewalInfo(_ context.Context, leaf *x509.Certificate) (acme.RenewalInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return acme.RenewalInfo{}, errors.New("connection refused")
	}
	if f.ari == nil {
		return acme.RenewalInfo{}, acme.ErrUnsupported
	}
	var info acme.RenewalInfo
	info.SuggestedWindow.Start, info.SuggestedWindow.End = f.ari(leaf)
	again := time.Now().Add(f.askAgain)
	info.RetryAfter = &again
	info.SelectedTime = info.SuggestedWindow.Start.Add(info.SuggestedWindow.End.Sub(info.SuggestedWindow.Start) / 2)
	return info, nil
}

// over makes a Manager whose only issuer is f.
func (f *fakeCA) over(t testing.TB, store certmagic.Storage, public bool) *Manager {
	t.Helper()
	m, err := New(Options{Storage: store, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	m.issuers = []*issuer{{key: "fake", name: "fake CA", public: public, dns01: true, patience: time.Hour, ca: f}}
	return m
}
