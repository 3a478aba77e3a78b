package tls_test

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/core"

	certs "domherre/tls"
)

// A name that the first CA blocks is issued by the second, the others by the
// first.
func TestFallbackForOneName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.pebble(pebbleOptions{blocked: []string{"domain1.example"}}), w.pebble(pebbleOptions{})
	m := newManager(t, w.options(first.issuer("tls-alpn-01"), second.issuer("http-01")))
	w.serve(m)
	m.Manage(portfolio(3))
	renew(t, m, certs.Errand{Patience: 10 * time.Second})
	w.mustServe("domain0.example", first)
	w.mustServe("domain1.example", second)
	w.mustServe("domain2.example", first)
}

// A wildcard goes to the issuer that can prove it; the one before isn't asked.
func TestWildcardTakesTheIssuerThatCan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.pebble(pebbleOptions{}), w.pebble(pebbleOptions{})
	m := newManager(t, w.options(first.issuer("http-01"), second.issuer("dns-01")))
	w.serve(m)
	m.Manage([]certs.Subject{subject("kopasex.se", "@", "*")})
	renew(t, m, certs.Errand{})
	if n := first.orders.Load(); n != 0 {
		t.Errorf("%d orders at the CA that can't be proved a wildcard", n)
	}
}

// Finalizing fails twice, then takes its time: the order comes to its end, or
// another one does.
func TestFinalizeFailsThenLasts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var failures, polls atomic.Int64
	p := w.pebble(pebbleOptions{handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasPrefix(r.URL.Path, "/finalize-order/") && failures.Add(1) <= 2:
				rw.Header().Set("Content-Type", "application/problem+json")
				rw.WriteHeader(http.StatusForbidden)
				rw.Write([]byte(`{"type": "urn:ietf:params:acme:error:unauthorized", "detail": "not now"}`))
			case strings.HasPrefix(r.URL.Path, "/certZ/") && polls.Add(1) <= 2:
				rw.WriteHeader(http.StatusServiceUnavailable)
			default:
				next.ServeHTTP(rw, r)
			}
		})
	}})
	m := newManager(t, w.options(p.issuer("http-01")))
	w.serve(m)
	m.Manage(portfolio(1))
	renew(t, m, certs.Errand{Patience: time.Minute})
	w.mustServe("domain0.example", p)
	if failures.Load() < 3 {
		t.Error("finalizing never failed")
	}
}

// Certificates that live for a minute, and are to be renewed after three
// seconds, are renewed again and again; at no moment is one served that has
// ended. The CA doesn't say when.
func TestShortLifetimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{lifetime: time.Minute, handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/renewalInfo/") {
				rw.WriteHeader(http.StatusNotFound)
				return
			}
			next.ServeHTTP(rw, r)
		})
	}})
	o := w.options(p.issuer("http-01"))
	o.RenewBefore = 0.95
	m := newManager(t, o)
	w.serve(m)
	m.Manage(portfolio(2))
	run(t, m)
	until(t, m, "issued", allIssued)
	seen := map[string]bool{}
	until(t, m, "three certificates one after the other", func([]certs.Entry) bool {
		leaf, err := w.handshake("domain0.example", p.pool()) // checks that it hasn't ended
		if err != nil {
			t.Fatalf("after %d certificates: %v", len(seen), err)
		}
		seen[leaf.SerialNumber.String()] = true
		return len(seen) == 3
	})
}

// A certificate that the CA has revoked is replaced at once: its renewal
// information says so (RFC 9773), and the order names what it replaces.
func TestRevokedByTheCA(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	o := w.options(p.issuer("http-01"))
	m := newManager(t, o)
	w.serve(m)
	m.Manage(portfolio(1))
	renew(t, m, certs.Errand{})
	before := m.Held("domain0.example")[0]
	p.revoke(t, before)
	// Asked again only after hours: forget the answer of before.
	if err := o.Storage.Delete(t.Context(), certs.StoragePrefix+"/domain0.example/state.json"); err != nil {
		t.Fatal(err)
	}
	m = newManager(t, o)
	m.Manage(portfolio(1))
	if err := m.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	renew(t, m, certs.Errand{Patience: 10 * time.Second})
	if m.Held("domain0.example")[0].Serial() == before.Serial() {
		t.Error("the revoked certificate is still served")
	}
}

// revoke has the CA itself revoke a certificate.
func (p *pebble) revoke(t *testing.T, h certs.Held) {
	t.Helper()
	block, _ := pem.Decode(h.Chain())
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	cert := p.db.GetCertificateByDER(leaf.Raw)
	if cert == nil {
		t.Fatal("the CA doesn't know its certificate")
	}
	p.db.RevokeCertificate(&core.RevokedCertificate{Certificate: cert, RevokedAt: time.Now()})
}
