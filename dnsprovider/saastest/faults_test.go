package saastest_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"domherre/dnsprovider/saastest"
	"domherre/portfolio"
)

// fault is one of a vendor's, and what a run during it must come to.
type fault struct {
	name    string
	domains int
	order   saastest.Order
	lag     int
	during  func(*account, portfolio.Report)
}

// survives demands that the run itself gets over the fault.
func survives(a *account, r portfolio.Report) {
	a.t.Helper()
	if r.Exit() != portfolio.ExitDone {
		a.failed(r)
	}
}

var faults = []fault{
	{"credentials refused", 8, saastest.Order{Status: http.StatusUnauthorized}, 0, refused},
	{"bad for a moment", 3, saastest.Order{Status: http.StatusServiceUnavailable, Times: 3}, 0, pauses},
	{"down", 3, saastest.Order{Status: http.StatusInternalServerError}, 0, down},
	{"silent", 3, saastest.Order{Slow: time.Hour}, 0, down},
	{"readings cut off", 3, saastest.Order{Cut: true, Reads: true, Times: 2}, 0, survives},
	{"answers to writes cut off", 3, saastest.Order{Cut: true, Writes: true, Times: 3}, 0, survives},
	{"answers to writes too late", 3, saastest.Order{Slow: time.Minute, Writes: true, Times: 2}, 0, survives},
	{"half a list", 3, saastest.Order{Short: true, Times: 1}, 0, whatever},
	{"what is written has gone", 3, saastest.Order{Status: http.StatusNotFound, Writes: true, Times: 1}, 0, whatever},
	{"stale readings", 3, saastest.Order{}, 2, survives},
}

func TestFaults(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, v saastest.Vendor) {
		for _, f := range faults {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				withAccount(t, v, f.domains, func(a *account) {
					if f.lag == 0 {
						a.fake.Order(f.order)
					}
					a.fake.Lag(f.lag)
					a.moves("192.0.2.20")
					f.during(a, a.run(a.t.Context()))
					a.fake.Heal()
					time.Sleep(10 * time.Minute)
					survives(a, a.run(a.t.Context()))
					a.settled()
				})
			})
		}
	})
}

// refused demands that eight domains make no storm, and that all are told.
func refused(a *account, r portfolio.Report) {
	const most = 4 + 2 // zones that must fail, requests at once
	if n := len(a.calls()); n == 0 || n > most {
		a.t.Errorf("%d requests were made with credentials that are refused", n)
	}
	for _, o := range r.Outcomes {
		if o.Outcome != portfolio.Failed || !strings.Contains(o.Err.Error(), o.Domain.String()) {
			a.t.Errorf("%s: %v", o.Outcome, o.Err)
		}
	}
}

func whatever(*account, portfolio.Report) {}

// pauses demands that the run gets over it, and leaves a zone alone for a moment
// after each refusal.
func pauses(a *account, r portfolio.Report) {
	survives(a, r)
	calls := a.calls()
	for i, c := range calls {
		if c.Status < 500 || c.Zone == "" { // of a list, which any domain may ask for
			continue
		}
		for _, next := range calls[i+1:] {
			if pause := next.At.Sub(c.At); next.Zone == c.Zone {
				if pause < 50*time.Millisecond || pause > 15*time.Second {
					a.t.Errorf("%s is asked again after %s", c.Zone, pause)
				}
				break
			}
		}
	}
}

// down demands that a vendor which doesn't work is given up within bounds.
func down(a *account, r portfolio.Report) {
	if r.Exit() != portfolio.ExitFailed {
		a.t.Errorf("the run ends as %s", r.Exit())
	}
	const retries, withinModule = 3, 6
	if n, took := len(a.calls()), time.Since(a.begun); n > 3*(1+retries)*withinModule || took > 10*time.Minute {
		a.t.Errorf("%d requests were made, in %s", n, took)
	}
}

// A vendor asks to be left alone, in seconds or until a date: nothing is asked
// before.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const pause = 40 * time.Second
	// What two tell otherwise: Loopia counts a minute, AWS says nothing.
	pauses := map[string]time.Duration{"loopia": time.Minute, "route53": time.Millisecond}
	each(t, func(t *testing.T, v saastest.Vendor) {
		for name, after := range map[string]func() string{
			"seconds": func() string { return "40" },
			"date":    func() string { return time.Now().Add(pause).UTC().Format(http.TimeFormat) },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				withAccount(t, v, 2, func(a *account) {
					a.fake.Order(saastest.Order{Status: http.StatusTooManyRequests, After: after(), Times: 1})
					a.moves("192.0.2.20")
					survives(a, a.run(a.t.Context()))
					want := pauses[v.Type]
					if want == 0 {
						want = pause
					}
					asked := a.calls()[0].At
					for _, c := range a.calls() {
						if c.At.After(asked) && c.At.Before(asked.Add(want)) {
							t.Fatalf("a request %s after the vendor asked for %s of peace", c.At.Sub(asked), want)
						}
					}
					a.settled()
				})
			})
		}
	})
}

// A run that is called off while the vendor is silent ends at once, and says why.
func TestCalledOff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, v saastest.Vendor) {
		withAccount(t, v, 2, func(a *account) {
			a.fake.Order(saastest.Order{Slow: time.Hour})
			a.moves("192.0.2.20")
			ctx, cancel := context.WithTimeout(a.t.Context(), 2*time.Second)
			defer cancel()
			begun := time.Now()
			if _, err := a.rec.RunOnce(ctx, a.all, portfolio.Options{Full: true}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the run ends with %v", err)
			}
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("it took %s to end", took)
			}
			a.fake.Heal()
			time.Sleep(10 * time.Minute)
			survives(a, a.run(a.t.Context()))
			a.settled()
		})
	})
}
