package tls

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"domherre/tls/acmeca"
)

// renew runs an errand as a command would, in a process of its own.
func (f *fakeCA) renew(t *testing.T, store *memory, l limits, names int, e Errand) map[string]Renewed {
	t.Helper()
	m := f.limited(t, store, l)
	m.Manage(fleet(names))
	if err := m.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	done, err := m.Renew(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	became := map[string]Renewed{}
	for _, r := range done {
		became[r.Domain] = r
	}
	return became
}

func count(became map[string]Renewed, outcome string) int {
	n := 0
	for _, r := range became {
		if r.Outcome == outcome {
			n++
		}
	}
	return n
}

// A timer renews what is due, once; a person may name domains and force.
func TestRenewForATimer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, store := newFakeCA(t), newMemory()
		e := Errand{Patience: time.Minute}
		if got := f.renew(t, store, limits{}, 5, e); count(got, Issued) != 5 {
			t.Fatalf("at first: %v", got)
		}
		if got := f.renew(t, store, limits{}, 5, e); count(got, Kept) != 5 || f.placed() != 5 {
			t.Errorf("with nothing due: %v, %d orders", got, f.placed())
		}
		got := f.renew(t, store, limits{}, 5, Errand{Domains: []string{"domain2.example"}, Force: true})
		if len(got) != 1 || count(got, Issued) != 1 || f.placed() != 6 || f.replaced != 1 {
			t.Errorf("forced: %v, %d orders", got, f.placed())
		}
		time.Sleep(65 * 24 * time.Hour)
		if got := f.renew(t, store, limits{}, 5, e); count(got, Issued) != 5 {
			t.Errorf("when due: %v", got)
		}
		m := f.over(t, store, false)
		if _, err := m.Renew(t.Context(), Errand{Domains: []string{"other.example"}}); err == nil || !strings.Contains(err.Error(), "other.example") {
			t.Errorf("a domain that isn't managed: %v", err)
		}
	})
}

// What can't be had within the patience is left for later, and says why.
func TestRenewGivesUpInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, store := newFakeCA(t), newMemory()
		began := time.Now()
		got := f.renew(t, store, limits{orders: Limit{10, 3 * time.Hour}}, 30, Errand{Patience: time.Minute})
		if count(got, Issued) != 10 || count(got, Waits) != 20 || time.Since(began) > time.Minute {
			t.Errorf("within a limit: %d issued, %d wait after %v", count(got, Issued), count(got, Waits), time.Since(began))
		}
		f.refuse = &acmeca.Failure{Kind: acmeca.Trouble, Step: "finalizing", Err: errors.New("stuck")}
		store = newMemory()
		got = f.renew(t, store, limits{}, 3, Errand{Patience: time.Minute})
		if count(got, Failed) != 3 || !strings.Contains(got["domain0.example"].LastError, "stuck") {
			t.Errorf("with a CA that fails: %v", got)
		}
		f.set(true)
		got = f.renew(t, newMemory(), limits{}, 3, Errand{Patience: time.Minute})
		if count(got, Failed) != 3 || time.Since(began) > 5*time.Minute {
			t.Errorf("with a CA that is down: %v after %v", got, time.Since(began))
		}
	})
}

// Beside a daemon, nothing is ordered twice, whoever comes first.
func TestRenewBesideDaemon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, store := newFakeCA(t), newMemory()
		f.slow = 10 * time.Second
		daemon := f.over(t, store, false)
		daemon.Manage(fleet(40))
		ctx, stop := context.WithCancel(t.Context())
		start(ctx, t, daemon)
		time.Sleep(time.Second)
		if got := f.renew(t, store, limits{}, 40, Errand{Patience: time.Minute}); count(got, Issued) != 40 {
			t.Errorf("%d of 40 are there", count(got, Issued))
		}
		if n := f.placed(); n != 40 {
			t.Errorf("%d orders for 40 domains", n)
		}
		if _, err := daemon.Renew(t.Context(), Errand{}); err == nil {
			t.Error("an errand while Run runs")
		}
		f.renew(t, store, limits{}, 40, Errand{Force: true, Domains: []string{"domain7.example"}})
		if err := daemon.Reload(ctx); err != nil {
			t.Fatal(err)
		}
		all := daemon.Inventory()
		if i := slices.IndexFunc(all, func(e Entry) bool { return e.Domain == "domain7.example" }); all[i].Serial != "2a" {
			t.Errorf("the daemon serves %s, not what the command got", all[i].Serial)
		}
		stop()
		synctest.Wait()
	})
}
