package tls_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	certs "domherre/tls"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// What was issued is served at once after a restart, CA or no CA.
func TestRestartServesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	o := w.options(p.issuer(""))
	first := newManager(t, o)
	w.serve(first)
	first.Manage(portfolio(5))
	stop := run(t, first)
	until(t, first, "issued", allIssued)
	stop()
	p.down.Store(true)
	placed := p.orders.Load()

	again := newWorld(t)
	m := newManager(t, o)
	m.Manage(portfolio(5))
	if err := m.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	again.serve(m)
	for i := range 5 {
		again.mustServe(fmt.Sprintf("www.domain%d.example", i), p)
	}
	if !m.BrowserTrusted("domain0.example") {
		t.Error("an ACME certificate doesn't count as trusted")
	}
	run(t, m)
	again.mustServe("domain0.example", p)
	if n := p.orders.Load(); n != placed {
		t.Errorf("%d orders after the restart", n-placed)
	}
}

// damage changes the newest generation of a domain in a file store.
func damage(t *testing.T, store certmagic.Storage, domain string, change func([]byte) []byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(store.(*certmagic.FileStorage).Path, "certificates", domain, "*.pem"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no generation of %s: %v", domain, err)
	}
	last := names[len(names)-1]
	data, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(last, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A generation that was not written whole is as good as none, and a new
// certificate is ordered. The others don't notice.
func TestTornGenerations(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func([]byte) []byte{
		"empty":     func([]byte) []byte { return nil },
		"half":      func(b []byte) []byte { return b[:len(b)/2] },
		"unsealed":  func(b []byte) []byte { return b[:strings.LastIndex(string(b), "# sha256")] },
		"one octet": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newWorld(t).options()
			first := newManager(t, o)
			first.Manage(portfolio(2))
			stop := run(t, first)
			until(t, first, "issued", allIssued)
			kept := first.Inventory()[1].Serial
			stop()
			damage(t, o.Storage, "domain0.example", change)

			m := newManager(t, o)
			m.Manage(portfolio(2))
			if err := m.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if es := m.Inventory(); es[0].Serial != "" || es[1].Serial != kept {
				t.Fatalf("after the damage: %+v", es)
			}
			run(t, m)
			until(t, m, "healed", allIssued)
			if es := m.Inventory(); es[1].Serial != kept {
				t.Error("the other certificate was replaced too")
			}
		})
	}
}

// The previous generation is served when the newest is torn.
func TestPreviousGenerationServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options()
	first := newManager(t, o)
	first.Manage([]certs.Subject{subject("kopasex.se", "@")})
	stop := run(t, first)
	until(t, first, "issued", allIssued)
	old := first.Inventory()[0].Serial
	first.Manage([]certs.Subject{subject("kopasex.se", "@", "www")})
	until(t, first, "issued with www", func(es []certs.Entry) bool { return len(es[0].Names) == 2 })
	stop()
	damage(t, o.Storage, "kopasex.se", func(b []byte) []byte { return b[:len(b)-1] })
	m := newManager(t, o)
	m.Manage([]certs.Subject{subject("kopasex.se", "@", "www")})
	if err := m.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := m.Inventory()[0].Serial; got != old {
		t.Errorf("serves %q, not the previous generation %q", got, old)
	}
	run(t, m)
	until(t, m, "healed", func(es []certs.Entry) bool { return len(es[0].Names) == 2 })
}

// Restarts don't shorten the wait: 10 crashes in a row place no more orders
// than one process would.
func TestBackoffOutlivesRestarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	w.dns.breakNames("kopasex.se")
	o := w.options(p.issuer("http-01"))
	began := time.Now()
	for range 10 {
		m := newManager(t, o)
		m.Manage([]certs.Subject{subject("kopasex.se", "@")})
		stop := run(t, m)
		until(t, m, "loaded", func(es []certs.Entry) bool { return es[0].Attempts > 0 && !es[0].NextTry.IsZero() })
		stop()
	}
	// 0 s, 2 s, 12 s, 42 s, with a fifth of jitter
	allowed := int64(1)
	for _, at := range []time.Duration{1600 * time.Millisecond, 9 * time.Second, 30 * time.Second} {
		if time.Since(began) > at {
			allowed++
		}
	}
	if n := p.orders.Load(); n > allowed {
		t.Errorf("10 restarts placed %d orders, at most %d are due", n, allowed)
	}
}

// rateLimited with Retry-After is waited for, also by the next process.
func TestRateLimitOutlivesRestarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var asked atomic.Int64
	p := w.pebble(pebbleOptions{handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/order-plz" {
				next.ServeHTTP(rw, r)
				return
			}
			asked.Add(1)
			rw.Header().Set("Retry-After", "3600")
			rw.Header().Set("Content-Type", "application/problem+json")
			rw.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(rw, `{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many new orders","status":429}`)
		})
	}})
	o := w.options(p.issuer(""))
	for range 3 {
		m := newManager(t, o)
		m.Manage([]certs.Subject{subject("kopasex.se")})
		stop := run(t, m)
		until(t, m, "held back for an hour", func(es []certs.Entry) bool {
			return time.Until(es[0].NextTry) > 50*time.Minute && contains(es[0].LastError, "too many new orders")
		})
		m.Poke("kopasex.se") // doesn't help against the CA's own word
		stop()
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the CA was asked %d times", n)
	}
}

// Two processes on one store place each order once, and both serve.
func TestTwoProcessesOrderOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	o := w.options(p.issuer("http-01"))
	var failed atomic.Int64 // by the CA's own short timeouts, on a busy machine
	o.Changed = func(e certs.Entry) { failed.Add(int64(min(e.Attempts, 1))) }
	a, b := newManager(t, o), newManager(t, o)
	w.serve(a) // b's challenges are answered by a
	for _, m := range []*certs.Manager{a, b} {
		m.Manage(portfolio(8))
		run(t, m)
	}
	until(t, a, "a has all", allIssued)
	until(t, b, "b has all", allIssued)
	if n := p.orders.Load() - failed.Load(); n != 8 {
		t.Errorf("%d orders for 8 domains", n)
	}
	other := newWorld(t)
	other.serve(b)
	for i := range 8 {
		other.mustServe(fmt.Sprintf("domain%d.example", i), p)
	}
}

// A CA that refuses nine nonces of ten still issues.
func TestBadNonces(t *testing.T) {
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "90")
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	m := newManager(t, w.options(p.issuer("http-01")))
	w.serve(m)
	m.Manage([]certs.Subject{subject("kopasex.se", "@")})
	run(t, m)
	until(t, m, "issued", allIssued)
}

// The CA has lost the account: it is made anew, once.
func TestAccountLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before, after := w.pebble(pebbleOptions{}), w.pebble(pebbleOptions{})
	var reset atomic.Bool
	p := w.pebble(pebbleOptions{handler: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			side := before
			if reset.Load() {
				side = after
			}
			side.server.Config.Handler.ServeHTTP(rw, r)
		})
	}})
	m := newManager(t, w.options(p.issuer("")))
	w.serve(m)
	m.Manage(portfolio(1))
	run(t, m)
	until(t, m, "issued", allIssued)
	uri := m.CAAIdentities(t.Context())[0].AccountURI
	reset.Store(true)
	m.Manage(portfolio(3))
	until(t, m, "issued by the CA after its reset", allIssued)
	if now := m.CAAIdentities(t.Context())[0].AccountURI; now == uri || now == "" {
		t.Errorf("the account is still %q", now)
	}
}

// faultyStore fails what fail names.
type faultyStore struct {
	certmagic.Storage
	mu   sync.Mutex
	fail func(op, key string) error
}

func (s *faultyStore) check(op, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		return nil
	}
	return s.fail(op, key)
}

func (s *faultyStore) set(fail func(op, key string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

func (s *faultyStore) Store(ctx context.Context, key string, value []byte) error {
	if err := s.check("store", key); err != nil {
		return err
	}
	return s.Storage.Store(ctx, key, value)
}

func (s *faultyStore) Load(ctx context.Context, key string) ([]byte, error) {
	if err := s.check("load", key); err != nil {
		return nil, err
	}
	return s.Storage.Load(ctx, key)
}

// A full disk costs neither the old certificate nor the new one, which isn't
// ordered again.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	o := w.options(p.issuer(""))
	store := &faultyStore{Storage: o.Storage}
	o.Storage = store
	m := newManager(t, o)
	w.serve(m)
	m.Manage([]certs.Subject{subject("kopasex.se", "@")})
	run(t, m)
	until(t, m, "issued", allIssued)
	old := m.Inventory()[0].Serial
	store.set(func(op, key string) error {
		if op == "store" && strings.HasSuffix(key, ".pem") {
			return errors.New("no space left on device")
		}
		return nil
	})
	m.Manage([]certs.Subject{subject("kopasex.se", "@", "www")})
	until(t, m, "an error that says so", func(es []certs.Entry) bool {
		return contains(es[0].LastError, "no space left") && es[0].Serial == old
	})
	w.mustServe("kopasex.se", p)
	placed := p.orders.Load()
	store.set(nil)
	m.Poke("kopasex.se")
	until(t, m, "stored", func(es []certs.Entry) bool { return len(es[0].Names) == 2 })
	if p.orders.Load() != placed {
		t.Error("the certificate was ordered again")
	}
}

// A store that can't be written places no orders, since they couldn't be
// counted; what it holds is served.
func TestReadOnlyStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	o := w.options(p.issuer(""))
	o.Storage = &faultyStore{Storage: o.Storage, fail: func(op, _ string) error {
		if op == "store" {
			return fs.ErrPermission
		}
		return nil
	}}
	m := newManager(t, o)
	m.Manage([]certs.Subject{subject("kopasex.se")})
	run(t, m)
	until(t, m, "says so", func(es []certs.Entry) bool {
		return contains(es[0].LastError, "the state can't be written, so nothing is ordered")
	})
	if p.orders.Load() > 0 {
		t.Error("an order was placed that couldn't be written down")
	}
}

// A clock that is a year off orders nothing.
func TestClockOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	o := w.options(p.issuer(""))
	good := newManager(t, o)
	w.serve(good)
	good.Manage(portfolio(3))
	stop := run(t, good)
	until(t, good, "issued", allIssued)
	stop()
	placed := p.orders.Load()
	o.Now = func() time.Time { return time.Now().AddDate(1, 0, 0) }
	m := newManager(t, o)
	m.Manage(portfolio(3))
	run(t, m)
	until(t, m, "says so", func(es []certs.Entry) bool {
		return contains(es[0].LastError, "set this machine's clock") && allIssued(es)
	})
	if p.orders.Load() != placed {
		t.Error("a clock that is off ordered certificates")
	}
}

// Ready holds an order back and says why; it is asked again soon.
func TestReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	o := w.options(p.issuer(""))
	var ready atomic.Bool
	o.Ready = func(_ context.Context, s certs.Subject) error {
		if s.Domain != "kopasex.se" || len(s.Names) != 2 {
			t.Errorf("asked about %+v", s)
		}
		if !ready.Load() {
			return errors.New("its records aren't served yet")
		}
		return nil
	}
	m := newManager(t, o)
	w.serve(m)
	m.Manage([]certs.Subject{subject("kopasex.se")})
	run(t, m)
	until(t, m, "waiting", func(es []certs.Entry) bool {
		return es[0].Waiting == "its records aren't served yet" && !es[0].NextTry.IsZero()
	})
	if p.orders.Load() > 0 {
		t.Error("ordered although it wasn't ready")
	}
	ready.Store(true)
	until(t, m, "issued", func(es []certs.Entry) bool { return es[0].Serial != "" && es[0].Waiting == "" })
}

// A CA that takes requests and never answers holds up neither the other CA nor
// names that don't need it.
func TestHangingCA(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release := make(chan struct{})
	var hang atomic.Bool
	p := w.pebble(pebbleOptions{handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/authZ/") && hang.Load() {
				<-release
			}
			next.ServeHTTP(rw, r)
		})
	}})
	t.Cleanup(func() { close(release) }) // before the server waits for its handlers
	m := newManager(t, w.options(p.issuer("")))
	w.serve(m)
	hang.Store(true)
	m.Manage(portfolio(80))
	run(t, m)
	until(t, m, "80 orders hang", func([]certs.Entry) bool { return p.orders.Load() >= 80 })
	hang.Store(false)
	m.Manage(append(portfolio(80), subject("kopasex.se")))
	until(t, m, "the good one issued", func(es []certs.Entry) bool {
		for _, e := range es {
			if e.Domain == "kopasex.se" {
				return e.Serial != ""
			}
		}
		return false
	})
}

// An order that stays in processing is given up in time, and tried again.
func TestOrderStuckInProcessing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var stuck atomic.Bool
	stuck.Store(true)
	p := w.pebble(pebbleOptions{handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !stuck.Load() || !strings.HasPrefix(r.URL.Path, "/my-order/") && !strings.HasPrefix(r.URL.Path, "/finalize-order/") {
				next.ServeHTTP(rw, r)
				return
			}
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			for k, v := range rec.Header() {
				rw.Header()[k] = v
			}
			rw.WriteHeader(rec.Code)
			rw.Write(bytes.ReplaceAll(rec.Body.Bytes(), []byte(`"status": "valid"`), []byte(`"status": "processing"`)))
		})
	}})
	m := newManager(t, w.options(p.issuer("http-01")))
	certs.SetOrderTimeout(m, 3*time.Second)
	w.serve(m)
	m.Manage([]certs.Subject{subject("kopasex.se", "@")})
	run(t, m)
	until(t, m, "given up", func(es []certs.Entry) bool {
		return contains(es[0].LastError, "the order is still processing") || contains(es[0].LastError, "waiting for the certificate")
	})
	stuck.Store(false)
	until(t, m, "issued", allIssued)
}
