package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"domherre/dnsprovider/zoneio"
)

// A server that can't bear many at once is asked by fewer, and by more again
// when it can.
func TestConcurrencyAdapts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var under, most, bears atomic.Int32
		bears.Store(2)
		f := &fake{}
		f.slow = func(context.Context) {
			n := under.Add(1)
			most.Store(max(most.Load(), n))
			time.Sleep(10 * time.Millisecond)
		}
		f.before = func(int) error {
			if under.Add(-1) >= bears.Load() {
				return errVendor
			}
			return nil
		}
		s := openFake(t, f, bySet, Limits{Concurrency: 8, Retries: 6}, Deps{})
		round := func() {
			most.Store(0)
			var wg sync.WaitGroup
			for i := range 60 {
				wg.Go(func() {
					if _, err := s.Observe(t.Context(), domain(t, fmt.Sprintf("z%d.example", i))); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
		round()
		if limit := s.providers[0].gate.limit; limit > 4 {
			t.Errorf("after failures, %d at once are still let through", limit)
		}
		bears.Store(100)
		round()
		round()
		if most.Load() != 8 {
			t.Errorf("once it bears more, only %d at once are let through", most.Load())
		}
	})
}

func TestRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		s := openFake(t, f, bySet, Limits{RequestsPerSecond: 2}, Deps{})
		start := time.Now()
		for range 7 {
			observe(t, s, domain(t, "kopasex.se"))
		}
		if d := time.Since(start); d < 2400*time.Millisecond || d > 2600*time.Millisecond {
			t.Errorf("seven requests at two a second, two at once, take %s", d)
		}
	})
}

// A provider that doesn't answer for four zones in a row is left alone for a
// while; a single zone that doesn't, keeps no other waiting.
func TestProviderDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := true
		f := &fake{before: func(int) error {
			if down {
				return zoneio.As(zoneio.Credentials, errors.New("401"))
			}
			return nil
		}}
		s := openFake(t, f, bySet, Limits{Concurrency: 1}, Deps{})
		for range 10 {
			_, _ = s.Observe(t.Context(), domain(t, "kopasex.se"))
		}
		if len(f.calls) != 10 {
			t.Fatalf("one zone alone was asked %d times, not 10", len(f.calls))
		}
		var err error
		for i := range 20 {
			_, err = s.Observe(t.Context(), domain(t, fmt.Sprintf("z%d.example", i)))
		}
		if len(f.calls) != 13 || err == nil || !strings.Contains(err.Error(), "not asked for another 30s") || !strings.Contains(err.Error(), "401") {
			t.Errorf("%d requests, %v", len(f.calls), err)
		}
		down = false
		time.Sleep(holdOff)
		observe(t, s, domain(t, "kopasex.se"))
	})
}

// A provider that answers all zones by 5xx isn't asked for each of many, over and
// over; it is again once it has had a rest.
func TestProviderFailing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failing := true
		f := &fake{before: func(int) error {
			if failing {
				return errVendor
			}
			return nil
		}}
		s := openFake(t, f, bySet, Limits{Concurrency: 4, Retries: 5}, Deps{})
		var told int
		var wg sync.WaitGroup
		for i := range 500 {
			wg.Go(func() {
				_, err := s.Observe(t.Context(), domain(t, fmt.Sprintf("z%d.example", i)))
				if err == nil {
					t.Error("no error, though it never answers well")
				} else if strings.Contains(err.Error(), "not asked for another") {
					f.mu.Lock()
					told++
					f.mu.Unlock()
				}
			})
		}
		wg.Wait()
		if n := f.count("get"); n > failingZones*6 || told < 400 {
			t.Errorf("500 zones took %d requests; %d were told that it wasn't asked", n, told)
		}
		failing = false
		time.Sleep(holdOff)
		observe(t, s, domain(t, "kopasex.se"))
	})
}

// An implementation that ignores its context is left behind when time is up.
func TestDeafImplementation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{slow: func(context.Context) { time.Sleep(time.Hour) }}
		s := openFake(t, f, bySet, Limits{Timeout: 3 * time.Second, Retries: -1, Concurrency: 2}, Deps{})
		start := time.Now()
		_, err := s.Observe(t.Context(), domain(t, "kopasex.se"))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		time.Sleep(2 * time.Hour) // it ends at last
	})
}

func TestRequestsAreCounted(t *testing.T) {
	t.Parallel()
	counts := make(map[string]int)
	f := &fake{}
	s := openFake(t, f, bySet, Limits{}, Deps{Requested: func(provider, op, outcome string) { counts[provider+" "+op+" "+outcome]++ }})
	observe(t, s, domain(t, "kopasex.se"))
	f.before = func(int) error { return errors.New("403: forbidden") }
	_, _ = s.Observe(t.Context(), domain(t, "kopasex.se"))
	if counts["main read ok"] != 1 || counts["main read error"] != 1 {
		t.Errorf("%v", counts)
	}
}

// The CLI and the daemon share the store's lock where the provider itself can't
// tell that a write comes late.
func TestZoneLock(t *testing.T) {
	t.Parallel()
	d := domain(t, "kopasex.se")
	store := &lockStore{}
	f := &fake{}
	s := openFake(t, f, bySet, Limits{}, Deps{Store: store})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := s.Present(t.Context(), "_acme-challenge."+d.Name.FQDN(), fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(f.recs) != 8 || store.locks != 8 || store.held != "" {
		t.Errorf("%d records, %d locks, %q still held", len(f.recs), store.locks, store.held)
	}
}

type inner = Store

// lockStore locks, and keeps nothing; it fails where a lock is taken twice.
type lockStore struct {
	inner
	held  string
	locks int
}

func (l *lockStore) Lock(_ context.Context, name string) error {
	if l.held != "" {
		return errors.New("locked by this process already")
	}
	l.held = name
	l.locks++
	return nil
}

func (l *lockStore) Unlock(_ context.Context, name string) error {
	l.held = strings.TrimPrefix(l.held, name)
	return nil
}

func (l *lockStore) Store(context.Context, string, []byte) error { return nil }
