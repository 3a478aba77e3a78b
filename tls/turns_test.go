package tls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"domherre/tls/acmeca"
)

// limited is over, with a CA that allows count orders per time.
func (f *fakeCA) limited(t *testing.T, store *memory, l limits) *Manager {
	t.Helper()
	m := f.over(t, store, false)
	m.issuers[0].limits, m.issuers[0].spending = l, make(chan struct{}, 1)
	return m
}

// mostWithin gives the largest number of times within any span of d.
func mostWithin(times []time.Time, d time.Duration) int {
	most, first := 0, 0
	for i, at := range times {
		for at.Sub(times[first]) >= d {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// A thousand names at 300 orders per 3 hours, with a restart in between: no
// window holds more than 300 orders, all are issued within four, and each that
// waits says when its turn comes, and is right.
func TestThousandNamesWithinTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, store := newFakeCA(t), newMemory()
		l := Limit{300, 3 * time.Hour}
		began := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		m := f.limited(t, store, limits{orders: l})
		m.Manage(fleet(1000))
		start(ctx, t, m)
		time.Sleep(time.Minute)
		turns := map[string]time.Time{}
		for _, e := range m.Inventory() {
			if e.Serial == "" {
				if !strings.Contains(e.Waiting, "its turn comes about") || e.NextTry.IsZero() {
					t.Fatalf("doesn't say when its turn comes: %+v", e)
				}
				turns[e.Domain] = e.NextTry
			}
		}
		if len(turns) != 700 {
			t.Fatalf("%d names wait after the first minute, not 700", len(turns))
		}
		time.Sleep(4 * time.Hour)
		stop()
		synctest.Wait()
		if n := f.placed(); n != 600 {
			t.Fatalf("%d orders in four hours", n)
		}

		ctx, stop = context.WithCancel(t.Context())
		m = f.limited(t, store, limits{orders: l})
		m.Manage(fleet(1000))
		start(ctx, t, m)
		time.Sleep(5*time.Hour + 10*time.Minute)
		for _, e := range m.Inventory() {
			at := e.NotBefore.Add(time.Hour) // as the fake backdates
			if e.Serial == "" {
				t.Errorf("%s has no certificate after %v", e.Domain, time.Since(began))
			} else if turn, waited := turns[e.Domain]; waited && at.Sub(turn).Abs() > 2*time.Minute {
				t.Errorf("%s was told %v, and got it %v", e.Domain, turn, at)
			}
		}
		if n := mostWithin(f.times(), l.Per); f.placed() != 1000 || n > l.Count {
			t.Errorf("%d orders, %d within %v", f.placed(), n, l.Per)
		}
		stop()
		synctest.Wait()
	})
}

// While a CA allows little, certificates that are about to lapse come first,
// whatever new names come along: none lapses that can be saved. Names that
// aren't ready take no turn.
func TestNearestToLapsingFirst(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			f, store := newFakeCA(t), newMemory()
			lives := map[string]time.Duration{}
			for _, s := range fleet(60) { // lapse between 6 and 16 hours from now
				lives[s.Domain] = 6*time.Hour + time.Duration(rnd.IntN(10))*time.Hour
			}
			f.life = func(name string) time.Duration {
				if d, ok := lives[name]; ok && f.serial <= 61 {
					return d
				}
				return 90 * 24 * time.Hour
			}
			ctx, stop := context.WithCancel(t.Context())
			m := f.over(t, store, false)
			m.Manage(fleet(60))
			start(ctx, t, m)
			time.Sleep(time.Minute)
			stop()
			synctest.Wait()

			// Now 20 orders an hour, 200 new names, and every other of those not ready.
			f.orders = nil
			l := Limit{20, time.Hour}
			m = f.limited(t, store, limits{orders: l})
			m.o.Ready = func(_ context.Context, s Subject) error {
				if _, old := lives[s.Domain]; !old && len(s.Domain)%2 == 0 {
					return errors.New("its records aren't served yet")
				}
				return nil
			}
			m.Manage(fleet(260))
			ctx, stop = context.WithCancel(t.Context())
			start(ctx, t, m)
			for range 60 {
				time.Sleep(15 * time.Minute)
				for name := range lives {
					if !m.BrowserTrusted(name) {
						t.Fatalf("seed %d: %s has lapsed", seed, name)
					}
				}
			}
			if n := mostWithin(f.times(), l.Per); n > l.Count || len(f.orders) < 13*l.Count && f.serial < 240 {
				t.Errorf("seed %d: %d orders, %d within %v", seed, f.placed(), n, l.Per)
			}
			stop()
			synctest.Wait()
		})
	}
}

// Two processes on one store spend from one purse.
func TestLimitIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, store := newFakeCA(t), newMemory()
		l := Limit{30, time.Hour}
		ctx, stop := context.WithCancel(t.Context())
		for i := range 3 {
			m := f.limited(t, store, limits{orders: l})
			m.Manage(fleet(150)[i*10 : 130+i*10])
			start(ctx, t, m)
		}
		time.Sleep(5*time.Hour - time.Minute)
		if n := mostWithin(f.times(), l.Per); n > l.Count || f.placed() != 150 {
			t.Errorf("%d orders, %d within %v", f.placed(), n, l.Per)
		}
		stop()
		synctest.Wait()
	})
}

// Renewals in the window that the CA named are not counted, and wait for
// nobody.
func TestRenewalsByWishAreExempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, store := newFakeCA(t), newMemory()
		f.ari = func(leaf *x509.Certificate) (time.Time, time.Time) {
			return leaf.NotAfter.Add(-31 * 24 * time.Hour), leaf.NotAfter.Add(-30 * 24 * time.Hour)
		}
		m := f.limited(t, store, limits{orders: Limit{40, 90 * 24 * time.Hour}})
		ctx, stop := context.WithCancel(t.Context())
		m.Manage(fleet(100))
		start(ctx, t, m)
		time.Sleep(58 * 24 * time.Hour)
		if n := f.placed(); n != 40 {
			t.Fatalf("%d orders before any renewal", n)
		}
		time.Sleep(4 * 24 * time.Hour)
		if n := f.placed(); f.replaced != 40 || n != 80 {
			t.Errorf("%d renewals, %d orders", f.replaced, n)
		}
		stop()
		synctest.Wait()
	})
}

// The sixth certificate with the same names within a week waits, and says for
// what.
func TestDuplicatesPerWeek(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, store := newFakeCA(t), newMemory()
		f.life = func(string) time.Duration { return 3 * time.Hour } // renewed at every turn
		m := f.limited(t, store, knownLimits["acme-v02.api.letsencrypt.org"])
		ctx, stop := context.WithCancel(t.Context())
		m.Manage(fleet(1))
		start(ctx, t, m)
		time.Sleep(6 * 24 * time.Hour)
		if n := f.placed(); n != 5 {
			t.Errorf("%d orders in six days", n)
		}
		if e := m.Inventory()[0]; !strings.Contains(e.Waiting, "certificates with the same names") || e.NextTry.IsZero() {
			t.Errorf("%+v", e)
		}
		time.Sleep(2 * 24 * time.Hour)
		if n := f.placed(); n <= 5 || mostWithin(f.times(), week) > 5 {
			t.Errorf("%d orders in eight days", n)
		}
		stop()
		synctest.Wait()
	})
}

// What the first CA doesn't allow any more, the second is asked for. Failed
// orders count as well.
func TestLimitLeadsToTheNextIssuer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, g, store := newFakeCA(t), newFakeCA(t), newMemory()
		m := f.limited(t, store, limits{orders: Limit{10, time.Hour}})
		m.issuers = append(m.issuers, &issuer{key: "second", name: "second CA", dns01: true, patience: time.Hour, ca: g})
		ctx, stop := context.WithCancel(t.Context())
		m.Manage(fleet(25))
		start(ctx, t, m)
		time.Sleep(time.Minute)
		if f.placed() != 10 || g.placed() != 15 {
			t.Errorf("%d and %d orders", f.placed(), g.placed())
		}
		stop()
		synctest.Wait()
	})
}

// What keeps failing doesn't use up the orders that others could use.
func TestFailingNamesLeaveTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, store := newFakeCA(t), newMemory()
		f.refuse = &acmeca.Failure{Kind: acmeca.Trouble, Step: "waiting", Err: errors.New("stuck")}
		m := f.limited(t, store, limits{orders: Limit{20, time.Hour}})
		ctx, stop := context.WithCancel(t.Context())
		m.Manage(fleet(100))
		start(ctx, t, m)
		time.Sleep(4*time.Hour + 30*time.Minute) // each has failed once
		f.mu.Lock()
		f.refuse = nil
		f.mu.Unlock()
		m.Manage(append(fleet(100), Subject{Domain: "kopasex.se", Names: []string{"kopasex.se"}}))
		time.Sleep(31 * time.Minute)
		if !m.BrowserTrusted("kopasex.se") {
			t.Errorf("the good name didn't get the first turn: %+v", m.Inventory()[100])
		}
		if n := mostWithin(f.times(), time.Hour); n > 20 {
			t.Errorf("%d orders within an hour", n)
		}
		stop()
		synctest.Wait()
	})
}

// Whatever was spent when, no window of the slots and the orders before them
// holds more than the limit.
func TestSlotsStayWithinTheLimit(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		l := Limit{1 + rnd.IntN(50), time.Duration(1+rnd.IntN(10_000)) * time.Second}
		now := time.Date(2026, 11, 24, 12, 0, 0, rnd.IntN(1e9), time.UTC)
		var s spending
		var all []time.Time
		for range rnd.IntN(200) {
			now = now.Add(time.Duration(rnd.Int64N(int64(l.Per) / 4)))
			if s.recent(l, now).total() < l.Count {
				s = s.add(l, now, 1)
				all = append(all, now)
			}
		}
		slots := s.slots(l, now, 3*l.Count)
		all = append(all, slots...)
		if n := mostWithin(all, l.Per); n > l.Count {
			t.Fatalf("seed %d: %d within %v of %v", seed, n, l.Per, l)
		}
		if len(s.Spent) > 1002 {
			t.Fatalf("seed %d: %d entries", seed, len(s.Spent))
		}
		for _, at := range slots[:1] { // the promise holds
			if s.recent(l, at).total() >= l.Count {
				t.Fatalf("seed %d: no order is free at %v", seed, at)
			}
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{"3h": 3 * time.Hour, "7d": week, "1h30m": 90 * time.Minute, "10m": 10 * time.Minute, "1m30s": 90 * time.Second, "20m30s": 1230 * time.Second} {
		if got := span(d); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
}

func FuzzSpending(f *testing.F) {
	f.Add([]byte(`{"spent":[{"at":"2026-11-24T12:00:00Z","orders":300}]}`))
	f.Add([]byte(`{"spent":[{"orders":-1}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		store := newMemory()
		if err := store.Store(t.Context(), spendingKey("fake"), data); err != nil {
			t.Fatal(err)
		}
		m := newFakeCA(t).limited(t, store, limits{orders: Limit{3, time.Hour}})
		s, err := m.loadSpending(t.Context(), m.issuers[0])
		if err != nil {
			t.Fatal(err)
		}
		if n := len(s.slots(m.issuers[0].limits.orders, m.now(), 7)); n != 7 {
			t.Fatal(fmt.Sprint(n, " slots"))
		}
	})
}
