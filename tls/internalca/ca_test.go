package internalca

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
)

func testCA(store certmagic.Storage, now func() time.Time) *CA {
	return New(store, slog.New(slog.DiscardHandler), now)
}

func issue(t *testing.T, c *CA, names ...string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: names}, key)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := c.Issue(t.Context(), csr)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(issued.Certificate)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func pool(t *testing.T, c *CA) *x509.CertPool {
	t.Helper()
	roots, err := c.Roots(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(roots) {
		t.Fatal("no root in the PEM")
	}
	return p
}

// Processes that start at once agree on one root.
func TestOneRoot(t *testing.T) {
	t.Parallel()
	store := &certmagic.FileStorage{Path: t.TempDir()}
	var all sync.WaitGroup
	roots := make([]string, 4)
	for i := range roots {
		all.Go(func() {
			pem, err := testCA(store, time.Now).Roots(t.Context())
			if err != nil {
				t.Error(err)
			}
			roots[i] = string(pem)
		})
	}
	all.Wait()
	for _, r := range roots {
		if r == "" || r != roots[0] {
			t.Error("the roots differ")
		}
	}
	leaf := issue(t, testCA(store, time.Now), "kopasex.se", "*.kopasex.se")
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool(t, testCA(store, time.Now)), DNSName: "www.kopasex.se"}); err != nil {
		t.Error(err)
	}
}

// A root that is damaged, or ends before what it would sign, is replaced.
func TestRootIsReplaced(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*testing.T, certmagic.Storage) func() time.Time{
		"empty":   func(t *testing.T, s certmagic.Storage) func() time.Time { put(t, s, nil); return time.Now },
		"not PEM": func(t *testing.T, s certmagic.Storage) func() time.Time { put(t, s, []byte("x")); return time.Now },
		"half":    func(t *testing.T, s certmagic.Storage) func() time.Time { put(t, s, get(t, s)[:200]); return time.Now },
		"two halves": func(t *testing.T, s certmagic.Storage) func() time.Time {
			put(t, s, mixed(t, get(t, s)))
			return time.Now
		},
		"ending soon": func(*testing.T, certmagic.Storage) func() time.Time {
			return func() time.Time { return time.Now().AddDate(10, 0, -20) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &certmagic.FileStorage{Path: t.TempDir()}
			before := pool(t, testCA(store, time.Now))
			c := testCA(store, spoil(t, store))
			if pool(t, c).Equal(before) {
				t.Fatal("the old root is still in use")
			}
			issue(t, c, "kopasex.se")
		})
	}
}

func get(t *testing.T, s certmagic.Storage) []byte {
	t.Helper()
	v, err := s.Load(t.Context(), storeKey)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func put(t *testing.T, s certmagic.Storage, value []byte) {
	t.Helper()
	if err := s.Store(t.Context(), storeKey, value); err != nil {
		t.Fatal(err)
	}
}

// mixed puts the certificate behind another root's key.
func mixed(t *testing.T, value []byte) []byte {
	t.Helper()
	other, err := makeRoot(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, _ := pem.Decode(other)
	_, cert := pem.Decode(value)
	return append(pem.EncodeToMemory(key), cert...)
}

func FuzzParse(f *testing.F) {
	value, err := makeRoot(time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(value)
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, value []byte) {
		if r, err := parse(value); err == nil && (r.cert == nil || r.key == nil) {
			t.Error("half a root")
		}
	})
}
