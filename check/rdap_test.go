package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"domherre/portfolio"
)

// registry is a registry's RDAP, with a clock that the test turns.
type registry struct {
	*httptest.Server
	asked  atomic.Int32
	handle http.HandlerFunc

	mu  sync.Mutex
	now time.Time
}

func startRegistry(t *testing.T, handle http.HandlerFunc) *registry {
	t.Helper()
	r := &registry{now: today, handle: handle}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.asked.Add(1)
		r.handle(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *registry) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *registry) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func (r *registry) rdap(cache RegistrationCache) *RDAP {
	return NewRDAP(RDAPOptions{
		Bases: map[string]string{"example": r.URL, "se": r.URL + "/se/"}, Now: r.clock, Cache: cache, HTTP: r.Client(),
	})
}

const domainAnswer = `{"objectClassName": "domain", "ldhName": "XN--kpasex-wxa.example", "status": ["active"],
	"events": [{"eventAction": "registration", "eventDate": "2020-01-01T00:00:00Z"}, {"eventAction": "expiration", "eventDate": "2027-05-01T00:00:00Z"}]}`

func answer(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

func TestRDAPAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		handle http.HandlerFunc
		want   Registration
		err    string
	}{
		{"registered", answer(200, domainAnswer), Registration{Found: true, Status: []string{"active"}, Expires: time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC)}, ""},
		{"no date", answer(200, `{"objectClassName":"domain"}`), Registration{Found: true}, ""},
		{"odd date", answer(200, `{"objectClassName":"domain","events":[{"eventAction":"expiration","eventDate":"soon"}]}`), Registration{Found: true}, ""},
		{"not registered", answer(404, `{"errorCode":404}`), Registration{}, ""},
		{"another domain", answer(200, `{"objectClassName":"domain","ldhName":"other.example"}`), Registration{}, "something else"},
		{"no domain", answer(200, `{}`), Registration{}, "something else"},
		{"a web page", answer(200, `<html>`), Registration{}, "can't be read"},
		{"broken", answer(500, ``), Registration{}, "500"},
		{"too many", answer(429, ``), Registration{}, "wait until 2026-11-24 13:00 UTC"},
		{"busy", answer(503, ``), Registration{}, "wait until"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := startRegistry(t, func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Path != "/domain/xn--kpasex-wxa.example" || req.UserAgent() != UserAgent {
					t.Errorf("asked for %s as %q", req.URL.Path, req.UserAgent())
				}
				tt.handle(w, req)
			})
			got, err := r.rdap(nil).Registration(t.Context(), mustName(t, "köpasex.example"))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil || got.Found != tt.want.Found || !got.Expires.Equal(tt.want.Expires) ||
				strings.Join(got.Status, " ") != strings.Join(tt.want.Status, " ") || !got.Asked.Equal(today) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// An answer serves for a day, a failure for an hour.
func TestRDAPAsksSeldom(t *testing.T) {
	t.Parallel()
	r := startRegistry(t, answer(200, domainAnswer))
	rdap, name := r.rdap(nil), mustName(t, "köpasex.example")
	ask := func() error { _, err := rdap.Registration(t.Context(), name); return err }
	steps := []struct {
		after time.Duration
		code  int
		asked int32
	}{
		{0, 200, 1},
		{19 * time.Hour, 200, 1},
		{10 * time.Hour, 500, 2},
		{30 * time.Minute, 200, 2},
		{31 * time.Minute, 200, 3},
		{time.Hour, 200, 3},
	}
	for i, s := range steps {
		r.pass(s.after)
		r.handle = answer(s.code, domainAnswer)
		err := ask()
		if got := r.asked.Load(); got != s.asked {
			t.Errorf("step %d: asked %d times, want %d (%v)", i, got, s.asked, err)
		}
	}
}

// Retry-After holds for the whole registry, not for one domain.
func TestRDAPRetryAfter(t *testing.T) {
	t.Parallel()
	r := startRegistry(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	rdap := r.rdap(nil)
	for range 2 {
		for _, name := range []string{"a.example", "b.example"} {
			if _, err := rdap.Registration(t.Context(), mustName(t, name)); err == nil {
				t.Errorf("%s: an answer", name)
			}
		}
		r.pass(time.Hour)
	}
	if got := r.asked.Load(); got != 1 {
		t.Errorf("asked %d times within the time to wait", got)
	}
	if _, err := rdap.Registration(t.Context(), mustName(t, "kopasex.se")); err == nil || r.asked.Load() != 2 {
		t.Errorf("another registry wasn't asked: %v", err)
	}
	r.pass(90 * time.Minute)
	r.handle = answer(200, `{"objectClassName":"domain"}`)
	if _, err := rdap.Registration(t.Context(), mustName(t, "b.example")); err != nil {
		t.Errorf("after the time to wait: %v", err)
	}
}

func TestRetryAfterForms(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Time{
		"120":                           today.Add(2 * time.Minute),
		"Tue, 24 Nov 2026 12:30:00 GMT": today.Add(30 * time.Minute),
		"":                              today.Add(time.Hour),
		"-5":                            today.Add(time.Hour),
		"99999999":                      today.Add(time.Hour),
		"Sun, 24 Nov 2030 12:30:00 GMT": today.Add(time.Hour),
	} {
		if got := retryAfter(header, today); !got.Equal(want) {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

// A large portfolio isn't looked up all at once.
func TestRDAPPace(t *testing.T) {
	t.Parallel()
	r := startRegistry(t, answer(404, ""))
	rdap := r.rdap(nil)
	later := 0
	for i := range 100 {
		if _, err := rdap.Registration(t.Context(), mustName(t, fmt.Sprintf("d%d.example", i))); err != nil {
			later++
		}
	}
	if got := int(r.asked.Load()); got != rdapBurst || later != 100-rdapBurst {
		t.Errorf("asked %d, put off %d", got, later)
	}
	r.pass(rdapPace)
	if _, err := rdap.Registration(t.Context(), mustName(t, "d99.example")); err != nil {
		t.Errorf("later: %v", err)
	}
}

// memory is a cache that outlives a client.
type memory struct {
	mu   sync.Mutex
	kept map[portfolio.Name]Registration
}

func (m *memory) LoadRegistration(_ context.Context, n portfolio.Name) (Registration, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	reg, ok := m.kept[n]
	return reg, ok
}

func (m *memory) SaveRegistration(_ context.Context, n portfolio.Name, reg Registration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept[n] = reg
}

func TestRDAPCacheOutlivesRestart(t *testing.T) {
	t.Parallel()
	r := startRegistry(t, answer(200, domainAnswer))
	cache, name := &memory{kept: map[portfolio.Name]Registration{}}, mustName(t, "köpasex.example")
	for range 3 {
		if reg, err := r.rdap(cache).Registration(t.Context(), name); err != nil || !reg.Found {
			t.Fatalf("got %+v, %v", reg, err)
		}
	}
	if got := r.asked.Load(); got != 1 {
		t.Errorf("asked %d times", got)
	}
}

func TestRDAPCancelledIsNoFailure(t *testing.T) {
	t.Parallel()
	r := startRegistry(t, answer(200, domainAnswer))
	rdap, name := r.rdap(nil), mustName(t, "köpasex.example")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rdap.Registration(ctx, name); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := rdap.Registration(t.Context(), name); err != nil {
		t.Errorf("held against the next look-up: %v", err)
	}
}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	r := startRegistry(t, nil)
	r.handle = func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/dns.json" {
			fmt.Fprintf(w, `{"version":"1.0","services":[[["example","TEST"],["http://other.example/","%s/rdap/"]],[["nu"],[]],[["x"]]]}`, r.URL)
			return
		}
		answer(200, `{"objectClassName":"domain"}`)(w, req)
	}
	rdap := NewRDAP(RDAPOptions{Bootstrap: r.URL + "/dns.json", Now: r.clock})
	bases, err := readBootstrap(strings.NewReader(`{"services":[[["example","TEST"],["http://a/","https://b/"]],[["nu"],[]],[["x"]]]}`))
	if err != nil || bases["test"] != "https://b/" || len(bases) != 2 {
		t.Errorf("read %v, %v", bases, err)
	}
	for range 2 {
		if _, err := rdap.Registration(t.Context(), mustName(t, "kopasex.se")); err == nil || !strings.Contains(err.Error(), "no RDAP service is known for .se") {
			t.Errorf("an unlisted TLD: %v", err)
		}
	}
	if got := r.asked.Load(); got != 1 {
		t.Errorf("fetched the list %d times", got)
	}
	down := NewRDAP(RDAPOptions{Bootstrap: "http://127.0.0.1:1/dns.json", Now: r.clock})
	if _, err := down.Registration(t.Context(), mustName(t, "kopasex.se")); err == nil || !strings.Contains(err.Error(), "list of registries") {
		t.Errorf("no list: %v", err)
	}
	none := NewRDAP(RDAPOptions{Now: r.clock})
	if _, err := none.Registration(t.Context(), mustName(t, "kopasex.se")); err == nil {
		t.Error("an answer without any service")
	}
}

func FuzzReadDomain(f *testing.F) {
	f.Add(domainAnswer)
	f.Add(`{"objectClassName":"domain","events":null}`)
	name, err := portfolio.ParseName("köpasex.example")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var reg Registration
		if err := readDomain(strings.NewReader(body), name, &reg); err != nil && reg.Found {
			t.Errorf("found with %v", err)
		}
	})
}

func FuzzReadBootstrap(f *testing.F) {
	f.Add(`{"services":[[["example"],["https://b/"]]]}`)
	f.Fuzz(func(t *testing.T, body string) {
		if bases, err := readBootstrap(strings.NewReader(body)); err == nil {
			for tld, base := range bases {
				if base == "" && !strings.Contains(body, `""`) {
					t.Errorf("%q has no base", tld)
				}
			}
		}
	})
}
