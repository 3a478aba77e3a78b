package check

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/portfolio"
)

// today is the time of every test.
var today = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const target = "https://www.xn--duavgr-0xa.se/"

// world is all that a check looks at. Tests start from one in which all is
// well and spoil it.
type world struct {
	t         *testing.T
	dns       fakeResolver
	served    portfolio.Served
	reg       Registration
	regErr    error
	noRDAP    bool
	secure    http.HandlerFunc
	plain     http.HandlerFunc
	leaf      leafOptions
	noCert    bool // handshakes fail
	closed    bool // nothing listens
	untrusted bool
	subject   Subject
}

// leafOptions describe the certificate that the redirector shows.
type leafOptions struct {
	names               []string
	notBefore, notAfter time.Time
}

// fakeResolver answers by "NAME TYPE"; what it lacks doesn't exist.
type fakeResolver struct {
	answers   map[string]Answer
	unchecked map[string]Answer
	err       error
}

func (f fakeResolver) Lookup(_ context.Context, name string, qtype uint16) (Answer, error) {
	if f.err != nil {
		return Answer{}, f.err
	}
	if a, ok := f.answers[name+" "+dns.TypeToString[qtype]]; ok {
		return a, nil
	}
	return Answer{}, nil
}

func (f fakeResolver) LookupUnchecked(ctx context.Context, name string, qtype uint16) (Answer, error) {
	if a, ok := f.unchecked[name+" "+dns.TypeToString[qtype]]; ok {
		return a, nil
	}
	return f.Lookup(ctx, name, qtype)
}

// records parses zone-file lines into an answer.
func records(t *testing.T, lines ...string) Answer {
	t.Helper()
	var a Answer
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		a.Records = append(a.Records, rr)
	}
	return a
}

func mustName(t *testing.T, s string) portfolio.Name {
	t.Helper()
	n, err := portfolio.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// newWorld is one in which köpasex.example is live.
func newWorld(t *testing.T) *world {
	t.Helper()
	const zone = "xn--kpasex-wxa.example."
	w := &world{t: t}
	w.dns.answers = map[string]Answer{
		zone + " NS":               records(t, zone+" 60 IN NS ns1.domherre.example.", zone+" 60 IN NS NS2.domherre.example."),
		zone + " MX":               records(t, zone+" 60 IN MX 0 ."),
		zone + " TXT":              records(t, zone+` 60 IN TXT "v=spf1 -all"`, zone+` 60 IN TXT "site=1"`),
		"_dmarc." + zone + " TXT":  records(t, "_dmarc."+zone+` 60 IN TXT "v=DMARC1; p=reject; " "sp=reject"`),
		"www.xn--duavgr-0xa.se. A": records(t, "www.xn--duavgr-0xa.se. 60 IN A 127.0.0.1"),
	}
	w.served = portfolio.Served{Servers: []portfolio.ServerAnswer{
		{Server: "ns1.domherre.example (192.0.2.53:53)"}, {Server: "ns2.domherre.example (192.0.2.54:53)"},
	}}
	w.reg = Registration{Asked: today, Found: true, Status: []string{"active"}, Expires: today.AddDate(1, 0, 0)}
	w.leaf = leafOptions{
		names:     []string{"xn--kpasex-wxa.example", "www.xn--kpasex-wxa.example"},
		notBefore: today.AddDate(0, 0, -10), notAfter: today.AddDate(0, 0, 80),
	}
	w.secure = func(rw http.ResponseWriter, r *http.Request) {
		if r.UserAgent() != UserAgent {
			t.Errorf("the check called itself %q", r.UserAgent())
		}
		redirectTo(target)(rw, r)
	}
	w.plain = func(rw http.ResponseWriter, r *http.Request) { redirectTo("https://"+r.Host+"/")(rw, r) }
	w.subject = Subject{
		Domain: portfolio.Domain{
			Name: mustName(t, "köpasex.example"),
			DNS:  portfolio.DNSSettings{Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Mail: portfolio.MailNone},
		},
		Nameservers: []string{"ns1.domherre.example", "ns2.domherre.example."},
		Records:     []portfolio.RRset{{Name: "@", Type: "A", TTL: 300, Data: []string{"127.0.0.1"}}},
		Hosts: []Host{
			{Name: "xn--kpasex-wxa.example", Target: target, Status: 302},
			{Name: "www.xn--kpasex-wxa.example", Target: target, Status: 302},
		},
		Certificate: CertificateState{Certificate: &Certificate{NotAfter: w.leaf.notAfter}},
		Hits:        Hits{Today: 3, Total: 40, PeopleToday: 2, PeopleTotal: 15},
	}
	return w
}

func redirectTo(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
}

// zone gives the key of an answer about the domain.
func (w *world) zone(qtype string) string { return "xn--kpasex-wxa.example. " + qtype }

// checker starts the world's servers and gives a checker that looks at them.
func (w *world) checker(language string) *Checker {
	root, leaf := certify(w.t, w.leaf)
	plain := httptest.NewServer(w.plain)
	secure := httptest.NewUnstartedServer(w.secure)
	secure.Config.ErrorLog = quiet()
	secure.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if w.noCert {
			return nil, errors.New("none")
		}
		return leaf, nil
	}}
	secure.StartTLS()
	w.t.Cleanup(plain.Close)
	w.t.Cleanup(secure.Close)
	if w.closed {
		plain.Close()
		secure.Close()
	}
	c := &Checker{
		Resolver: w.dns,
		Verify: func(context.Context, portfolio.Domain, []portfolio.RRset) portfolio.Served {
			return w.served
		},
		Now: func() time.Time { return today }, Language: language,
		Ports: Ports{HTTP: portIn(plain.Listener), HTTPS: portIn(secure.Listener)},
		Roots: root,
	}
	if !w.noRDAP {
		c.Registration = func(context.Context, portfolio.Name) (Registration, error) { return w.reg, w.regErr }
	}
	if w.untrusted {
		c.Roots = x509.NewCertPool()
	}
	return c
}

func portIn(l net.Listener) uint16 { return uint16(l.Addr().(*net.TCPAddr).Port) }

// certify makes a root and a leaf.
func certify(t *testing.T, o leafOptions) (*x509.CertPool, *tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test root"},
		NotBefore: today.AddDate(-1, 0, 0), NotAfter: today.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: o.names, NotBefore: o.notBefore, NotAfter: o.notAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	pool := x509.NewCertPool()
	rootDER := sign(t, root, root, key)
	parsed, err := x509.ParseCertificate(rootDER)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return pool, &tls.Certificate{Certificate: [][]byte{sign(t, leaf, parsed, key)}, PrivateKey: key}
}

func sign(t *testing.T, c, parent *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
