package state_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"domherre/state"
	"domherre/state/statetest"
)

// TestCache takes the database away from nodes that keep a copy of it.
func TestCache(t *testing.T) {
	t.Parallel()
	server := statetest.Postgres(t)
	relay := statetest.NewRelay(t, server)
	folder := t.TempDir()
	far := open(t, server.URL("cache"))
	defer far.Close()
	ctx := t.Context()
	must(t, far.Store(ctx, "certificates/a/1.pem", []byte("a1")))

	s := openCached(t, relay, folder)
	if _, err := s.Load(ctx, "certificates/a/1.pem"); err != nil {
		t.Fatal(err)
	}
	must(t, far.Store(ctx, "certificates/b/1.pem", []byte("b1"))) // by another node
	must(t, far.Delete(ctx, "certificates/a/1.pem"))
	must(t, far.Store(ctx, "certificates/a/2.pem", []byte("a2")))
	holds(t, folder, 2)
	must(t, s.Lock(ctx, "l"))
	relay.Down(true)
	var away *state.DatabaseError
	if _, err := s.Load(ctx, "certificates/a/2.pem"); !errors.As(err, &away) {
		t.Errorf("who holds a lock must not read what may be old: %v", err)
	}
	must(t, s.Close())

	// A node that starts without the database.
	s = openCached(t, relay, folder)
	defer s.Close()
	began := time.Now()
	for range 1000 {
		if value, err := s.Load(ctx, "certificates/b/1.pem"); err != nil || string(value) != "b1" {
			t.Fatalf("b holds %q, %v", value, err)
		}
	}
	if took := time.Since(began); took > patience {
		t.Errorf("1000 reads in an outage took %v", took)
	}
	if keys, err := s.List(ctx, "certificates", true); err != nil || len(keys) != 4 {
		t.Errorf("List = %q, %v", keys, err)
	}
	if _, err := s.Load(ctx, "never"); !errors.As(err, &away) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what the cache lacks may be there: %v", err)
	}
	if err := s.Store(ctx, "certificates/b/1.pem", nil); !errors.As(err, &away) {
		t.Errorf("Store: %v", err)
	}
	torn(t, folder)
	if _, err := s.Load(ctx, "certificates/b/1.pem"); !errors.As(err, &away) {
		t.Errorf("took a torn value: %v", err)
	}

	must(t, far.Delete(ctx, "certificates/b"))
	relay.Down(false)
	holds(t, folder, 1)
	wait(t, "the database is asked again", func() bool {
		_, err := s.Load(ctx, "certificates/b/1.pem")
		return errors.Is(err, fs.ErrNotExist)
	})
}

const patience = 20 * time.Second

func openCached(t *testing.T, relay *statetest.Relay, folder string) state.Store {
	t.Helper()
	s, err := state.OpenDegraded(context.Background(), statetest.URLAt(relay.Dir, "cache"), slog.New(slog.DiscardHandler), state.WithCache(folder))
	must(t, err)
	return s
}

func pemsIn(folder string) []string {
	files, _ := filepath.Glob(filepath.Join(folder, "*/certificates/*/*.pem"))
	return files
}

// holds waits until the cache has so many certificates.
func holds(t *testing.T, folder string, n int) {
	t.Helper()
	wait(t, fmt.Sprintf("the cache holds %d certificates", n), func() bool { return len(pemsIn(folder)) == n })
}

func wait(t *testing.T, what string, until func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !until() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}

// torn leaves every certificate of the cache half written.
func torn(t *testing.T, folder string) {
	t.Helper()
	for _, file := range pemsIn(folder) {
		must(t, os.Truncate(file, 33))
	}
}

// TestCacheHangs has a database that neither answers nor refuses: who may read
// what is near waits for a moment only, at the start as later.
func TestCacheHangs(t *testing.T) {
	t.Parallel()
	relay, folder, ctx := statetest.NewRelay(t, statetest.Postgres(t)), t.TempDir(), t.Context()
	s := openCached(t, relay, folder)
	must(t, s.Store(ctx, "certificates/a/1.pem", []byte("a1")))
	must(t, s.Close())
	relay.Hang(true)
	began := time.Now()
	s = openCached(t, relay, folder)
	_, err := s.Watch(ctx, "")
	must(t, err)
	for range 100 {
		if value, err := s.Load(ctx, "certificates/a/1.pem"); err != nil || string(value) != "a1" {
			t.Fatalf("a holds %q, %v", value, err)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("opening and reading took %v", took)
	}
	relay.Hang(false)
	wait(t, "the database is asked again", func() bool { return s.Store(ctx, "certificates/a/1.pem", []byte("a2")) == nil })
	wait(t, "what it has is read", func() bool {
		value, err := s.Load(ctx, "certificates/a/1.pem")
		return err == nil && string(value) == "a2"
	})
	must(t, s.Close())
}
