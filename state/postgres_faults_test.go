package state_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"testing"
	"time"

	"domherre/state"
	"domherre/state/statetest"
)

// TestPostgresCut cuts the connection at the n-th message, for every n, before
// it reaches the server and after: each change is made once, whole.
func TestPostgresCut(t *testing.T) {
	t.Parallel()
	server := statetest.Postgres(t)
	for _, after := range []bool{false, true} {
		relay := statetest.NewRelay(t, server)
		t.Run(fmt.Sprintf("tables, after=%v", after), func(t *testing.T) {
			everyCut(t, relay, after, 5, func(n int) {
				s := open(t, statetest.URLAt(relay.Dir, fmt.Sprintf("cut_%v_%d", after, n)))
				must(t, s.Close())
			})
		})
		t.Run(fmt.Sprintf("steps, after=%v", after), func(t *testing.T) {
			schema := fmt.Sprintf("cut_%v", after)
			direct := open(t, server.URL(schema))
			defer direct.Close()
			everyCut(t, relay, after, 50, func(n int) {
				server.Exec(`TRUNCATE ` + schema + `.value, ` + schema + `.entry`)
				statetest.Prepare(t, direct)
				s := open(t, statetest.URLAt(relay.Dir, schema))
				done := map[string]bool{}
				err := statetest.Steps(t.Context(), s, func(step string) { done[step] = true })
				if err := errors.Join(err, s.Close()); err != nil {
					t.Errorf("cut %d: %v", n, err)
				}
				statetest.CheckSteps(t, direct, done)
			})
		})
	}
}

// everyCut runs work with a cut at each of its messages, of which there are some.
func everyCut(t *testing.T, relay *statetest.Relay, after bool, some int, work func(n int)) {
	t.Helper()
	for n := 1; ; n++ {
		relay.Plan(statetest.Cut{Message: n, After: after})
		work(n)
		if t.Failed() {
			t.Fatalf("after cut %d", n)
		}
		if !relay.WasCut() {
			if n <= some {
				t.Errorf("there were %d messages to cut at", n-1)
			}
			return
		}
	}
}

// TestPostgresAway takes the database away and brings it back: operations say
// so, locks and leases hold for as long as nobody can have taken them, and the
// watch leaves nothing out.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	server := statetest.Postgres(t)
	relay := statetest.NewRelay(t, server)
	s, other := open(t, statetest.URLAt(relay.Dir, "away")), open(t, server.URL("away"))
	defer other.Close()
	defer s.Close()
	ctx := t.Context()
	lease, err := s.Acquire(ctx, "l", state.Holder{})
	must(t, err)
	keys, err := s.Watch(ctx, "")
	must(t, err)

	relay.Down(true)
	var away *state.DatabaseError
	if err := s.Store(ctx, "a", nil); !errors.As(err, &away) {
		t.Errorf("Store without the database: %v", err)
	}
	must(t, other.Store(ctx, "meanwhile", nil))
	if err := lease.Context().Err(); err != nil {
		t.Errorf("the lease ended early: %v", context.Cause(lease.Context()))
	}
	relay.Down(false)
	for key := range keys {
		if key == "meanwhile" {
			break
		}
	}
	must(t, s.Store(lease.Context(), "a", []byte("1")))

	relay.Down(true)
	<-lease.Context().Done()
	if err := context.Cause(lease.Context()); !errors.Is(err, state.ErrLeaseLost) {
		t.Errorf("the lease ended by %v", err)
	}
	again, err := other.AcquireWait(ctx, "l", state.Holder{}, nil)
	must(t, err)
	relay.Down(false)
	stale := context.WithoutCancel(lease.Context()) // whoever didn't notice
	if err := s.Store(stale, "a", []byte("2")); !errors.Is(err, state.ErrLeaseLost) {
		t.Errorf("Store under a lost lease: %v", err)
	}
	if err := s.Delete(stale, "a"); !errors.Is(err, state.ErrLeaseLost) {
		t.Errorf("Delete under a lost lease: %v", err)
	}
	if _, err := s.Append(stale, "a", json.RawMessage("1")); !errors.Is(err, state.ErrLeaseLost) {
		t.Errorf("Append under a lost lease: %v", err)
	}
	if value, err := other.Load(ctx, "a"); err != nil || string(value) != "1" {
		t.Errorf("a holds %q, %v", value, err)
	}
	must(t, again.Release())
}

// TestPostgresRestart restarts the server under writers and waiters: all go on.
func TestPostgresRestart(t *testing.T) {
	t.Parallel()
	server := statetest.Postgres(t)
	s := open(t, server.URL("restart"))
	defer s.Close()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var all sync.WaitGroup
	goOn := make(chan struct{})
	for i := range 4 {
		all.Go(func() {
			for n := 0; ; n++ {
				key, value := fmt.Sprintf("w/%d", i), fmt.Sprint(n)
				if err := s.Store(ctx, key, []byte(value)); err != nil {
					t.Error(err)
					return
				}
				if got, err := s.Load(ctx, key); err != nil || string(got) != value {
					t.Errorf("%s holds %q, not %q: %v", key, got, value, err)
					return
				}
				select {
				case <-goOn:
					return
				default:
				}
			}
		})
	}
	for range 3 {
		server.Stop()
		server.Start()
	}
	close(goOn)
	all.Wait()
}

// TestPostgresTogether opens an empty database from many sides at once.
func TestPostgresTogether(t *testing.T) {
	t.Parallel()
	server := statetest.Postgres(t)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			s, err := state.Open(t.Context(), server.URL("together"), slog.New(slog.DiscardHandler))
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if _, err := s.Load(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
