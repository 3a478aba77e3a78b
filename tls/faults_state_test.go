package tls_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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

// One domain whose state can't be read is alone with that.
func TestReloadReadsTheRest(t *testing.T) {
	t.Parallel()
	o := newWorld(t).options()
	first := newManager(t, o)
	first.Manage(portfolio(20))
	stop := run(t, first)
	until(t, first, "issued", allIssued)
	stop()
	o.Storage = &faultyStore{Storage: o.Storage, fail: func(op, key string) error {
		if op == "load" && contains(key, "domain7.example") {
			return errors.New("input/output error")
		}
		return nil
	}}
	m := newManager(t, o)
	m.Manage(portfolio(20))
	if err := m.Reload(t.Context()); err == nil || !contains(err.Error(), "domain7.example: reading") {
		t.Errorf("error %v, want one that names the domain and the step", err)
	}
	for _, e := range m.Inventory() {
		if (e.Serial == "") != (e.Domain == "domain7.example") {
			t.Errorf("%s: serial %q", e.Domain, e.Serial)
		}
	}
}
