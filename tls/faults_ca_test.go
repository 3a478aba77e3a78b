package tls_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	certs "domherre/tls"
)

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

// A CA that refuses every other nonce, and eleven in a row for one request, one
// more than the acme package bears, still issues.
func TestBadNonces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var refused atomic.Int64
	p := w.pebble(pebbleOptions{badNonces: 50, handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/order-plz" || refused.Add(1) > 11 {
				next.ServeHTTP(rw, r)
				return
			}
			fresh := httptest.NewRecorder()
			next.ServeHTTP(fresh, httptest.NewRequest(http.MethodHead, "/nonce-plz", nil))
			rw.Header().Set("Replay-Nonce", fresh.Header().Get("Replay-Nonce"))
			rw.Header().Set("Content-Type", "application/problem+json")
			rw.WriteHeader(http.StatusBadRequest)
			io.WriteString(rw, `{"type": "urn:ietf:params:acme:error:badNonce"}`)
		})
	}})
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

// A registration that is damaged is completed from the key: the CA still knows
// the account. A damaged key is replaced, with another account.
func TestAccountDamaged(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file string
		same bool
	}{"registration": {"ops.json", true}, "key": {"ops.key", false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := w.pebble(pebbleOptions{})
			o := w.options(p.issuer("tls-alpn-01"))
			first := newManager(t, o)
			w.serve(first) // answers for the second as well
			first.Manage(portfolio(2))
			stop := run(t, first)
			until(t, first, "issued", allIssued)
			stop()
			uri := first.CAAIdentities(t.Context())[0].AccountURI
			found, err := filepath.Glob(filepath.Join(o.Storage.(*certmagic.FileStorage).Path, "acme", "*", "users", "*", test.file))
			if err != nil || len(found) != 1 {
				t.Fatalf("%v %v", found, err)
			}
			if err := os.WriteFile(found[0], []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
			m := newManager(t, o)
			first.Manage(portfolio(3))
			m.Manage(portfolio(3))
			run(t, m)
			until(t, m, "the third issued", allIssued)
			if now := m.CAAIdentities(t.Context())[0].AccountURI; now == "" || (now == uri) != test.same {
				t.Errorf("account %q, was %q", now, uri)
			}
		})
	}
}

// CAA records that forbid the first issuer lead to the second; where they
// forbid all, nothing is ordered, and why is said.
func TestForbiddenByCAA(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.pebble(pebbleOptions{}), w.pebble(pebbleOptions{})
	o := w.options(first.issuer(""), second.issuer(""))
	o.Permits = func(_ context.Context, s certs.Subject, id certs.CAAIdentity) error {
		if s.Domain == "domain1.example" || id.Issuer == strings.TrimPrefix(first.server.URL, "https://") {
			return errors.New("the CAA records of " + s.Domain + " forbid " + id.Issuer)
		}
		return nil
	}
	m := newManager(t, o)
	w.serve(m)
	m.Manage(portfolio(2))
	run(t, m)
	until(t, m, "one issued, one held back", func(es []certs.Entry) bool {
		return es[0].Serial != "" && es[1].Barred && !es[0].Barred && strings.Contains(es[1].Waiting, "the CAA records of domain1.example forbid")
	})
	w.mustServe("domain0.example", second)
	if n, k := first.orders.Load(), second.orders.Load(); n != 0 || k != 1 {
		t.Errorf("%d orders at the CA that is forbidden, %d at the other", n, k)
	}
}
