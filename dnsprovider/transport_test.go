package dnsprovider

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libdns/libdns"
)

// client is a module that makes several HTTP requests for each reading.
type client struct {
	fake
	requests int
	idle     time.Duration
}

func (c *client) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	time.Sleep(c.idle)
	for range c.requests {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://vendor.example/"+zone, nil)
		if err != nil {
			return nil, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("vendor: %s", resp.Status)
		}
	}
	return nil, nil
}

// vendor answers as it is told, and takes down when it was asked.
type vendor struct {
	mu     sync.Mutex
	asked  []time.Time
	answer func(n int, req *http.Request) *http.Response
}

func (v *vendor) RoundTrip(req *http.Request) (*http.Response, error) {
	v.mu.Lock()
	v.asked = append(v.asked, time.Now())
	n := len(v.asked)
	v.mu.Unlock()
	if v.answer != nil {
		if resp := v.answer(n, req); resp != nil {
			return resp, nil
		}
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	return status(http.StatusOK), nil
}

func status(code int, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: code, Status: fmt.Sprint(code, " ", http.StatusText(code)), Header: h, Body: io.NopCloser(strings.NewReader(""))}
}

// routedTo opens a provider over the module, whose requests go to v.
func routedTo(t *testing.T, c *client, v *vendor, l Limits, d Deps) *Set {
	t.Helper()
	c.now = time.Now
	r := row{
		Type:     Type{Name: "client", Limits: Limits{Concurrency: 4, Timeout: 10 * time.Second, Retries: 4}},
		settings: func() any { return new(struct{}) },
		open:     func(any, Config, Deps) (any, error) { return c, nil },
		module:   true,
	}
	d.HTTP = &http.Client{Transport: v}
	s, err := open([]Config{{Name: "main", Type: "client", Limits: l}}, d, []row{r})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The rate holds for each HTTP request of a module, not for its calls, and each
// is counted.
func TestRateOfModules(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v, counted := &vendor{}, 0
		s := routedTo(t, &client{requests: 5}, v, Limits{RequestsPerSecond: 2, Concurrency: 1}, Deps{Requested: func(provider, op, outcome string) {
			if provider == "main" && op == "read" && outcome == "ok" {
				counted++
			}
		}})
		start := time.Now()
		for range 2 {
			observe(t, s, domain(t, "kopasex.se"))
		}
		if d := time.Since(start); d < 3900*time.Millisecond || d > 4100*time.Millisecond {
			t.Errorf("ten requests at two a second, two at once, take %s", d)
		}
		if counted != 10 {
			t.Errorf("%d requests were counted, not 10", counted)
		}
	})
}

// A module whose requests can't be seen is limited and counted by its calls.
func TestRateOfCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		counted := 0
		s := routedTo(t, new(client), &vendor{}, Limits{RequestsPerSecond: 1}, Deps{Requested: func(string, string, string) { counted++ }})
		start := time.Now()
		for range 4 {
			observe(t, s, domain(t, "kopasex.se"))
		}
		if d := time.Since(start); d < 2900*time.Millisecond || d > 3100*time.Millisecond || counted != 4 {
			t.Errorf("four calls at one a second take %s; %d were counted", d, counted)
		}
	})
}

// A vendor that wants to be left alone for long is told of, not waited for; no
// zone asks it meanwhile, and afterwards all goes on.
func TestLongRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{answer: func(n int, _ *http.Request) *http.Response {
			if n == 1 {
				return status(http.StatusTooManyRequests, "Retry-After", "3600")
			}
			return status(http.StatusOK)
		}}
		s := routedTo(t, &client{requests: 1}, v, Limits{}, Deps{})
		for _, name := range []string{"kopasex.se", "other.example"} {
			if _, err := s.Observe(t.Context(), domain(t, name)); err == nil || !strings.Contains(err.Error(), "asks to be left alone until") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(v.asked) != 1 {
			t.Errorf("it was asked %d times", len(v.asked))
		}
		time.Sleep(time.Hour)
		observe(t, s, domain(t, "other.example"))
	})
}

// A request that isn't answered ends when its own time is up; so does a module
// that asks for nothing. Waiting for one's turn is neither.
func TestModulesTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		module *client
		answer func(int, *http.Request) *http.Response
		limits Limits
		least  time.Duration
		most   time.Duration
		fails  bool
	}{
		"silent vendor": {&client{requests: 3}, func(int, *http.Request) *http.Response { return nil }, Limits{Retries: -1}, 10 * time.Second, 12 * time.Second, true},
		"silent module": {&client{requests: 1, idle: time.Hour}, nil, Limits{Retries: -1}, 10 * time.Second, 12 * time.Second, true},
		"many requests": {&client{requests: 30}, nil, Limits{Retries: -1, RequestsPerSecond: 0.5}, 55 * time.Second, 60 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := routedTo(t, c.module, &vendor{answer: c.answer}, c.limits, Deps{})
				start := time.Now()
				_, err := s.Observe(t.Context(), domain(t, "kopasex.se"))
				if d := time.Since(start); (err != nil) != c.fails || d < c.least || d > c.most {
					t.Errorf("%v after %s", err, d)
				}
				time.Sleep(2 * time.Hour) // the module ends at last
			})
		})
	}
}

// Pauses between tries grow, and no two runs make the same: many that failed at
// one moment don't come back at one.
func TestJitter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := make(map[time.Duration]bool)
		for range 8 {
			v := &vendor{answer: func(int, *http.Request) *http.Response { return status(http.StatusBadGateway) }}
			s := routedTo(t, &client{requests: 1}, v, Limits{Retries: 5}, Deps{})
			if _, err := s.Observe(t.Context(), domain(t, "kopasex.se")); err == nil {
				t.Fatal("no error, though it never answers well")
			}
			if len(v.asked) != 6 {
				t.Fatalf("it was asked %d times, not 6", len(v.asked))
			}
			first, last := v.asked[1].Sub(v.asked[0]), v.asked[5].Sub(v.asked[4])
			if first < 50*time.Millisecond || last < first || last > 10*time.Second {
				t.Errorf("the first pause is %s, the last %s", first, last)
			}
			seen[first] = true
		}
		if len(seen) < 6 {
			t.Errorf("eight runs pause %d ways", len(seen))
		}
	})
}
