package lab

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// applicant is a web server that proves that it holds its names, or not.
type applicant struct {
	plain  *httptest.Server
	secure *httptest.Server
	lying  bool

	mu         sync.Mutex
	challenges map[string]acme.Challenge // by host
}

func startApplicant(t *testing.T, lying bool) *applicant {
	t.Helper()
	a := &applicant{lying: lying, challenges: map[string]acme.Challenge{}}
	quiet := log.New(io.Discard, "", 0)
	a.plain = httptest.NewUnstartedServer(http.HandlerFunc(a.serve))
	a.plain.Config.ErrorLog = quiet
	a.plain.Start()
	a.secure = httptest.NewUnstartedServer(http.NotFoundHandler())
	a.secure.Config.ErrorLog = quiet
	a.secure.TLS = &tls.Config{NextProtos: []string{acmez.ACMETLS1Protocol}, GetCertificate: a.certificate}
	a.secure.StartTLS()
	t.Cleanup(a.plain.Close)
	t.Cleanup(a.secure.Close)
	return a
}

func port(s *httptest.Server) int { return s.Listener.Addr().(*net.TCPAddr).Port }

func (a *applicant) serve(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	a.mu.Lock()
	c, ok := a.challenges[host]
	a.mu.Unlock()
	if !ok || r.URL.Path != c.HTTP01ResourcePath() {
		http.NotFound(w, r)
		return
	}
	proof := c.KeyAuthorization
	if a.lying {
		proof = "no proof"
	}
	_, _ = io.WriteString(w, proof) // to the CA, which may have gone
}

func (a *applicant) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	a.mu.Lock()
	c := a.challenges[hello.ServerName]
	a.mu.Unlock()
	return acmez.TLSALPN01ChallengeCert(c)
}

// Present implements acmez.Solver.
func (a *applicant) Present(_ context.Context, c acme.Challenge) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.challenges[c.Identifier.Value] = c
	return nil
}

// CleanUp implements acmez.Solver.
func (a *applicant) CleanUp(_ context.Context, c acme.Challenge) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.challenges, c.Identifier.Value)
	return nil
}

// startCA starts a lab whose CA validates at the applicant.
func startCA(t *testing.T, a *applicant, o Options) *Lab {
	t.Helper()
	server := startAuthority(t, []string{"xn--kpasex-wxa.example.", "kopasex.se."},
		"xn--kpasex-wxa.example. 60 IN A 127.0.0.1", "www.xn--kpasex-wxa.example. 60 IN CNAME kopasex.se.", "kopasex.se. 60 IN A 127.0.0.1")
	o.Nameservers = provider(server.addr)
	o.ACME.HTTPPort, o.ACME.TLSPort = port(a.plain), port(a.secure)
	l, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// trusting makes a client that trusts the lab's roots.
func trusting(t *testing.T, l *Lab) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(l.RootsPEM()) {
		t.Fatal("no roots")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// obtain orders a certificate with one kind of challenge.
func obtain(t *testing.T, l *Lab, a *applicant, challenge string, names ...string) (*x509.Certificate, error) {
	t.Helper()
	client := acmez.Client{
		Client: &acme.Client{
			Directory: l.Addresses().Directory, HTTPClient: trusting(t, l), PollInterval: time.Millisecond, PollTimeout: 20 * time.Second,
		},
		ChallengeSolvers: map[string]acmez.Solver{challenge: a},
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	account, err := client.NewAccount(t.Context(), acme.Account{TermsOfServiceAgreed: true, PrivateKey: key})
	if err != nil {
		return nil, err
	}
	certKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certs, err := client.ObtainCertificateForSANs(t.Context(), account, certKey, names)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(certs[0].ChainPEM)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(l.RootsPEM())
	between.AppendCertsFromPEM(rest)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: names[0]}); err != nil {
		t.Errorf("the certificate isn't trusted by the lab's roots: %v", err)
	}
	return leaf, nil
}

func TestIssue(t *testing.T) {
	t.Parallel()
	for _, challenge := range []string{acme.ChallengeTypeHTTP01, acme.ChallengeTypeTLSALPN01} {
		t.Run(challenge, func(t *testing.T) {
			t.Parallel()
			a := startApplicant(t, false)
			l := startCA(t, a, Options{ACME: ACMEOptions{Profiles: map[string]Profile{"short": {Lifetime: 6 * 24 * time.Hour}}}})
			leaf, err := obtain(t, l, a, challenge, "xn--kpasex-wxa.example", "www.xn--kpasex-wxa.example")
			if err != nil {
				t.Fatal(err)
			}
			if got := leaf.NotAfter.Sub(leaf.NotBefore).Round(time.Hour); got != 6*24*time.Hour {
				t.Errorf("lives %s, want the profile's six days", got)
			}
		})
	}
}

// The CA must refuse what isn't proved, or the lab proves nothing.
func TestNoProofNoCertificate(t *testing.T) {
	t.Parallel()
	honest, lying := startApplicant(t, false), startApplicant(t, true)
	tests := []struct {
		name string
		a    *applicant
		host string
	}{
		{"wrong answer", lying, "kopasex.se"},
		{"no address", honest, "no.kopasex.se"},
		{"not registered", honest, "fri.se"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := startCA(t, tt.a, Options{})
			if err := l.Unregister("fri.se"); err != nil {
				t.Fatal(err)
			}
			if leaf, err := obtain(t, l, tt.a, acme.ChallengeTypeHTTP01, tt.host); err == nil {
				t.Errorf("issued for %v", leaf.DNSNames)
			}
		})
	}
}

func TestExternalAccountRequired(t *testing.T) {
	t.Parallel()
	a := startApplicant(t, false)
	l := startCA(t, a, Options{ACME: ACMEOptions{EAB: map[string]string{"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}}})
	if _, err := obtain(t, l, a, acme.ChallengeTypeHTTP01, "kopasex.se"); err == nil || !strings.Contains(err.Error(), "externalAccount") {
		t.Errorf("an account without external binding: %v", err)
	}
}

func TestRejectNonces(t *testing.T) {
	t.Parallel()
	a := startApplicant(t, false)
	l := startCA(t, a, Options{ACME: ACMEOptions{RejectNonces: 100}})
	if _, err := obtain(t, l, a, acme.ChallengeTypeHTTP01, "kopasex.se"); err == nil || !strings.Contains(err.Error(), "badNonce") {
		t.Errorf("with every nonce refused: %v", err)
	}
}

func TestManagement(t *testing.T) {
	t.Parallel()
	l := startCA(t, startApplicant(t, false), Options{ACME: ACMEOptions{Roots: 2}})
	for _, root := range []string{"/roots/0", "/roots/1"} {
		resp, err := trusting(t, l).Get(l.Addresses().Management + root)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.Contains(string(l.RootsPEM()), strings.TrimSpace(string(body))) {
			t.Errorf("%s gave %q, %v", root, body, err)
		}
	}
}

// Many orders at once, impatiently polled, must all come through.
func TestManyOrders(t *testing.T) {
	t.Parallel()
	a := startApplicant(t, false)
	var records, zones []string
	for i := range 60 {
		zone := fmt.Sprintf("d%d.example.", i)
		zones, records = append(zones, zone), append(records, zone+" 60 IN A 127.0.0.1", "www."+zone+" 60 IN A 127.0.0.1")
	}
	server := startAuthority(t, zones, records...)
	l, err := Start(t.Context(), Options{
		Nameservers: provider(server.addr), ACME: ACMEOptions{HTTPPort: port(a.plain), TLSPort: port(a.secure)},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var all sync.WaitGroup
	for _, zone := range zones {
		all.Go(func() {
			name := strings.TrimSuffix(zone, ".")
			if _, err := obtain(t, l, a, acme.ChallengeTypeHTTP01, name, "www."+name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	all.Wait()
}
