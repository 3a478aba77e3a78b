package tls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"domherre/tls/acmeca"
)

func fleet(n int) []Subject {
	var all []Subject
	for i := range n {
		d := fmt.Sprintf("domain%d.example", i)
		all = append(all, Subject{Domain: d, Names: []string{d, "www." + d}})
	}
	return all
}

func start(ctx context.Context, t *testing.T, m *Manager) {
	go func() {
		if err := m.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
}

// Over two years, with the CA down for a week every two months, and with
// lifetimes as they are and will be, no certificate lapses, and none is
// renewed much more often than needed.
func TestTwoYears(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		domains  int
		lives    []time.Duration
		outage   time.Duration
		ari      bool
		mostEach int // orders per domain over two years
	}{
		"45, 64 and 90 days":         {domains: 50, lives: []time.Duration{45 * day, 64 * day, 90 * day}, outage: 7 * day, mostEach: 27},
		"90 days, windows by the CA": {domains: 12, lives: []time.Duration{90 * day}, outage: 7 * day, ari: true, mostEach: 14},
		"6 days":                     {domains: 5, lives: []time.Duration{160 * time.Hour}, outage: day, mostEach: 180},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFakeCA(t)
				f.life = func(name string) time.Duration { return c.lives[len(name)%len(c.lives)] }
				if c.ari {
					f.ari = func(leaf *x509.Certificate) (time.Time, time.Time) {
						return leaf.NotAfter.Add(-31 * day), leaf.NotAfter.Add(-29 * day)
					}
				}
				ctx, stop := context.WithCancel(t.Context())
				m := f.over(t, newMemory(), false)
				m.Manage(fleet(c.domains))
				start(ctx, t, m)
				time.Sleep(time.Minute)
				for at := time.Duration(0); at < 2*365*day; at += 12 * time.Hour {
					f.set(at%(60*day) > 50*day && at%(60*day) < 50*day+c.outage)
					for _, e := range m.Inventory() {
						if !m.BrowserTrusted(e.Domain) {
							t.Fatalf("after %v: %s has lapsed: %+v", at, e.Domain, e)
						}
						if e.ARI != c.ari {
							t.Fatalf("after %v: %s: ARI %v", at, e.Domain, e.ARI)
						}
					}
					time.Sleep(12 * time.Hour)
				}
				if n := f.placed(); n > c.domains*c.mostEach {
					t.Errorf("%d orders", n)
				}
				if f.replaced == 0 {
					t.Error("no renewal told the CA what it replaces")
				}
				stop()
				synctest.Wait()
			})
		})
	}
}

// A window that the CA moves to now is followed within the time that it asks
// to be asked again.
func TestRenewalWindowMoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFakeCA(t)
		f.askAgain = 6 * time.Hour
		var revoked bool
		f.ari = func(leaf *x509.Certificate) (time.Time, time.Time) {
			if revoked && leaf.SerialNumber.Int64() == 2 {
				return time.Now().Add(-2 * time.Hour), time.Now().Add(-time.Hour)
			}
			return leaf.NotAfter.Add(-31 * 24 * time.Hour), leaf.NotAfter.Add(-30 * 24 * time.Hour)
		}
		ctx, stop := context.WithCancel(t.Context())
		m := f.over(t, newMemory(), false)
		m.Manage(fleet(1))
		start(ctx, t, m)
		time.Sleep(24 * time.Hour)
		if n := f.placed(); n != 1 {
			t.Fatalf("%d orders on the first day", n)
		}
		f.mu.Lock()
		revoked = true
		f.mu.Unlock()
		time.Sleep(8 * time.Hour)
		if n := f.placed(); n != 2 {
			t.Errorf("%d orders after the window moved to now", n)
		}
		stop()
		synctest.Wait()
	})
}

// A public CA is never asked to validate a bad name more often than Let's
// Encrypt allows, through 50 crashes and with a person who pokes.
func TestFailedValidationsPerHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFakeCA(t)
		f.refuse = &acmeca.Failure{Kind: acmeca.Validation, Step: "validation", Err: errors.New("no such name")}
		store := newMemory()
		for range 50 {
			ctx, crash := context.WithCancel(t.Context())
			m := f.over(t, store, true)
			m.Manage(fleet(1))
			start(ctx, t, m)
			time.Sleep(time.Second)
			m.Poke("domain0.example")
			time.Sleep(time.Minute)
			crash()
			synctest.Wait()
		}
		for i, at := range f.orders {
			if i >= 5 && at.Sub(f.orders[i-5]) < time.Hour {
				t.Errorf("orders %d to %d came within %v", i-5, i, at.Sub(f.orders[i-5]))
			}
		}
		if len(f.orders) < 2 {
			t.Error("poking did nothing")
		}
	})
}

// A thousand names that fail take no turn from one that wouldn't.
func TestFailingNamesHoldUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFakeCA(t)
		f.refuse = &acmeca.Failure{Kind: acmeca.Validation, Step: "validation", Err: errors.New("no such name")}
		ctx, stop := context.WithCancel(t.Context())
		m := f.over(t, newMemory(), false)
		m.Manage(fleet(1200))
		start(ctx, t, m)
		time.Sleep(15 * time.Second)
		f.mu.Lock()
		f.refuse = nil
		f.mu.Unlock()
		m.Manage(append(fleet(1200), Subject{Domain: "kopasex.se", Names: []string{"kopasex.se"}}))
		time.Sleep(time.Second)
		if !m.BrowserTrusted("kopasex.se") {
			t.Error("the good name has no certificate after a second")
		}
		stop()
		synctest.Wait()
	})
}

// A store whose clock ran ahead once holds certificates from the future: they
// are replaced.
func TestCertificateFromTheFuture(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFakeCA(t)
		store := newMemory()
		ahead := f.over(t, store, false)
		ahead.Manage(fleet(1))
		ctx, stop := context.WithCancel(t.Context())
		start(ctx, t, ahead)
		time.Sleep(time.Second)
		stop()
		synctest.Wait()
		m := f.over(t, store, false)
		m.now = func() time.Time { return time.Now().AddDate(-1, 0, 0) }
		m.o.Now = m.now
		m.Manage(fleet(1))
		ctx, stop = context.WithCancel(t.Context())
		start(ctx, t, m)
		time.Sleep(time.Second)
		if n := f.placed(); n < 2 {
			t.Error("a certificate that isn't valid yet was kept")
		}
		stop()
		synctest.Wait()
	})
}
