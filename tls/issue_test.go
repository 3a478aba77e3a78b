package tls_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"

	certs "domherre/tls"
)

func TestIssue(t *testing.T) {
	t.Parallel()
	for _, challenge := range []string{"", "http-01", "tls-alpn-01", "dns-01"} {
		t.Run("challenge "+challenge, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := w.pebble(pebbleOptions{})
			m := newManager(t, w.options(p.issuer(challenge)))
			w.serve(m)
			m.Manage([]certs.Subject{subject("kopasex.se")})
			run(t, m)
			until(t, m, "issued", allIssued)
			w.mustServe("kopasex.se", p)
			w.mustServe("www.kopasex.se", p)
			if n := w.dns.left(); n > 0 {
				t.Errorf("%d TXT records were left behind", n)
			}
		})
	}
}

func TestWildcard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	m := newManager(t, w.options(p.issuer("dns-01")))
	w.serve(m)
	m.Manage([]certs.Subject{subject("xn--kpasex-wxa.example", "@", "*")})
	run(t, m)
	until(t, m, "issued", allIssued)
	w.mustServe("xn--kpasex-wxa.example", p)
	w.mustServe("anything.xn--kpasex-wxa.example", p)
	if _, err := w.handshake("a.b.xn--kpasex-wxa.example", p.pool()); err == nil {
		t.Error("the wildcard covers two labels")
	}
	if w.dns.waited.Load() < 2 {
		t.Error("the order didn't wait until the TXT records were served")
	}
}

func TestWildcardNeedsDNS01(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	m := newManager(t, w.options(p.issuer("")))
	m.Manage([]certs.Subject{subject("kopasex.se", "@", "*")})
	run(t, m)
	until(t, m, "a clear error", func(es []certs.Entry) bool {
		return strings.Contains(es[0].LastError, "a wildcard needs challenge: dns-01")
	})
	if p.orders.Load() > 0 {
		t.Error("an order was placed that can't succeed")
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	o := w.options(p.issuer("http-01"))
	var failed atomic.Int64 // by the CA's own short timeouts, on a busy machine
	o.Changed = func(e certs.Entry) { failed.Add(int64(min(e.Attempts, 1))) }
	m := newManager(t, o)
	w.serve(m)
	m.Manage(portfolio(50))
	began := time.Now()
	run(t, m)
	until(t, m, "50 issued", allIssued)
	took := time.Since(began)
	t.Logf("50 domains in %v", took)
	if limit := 2 * time.Minute; took > limit { // seconds, on a machine with nothing else to do
		t.Errorf("50 domains took %v, more than %v", took, limit)
	}
	if n := p.orders.Load() - failed.Load(); n != 50 {
		t.Errorf("placed %d orders for 50 domains", n)
	}
}

func portfolio(n int) []certs.Subject {
	var all []certs.Subject
	for i := range n {
		all = append(all, subject(fmt.Sprintf("domain%d.example", i)))
	}
	return all
}

// One name that can't be validated and one that the CA forbids fail alone, and
// say why.
func TestBadNamesFailAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{blocked: []string{"domain7.example"}})
	w.dns.breakNames("domain3.example", "www.domain3.example")
	m := newManager(t, w.options(p.issuer("")))
	w.serve(m)
	m.Manage(portfolio(20))
	run(t, m)
	until(t, m, "18 issued and 2 failed", func(es []certs.Entry) bool {
		issued, failed := 0, 0
		for _, e := range es {
			if e.Serial != "" {
				issued++
			} else if e.LastError != "" {
				failed++
			}
		}
		return issued == 18 && failed == 2
	})
	for _, e := range m.Inventory() {
		want := map[string]string{
			"domain3.example": "validation by",
			"domain7.example": "this CA won't issue for the name",
		}[e.Domain]
		if !strings.Contains(e.LastError, want) || want != "" && e.NextTry.IsZero() {
			t.Errorf("%s: error %q, next try %v; want %q and a time", e.Domain, e.LastError, e.NextTry, want)
		}
	}
	// Put right and poked, the first one is issued without waiting.
	w.dns.breakNames()
	m.Poke("domain3.example")
	until(t, m, "the mended one issued", func(es []certs.Entry) bool {
		for _, e := range es {
			if e.Domain == "domain3.example" {
				return e.Serial != "" && e.LastError == ""
			}
		}
		return false
	})
}

func TestExternalAccountBinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := base64.RawURLEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))
	p := w.pebble(pebbleOptions{eab: map[string]string{"kid-1": key}})
	without := newManager(t, w.options(p.issuer("http-01")))
	without.Manage([]certs.Subject{subject("kopasex.se")})
	run(t, without)
	until(t, without, "an error that names eab", func(es []certs.Entry) bool {
		return strings.Contains(es[0].LastError, "set eab for this issuer")
	})
	iss := p.issuer("http-01")
	iss.EAB = &certs.EAB{KeyID: "kid-1", MACKey: key + "="} // some CAs pad it
	m := newManager(t, w.options(iss))
	w.serve(m)
	m.Manage([]certs.Subject{subject("kopasex.se")})
	run(t, m)
	until(t, m, "issued", allIssued)
}

func TestFallback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.pebble(pebbleOptions{}), w.pebble(pebbleOptions{})
	first.down.Store(true)
	o := w.options(first.issuer(""), second.issuer(""))
	m := newManager(t, o)
	w.serve(m)
	m.Manage(portfolio(5))
	run(t, m)
	until(t, m, "issued by the second CA", allIssued)
	w.mustServe("domain0.example", second)
}

func TestProfileAndChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{alternates: 2, profiles: map[string]ca.Profile{
		"default": {ValidityPeriod: 90 * 86400}, "shortlived": {ValidityPeriod: 6 * 86400},
	}})
	iss := p.issuer("")
	iss.Profile, iss.KeyType = "shortlived", "p384"
	iss.PreferredChain = p.ca.GetRootCert(2).Cert.Subject.CommonName
	m := newManager(t, w.options(iss))
	w.serve(m)
	m.Manage([]certs.Subject{subject("kopasex.se")})
	run(t, m)
	until(t, m, "issued", allIssued)
	e := m.Inventory()[0]
	if life := e.NotAfter.Sub(e.NotBefore); life > 7*24*time.Hour {
		t.Errorf("the profile gave %v, not six days", life)
	}
	chain := w.chain("kopasex.se")
	if got := chain[len(chain)-1].Issuer.CommonName; got != iss.PreferredChain {
		t.Errorf("the chain leads to %q, not %q", got, iss.PreferredChain)
	}
}

// A host that is added gets a new certificate; the old one serves until then.
func TestHostAdded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	m := newManager(t, w.options(p.issuer("")))
	w.serve(m)
	m.Manage([]certs.Subject{subject("kopasex.se", "@")})
	run(t, m)
	until(t, m, "issued", allIssued)
	m.Manage([]certs.Subject{subject("kopasex.se", "@", "www")})
	w.mustServe("kopasex.se", p)
	until(t, m, "issued with www", func(es []certs.Entry) bool { return len(es[0].Names) == 2 })
	w.mustServe("www.kopasex.se", p)
	m.Manage(nil)
	if _, err := w.handshake("kopasex.se", p.pool()); err == nil {
		t.Error("a domain that left is still served")
	}
}
