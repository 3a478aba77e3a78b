package tls_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	certs "domherre/tls"
)

func TestMain(m *testing.M) {
	// Pebble reads these when it is made: no naps before validating.
	os.Setenv("PEBBLE_VA_NOSLEEP", "1")
	os.Exit(m.Run())
}

// world is a small closed internet: a resolver for which all names lead to
// loopback, and the ports that the CA validates at.
type world struct {
	t         *testing.T
	resolver  string
	dns       *fakeDNS
	httpLn    net.Listener
	httpsLn   net.Listener
	httpPort  int
	httpsPort int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dns: &fakeDNS{txt: map[string][]string{}}}
	w.resolver = w.dns.listen(t)
	w.httpLn, w.httpsLn = listen(t), listen(t)
	w.httpPort = w.httpLn.Addr().(*net.TCPAddr).Port
	w.httpsPort = w.httpsLn.Addr().(*net.TCPAddr).Port
	return w
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// serve answers the CA, and visitors, with what m has.
func (w *world) serve(m *certs.Manager) {
	handler := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !m.ServeChallenge(rw, r) {
			http.NotFound(rw, r)
		}
	})
	quiet := log.New(io.Discard, "", 0)
	plain := &http.Server{Handler: handler, ErrorLog: quiet}
	secure := &http.Server{Handler: handler, ErrorLog: quiet, TLSConfig: m.ServerConfig()}
	go plain.Serve(w.httpLn)
	go secure.ServeTLS(w.httpsLn, "", "")
	w.t.Cleanup(func() { plain.Close(); secure.Close() })
}

// fakeDNS is both the resolver of the CA and the DNSPresenter of the Manager.
type fakeDNS struct {
	mu     sync.Mutex
	txt    map[string][]string
	broken map[string]bool // names that don't resolve
	waited atomic.Int64
}

func (f *fakeDNS) listen(t *testing.T) string {
	l := listen(t)
	srv := &dns.Server{Listener: l, Handler: dns.HandlerFunc(f.answer)}
	go srv.ActivateAndServe()
	t.Cleanup(func() { srv.Shutdown() })
	return l.Addr().String()
}

func (f *fakeDNS) answer(w dns.ResponseWriter, q *dns.Msg) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := new(dns.Msg)
	m.SetReply(q)
	name := strings.ToLower(q.Question[0].Name)
	head := dns.RR_Header{Name: q.Question[0].Name, Rrtype: q.Question[0].Qtype, Class: dns.ClassINET, Ttl: 1}
	switch q.Question[0].Qtype {
	case dns.TypeA:
		if !f.broken[strings.TrimSuffix(name, ".")] {
			m.Answer = append(m.Answer, &dns.A{Hdr: head, A: net.IPv4(127, 0, 0, 1)})
		}
	case dns.TypeTXT:
		for _, v := range f.txt[name] {
			m.Answer = append(m.Answer, &dns.TXT{Hdr: head, Txt: []string{v}})
		}
	}
	w.WriteMsg(m)
}

func (f *fakeDNS) Present(_ context.Context, fqdn, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.txt[fqdn] = append(f.txt[fqdn], value)
	return nil
}

func (f *fakeDNS) Wait(context.Context, string, string) error { f.waited.Add(1); return nil }

func (f *fakeDNS) CleanUp(_ context.Context, fqdn, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.txt[fqdn] = slices.DeleteFunc(f.txt[fqdn], func(v string) bool { return v == value })
	return nil
}

func (f *fakeDNS) breakNames(names ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = map[string]bool{}
	for _, n := range names {
		f.broken[n] = true
	}
}

func (f *fakeDNS) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, v := range f.txt {
		n += len(v)
	}
	return n
}

// pebble is a real ACME CA, in this process.
type pebble struct {
	db     *db.MemoryStore
	ca     *ca.CAImpl
	server *httptest.Server
	roots  []byte       // of its web server
	orders atomic.Int64 // orders that it accepted
	down   atomic.Bool
}

// pebbleEnv guards the variables that Pebble reads when it is made.
var pebbleEnv sync.Mutex

type pebbleOptions struct {
	badNonces  int // refused, of a hundred
	lifetime   time.Duration
	eab        map[string]string
	blocked    []string
	handler    func(next http.Handler) http.Handler // faults
	alternates int
	profiles   map[string]ca.Profile
}

func (w *world) pebble(o pebbleOptions) *pebble {
	w.t.Helper()
	quiet := log.New(io.Discard, "", 0)
	p := &pebble{db: db.NewMemoryStore()}
	for id, key := range o.eab {
		if err := p.db.AddExternalAccountKeyByID(id, key); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, name := range o.blocked {
		if err := p.db.AddBlockedDomain(name); err != nil {
			w.t.Fatal(err)
		}
	}
	if o.profiles == nil {
		o.profiles = map[string]ca.Profile{"default": {ValidityPeriod: uint64(o.lifetime / time.Second)}}
	}
	p.ca = ca.New(quiet, p.db, "", "ecdsa", o.alternates, 1, o.profiles)
	v := va.New(quiet, w.httpPort, w.httpsPort, false, w.resolver, p.db)
	pebbleEnv.Lock()
	os.Setenv("PEBBLE_WFE_NONCEREJECT", strconv.Itoa(max(o.badNonces, 5)))
	front := wfe.New(quiet, p.db, v, p.ca, []string{"pebble.test"}, false, len(o.eab) > 0, 0, 0)
	pebbleEnv.Unlock()
	handler := oneByOne(front.Handler())
	if o.handler != nil {
		handler = o.handler(handler)
	}
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if p.down.Load() {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		seen := &statusWriter{ResponseWriter: rw}
		handler.ServeHTTP(seen, r)
		if r.URL.Path == "/order-plz" && seen.status == http.StatusCreated {
			p.orders.Add(1)
		}
	}))
	p.server.Config.ErrorLog = quiet
	p.server.StartTLS()
	w.t.Cleanup(p.server.Close)
	p.roots = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})
	return p
}

// oneByOne hands requests to Pebble one by one: its handlers take the locks of
// its store and of an authorization in either order, and would block forever.
func oneByOne(next http.Handler) http.Handler {
	var turn sync.Mutex
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		turn.Lock()
		defer turn.Unlock()
		next.ServeHTTP(rw, r)
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func (p *pebble) issuer(challenge string) certs.Issuer {
	return certs.Issuer{ACME: p.server.URL + "/dir", Roots: p.roots, Challenge: challenge, Email: "ops@kopasex.se"}
}

// pool trusts what the CA issues.
func (p *pebble) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.ca.GetRootCert(0).Cert)
	return pool
}

func (w *world) options(issuers ...certs.Issuer) certs.Options {
	return certs.Options{
		Storage: &certmagic.FileStorage{Path: w.t.TempDir()}, Issuers: issuers,
		HTTPPort: w.httpPort, HTTPSPort: w.httpsPort, DNS01: w.dns, Log: testLog(w.t),
	}
}

func testLog(t *testing.T) *slog.Logger {
	if !testing.Verbose() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func newManager(t *testing.T, o certs.Options) *certs.Manager {
	t.Helper()
	m, err := certs.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// run runs m until the test ends, or stop is called.
func run(t *testing.T, m *certs.Manager) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := m.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

// until looks at the inventory, again and again, until ok is content with it.
func until(t *testing.T, m *certs.Manager, what string, ok func([]certs.Entry) bool) {
	t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	patience := time.After(time.Minute)
	for !ok(m.Inventory()) {
		select {
		case <-look.C:
		case <-patience:
			t.Fatalf("not within a minute: %s; inventory %+v", what, m.Inventory())
		}
	}
}

func allIssued(es []certs.Entry) bool {
	return !slices.ContainsFunc(es, func(e certs.Entry) bool { return e.Serial == "" })
}

// handshake connects as a browser would that trusts pool.
func (w *world) handshake(host string, pool *x509.CertPool) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", w.httpsLn.Addr().String(), &tls.Config{ServerName: host, RootCAs: pool})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

func subject(domain string, hosts ...string) certs.Subject {
	s := certs.Subject{Domain: domain}
	if len(hosts) == 0 {
		hosts = []string{"@", "www"}
	}
	for _, h := range hosts {
		if h == "@" {
			s.Names = append(s.Names, domain)
		} else {
			s.Names = append(s.Names, h+"."+domain)
		}
	}
	return s
}

func (w *world) mustServe(host string, p *pebble) {
	w.t.Helper()
	if _, err := w.handshake(host, p.pool()); err != nil {
		w.t.Errorf("%s: %v", host, err)
	}
}

// chain gives what is served for host, unverified.
func (w *world) chain(host string) []*x509.Certificate {
	w.t.Helper()
	conn, err := tls.Dial("tcp", w.httpsLn.Addr().String(), &tls.Config{ServerName: host, InsecureSkipVerify: true})
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates
}
