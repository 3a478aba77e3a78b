package tls_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/certmagic"

	certs "domherre/tls"
)

// Without an issuer the internal CA issues, and all processes on a store agree
// on it.
func TestInternalCA(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options()
	m, other := newManager(t, o), newManager(t, o)
	w.serve(m)
	m.Manage([]certs.Subject{subject("kopasex.se", "@", "*")})
	run(t, m)
	until(t, m, "issued", allIssued)
	roots, err := other.InternalRoots()
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(roots) {
		t.Fatal("InternalRoots is no PEM")
	}
	if _, err := w.handshake("www.kopasex.se", pool); err != nil {
		t.Error(err)
	}
	if m.BrowserTrusted("www.kopasex.se") {
		t.Error("the internal CA's certificate counts as trusted by browsers")
	}
	if ids := m.CAAIdentities(t.Context()); len(ids) != 0 {
		t.Errorf("the internal CA wants CAA records: %v", ids)
	}
}

func TestNamesThatAreNotOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newManager(t, w.options())
	w.serve(m)
	m.Manage([]certs.Subject{subject("kopasex.se", "@")})
	run(t, m)
	until(t, m, "issued", allIssued)
	for _, name := range []string{"www.kopasex.se", "notkopasex.se", "se", "", "127.0.0.1", "duavgör.se"} {
		for _, protos := range [][]string{{"h2"}, {"acme-tls/1"}} {
			conn, err := tls.Dial("tcp", w.httpsLn.Addr().String(),
				&tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: protos})
			if err == nil {
				conn.Close()
				t.Errorf("%q %v: answered", name, protos)
				continue
			}
			if !contains(err.Error(), "unrecognized name") { // alert 112, RFC 6066
				t.Errorf("%q %v: %v, want the alert unrecognized_name", name, protos, err)
			}
		}
	}
	if conn, err := tls.Dial("tcp", w.httpsLn.Addr().String(), &tls.Config{
		ServerName: "KOPASEX.se", InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}); err != nil {
		t.Errorf("upper case over TLS 1.2: %v", err)
	} else {
		conn.Close()
	}
}

// Names that differ in one Swedish letter keep their own certificates.
func TestSwedishNamesAreNotMixed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	o := w.options(p.issuer(""))
	m := newManager(t, o)
	w.serve(m)
	pair := []string{"xn--duavgr-0xa.se", "xn--duavgr-jua.se"} // duavgör.se, duavgår.se
	m.Manage([]certs.Subject{subject(pair[0]), subject(pair[1])})
	run(t, m)
	until(t, m, "both issued", allIssued)
	for _, name := range pair {
		w.mustServe(name, p)
		if leaf := w.chain("www." + name)[0]; leaf.VerifyHostname(name) != nil {
			t.Errorf("www.%s is served with %v", name, leaf.DNSNames)
		}
	}
	// Anything but A-labels never reaches the store or the CA.
	m.Manage([]certs.Subject{{Domain: "duavgör.se", Names: []string{"duavgör.se"}}})
	if e := m.Inventory()[0]; e.LastError == "" || e.Serial != "" {
		t.Errorf("a name in U-labels was taken: %+v", e)
	}
}

func TestSubjectsThatCannotBe(t *testing.T) {
	t.Parallel()
	m := newManager(t, newWorld(t).options())
	for _, s := range []certs.Subject{
		{}, {Domain: "kopasex.se"}, {Domain: "kopasex.se", Names: []string{"notkopasex.se"}},
		{Domain: "kopasex.se", Names: []string{"a..kopasex.se"}}, {Domain: "../x.se", Names: []string{"../x.se"}},
		{Domain: "kopasex.se", Names: []string{"*.*.kopasex.se"}}, {Domain: "Kopasex.se", Names: []string{"Kopasex.se"}},
	} {
		m.Manage([]certs.Subject{s})
		if es := m.Inventory(); len(es) != 1 || es[0].LastError == "" {
			t.Errorf("%+v: taken, %+v", s, es)
		}
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	acme := certs.Issuer{ACME: "https://ca.test/dir"}
	for want, o := range map[string]certs.Options{
		"stands alone":        {Issuers: []certs.Issuer{acme, {Internal: true}}},
		"is not a URL":        {Issuers: []certs.Issuer{{ACME: "letsencrypt"}}},
		"by https only":       {Issuers: []certs.Issuer{{ACME: "http://ca.test/dir"}}},
		"challenge \"dns\"":   {Issuers: []certs.Issuer{{ACME: acme.ACME, Challenge: "dns"}}},
		"needs a DNS provide": {Issuers: []certs.Issuer{{ACME: acme.ACME, Challenge: "dns-01"}}},
		"key_type \"dsa\"":    {Issuers: []certs.Issuer{{ACME: acme.ACME, KeyType: "dsa"}}},
		"no certificate in":   {Issuers: []certs.Issuer{{ACME: acme.ACME, Roots: []byte("x")}}},
		"tls.renew_before":    {RenewBefore: 33},
	} {
		o.Storage, o.Log = &certmagic.FileStorage{Path: t.TempDir()}, testLog(t)
		_, err := certs.New(o)
		if err == nil || !contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := certs.New(certs.Options{}); err == nil {
		t.Error("a Manager without a store was made")
	}
}

// Only paths of tokens that are being proved are answered, and only GET.
func TestServeChallengeLeavesTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	m := newManager(t, w.options(p.issuer("")))
	m.Manage([]certs.Subject{subject("kopasex.se")})
	for _, r := range []*http.Request{
		httptest.NewRequest("GET", "http://kopasex.se/", nil),
		httptest.NewRequest("POST", "http://kopasex.se/.well-known/acme-challenge/x", nil),
		httptest.NewRequest("GET", "http://kopasex.se/.well-known/acme-challenge/x", nil),
		httptest.NewRequest("GET", "http://other.example/.well-known/acme-challenge/x", nil),
		httptest.NewRequest("GET", "http://kopasex.se:8080/.well-known/acme-challenge/../x", nil),
	} {
		rec := httptest.NewRecorder()
		if m.ServeChallenge(rec, r) || rec.Body.Len() > 0 {
			t.Errorf("%s %s was answered", r.Method, r.URL)
		}
	}
}

func TestSessionsResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newManager(t, w.options())
	w.serve(m)
	m.Manage([]certs.Subject{subject("kopasex.se", "@")})
	run(t, m)
	until(t, m, "issued", allIssued)
	config := &tls.Config{ServerName: "kopasex.se", InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12,
		ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	for i := range 2 {
		conn, err := tls.Dial("tcp", w.httpsLn.Addr().String(), config)
		if err != nil {
			t.Fatal(err)
		}
		if resumed := conn.ConnectionState().DidResume; resumed != (i == 1) {
			t.Errorf("connection %d resumed: %v", i, resumed)
		}
		conn.Close()
	}
}
