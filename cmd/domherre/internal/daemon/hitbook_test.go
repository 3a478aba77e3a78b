package daemon

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"domherre/cmd/domherre/internal/wire"
	"domherre/config"
	"domherre/portfolio"
	"domherre/redirect"
	"domherre/state"
)

const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"

// counting is a node that counts.
type counting struct {
	*daemon
	visits *redirect.Hits
}

func newCounting(t *testing.T, store state.Store, zone *time.Location) counting {
	t.Helper()
	d := newDaemon(Options{}, store, slog.New(slog.DiscardHandler))
	d.hits = newHitBook(d.visits, time.Now, zone)
	d.visits.Domains([]string{"kopasex.se"})
	d.current.Store(&generation{cfg: &config.Config{Portfolio: portfolio.Portfolio{ID: "du-avgor"}}})
	return counting{d, d.visits}
}

func (c counting) visit(n int) {
	for range n {
		c.visits.Visited("kopasex.se", 302, browser)
	}
}

// kept gives what the state holds of a day; all days for "".
func kept(t *testing.T, store state.Store, day string) int64 {
	t.Helper()
	total, ofDay, err := (&wire.HitSums{HitStore: wire.HitStore{Store: store, Portfolio: "du-avgor"}}).Read(t.Context(), day)
	if err != nil {
		t.Fatal(err)
	}
	if day == "" {
		return total["kopasex.se"].Sum()
	}
	return ofDay["kopasex.se"].Sum()
}

func stockholm(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func openFiles(t *testing.T) state.Store {
	t.Helper()
	store, err := state.Open(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// A visit a second: of a process that is killed at any moment, at most a
// minute's are lost; the next one goes on from there.
func TestHitsOutliveKills(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := openFiles(t)
		defer store.Close()
		visits, lost := int64(0), int64(0)
		for life := 1; life <= 5; life++ {
			ctx, kill := context.WithCancel(t.Context())
			node := newCounting(t, store, time.UTC)
			go node.hitsLoop(ctx)
			for range life*37 + 13 {
				node.visit(1)
				visits++
				time.Sleep(time.Second)
			}
			kill()
			synctest.Wait()
			if lost = visits - kept(t, store, ""); lost > 60 {
				t.Fatalf("life %d: %d of %d lost", life, lost, visits)
			}
			visits -= lost
		}
		node := newCounting(t, store, time.UTC)
		node.learnHits(t.Context())
		node.visit(3)
		if total, today := node.hits.sums(); total["kopasex.se"].Person != visits+3 || today["kopasex.se"].Person != visits+3 {
			t.Errorf("got %v, today %v, want %d", total, today, visits+3)
		}
	})
}

// Days begin at midnight of the zone, in spring and in autumn too.
func TestHitsByDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		zone := stockholm(t)
		store := openFiles(t)
		defer store.Close()
		node := newCounting(t, store, zone)
		for _, day := range []string{"2000-03-26", "2000-10-29"} { // of 23 and 25 hours
			start, err := time.ParseInLocation(time.DateOnly, day, zone)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Until(start) - time.Hour/2)
			ctx, stop := context.WithCancel(t.Context())
			go node.hitsLoop(ctx)
			end := start.AddDate(0, 0, 1)
			for time.Now().Before(end.Add(time.Hour)) {
				time.Sleep(time.Hour)
				node.visit(1) // always half past
			}
			time.Sleep(time.Minute)
			stop()
			synctest.Wait()
			if got, want := kept(t, store, day), int64(end.Sub(start).Hours()); got != want {
				t.Errorf("%s: got %d, want %d", day, got, want)
			}
		}
	})
}

// A clock that jumps ahead and back costs nothing.
func TestHitsWhenTheClockJumps(t *testing.T) {
	t.Parallel()
	store := openFiles(t)
	defer store.Close()
	node := newCounting(t, store, time.UTC)
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	node.hits = newHitBook(node.visits, func() time.Time { return now }, time.UTC)
	for i := range 12 {
		node.visit(10)
		node.keepHits(t.Context())
		now = now.AddDate(0, 0, []int{365, -365, 1}[i%3])
	}
	if got := kept(t, store, ""); got != 120 {
		t.Errorf("got %d, want 120", got)
	}
}

// While the state can't be written nothing is forgotten, and days that pass
// meanwhile stay apart.
func TestHitsWhileTheStateIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := openFiles(t)
		defer store.Close()
		away := &awayStore{stateStore: store}
		away.away.Store(true)
		node := newCounting(t, away, time.UTC)
		ctx, stop := context.WithCancel(t.Context())
		go node.hitsLoop(ctx)
		time.Sleep(time.Second)
		for range 3 {
			node.visit(10)
			time.Sleep(24 * time.Hour)
		}
		away.away.Store(false)
		time.Sleep(time.Minute)
		stop()
		synctest.Wait()
		for day, want := range map[string]int64{"2000-01-01": 10, "2000-01-03": 10, "2000-01-04": 0, "": 30} {
			if got := kept(t, store, day); got != want {
				t.Errorf("%s: got %d, want %d", day, got, want)
			}
		}
	})
}

// awayStore is a state that can't be written for a while.
type awayStore struct {
	stateStore
	away atomic.Bool
}

type stateStore = state.Store

func (s *awayStore) Store(ctx context.Context, key string, value []byte) error {
	if s.away.Load() {
		return errors.New("away")
	}
	return s.stateStore.Store(ctx, key, value)
}
