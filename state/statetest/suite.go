// Package statetest holds what every implementation of state.Store promises,
// as one suite of tests. It works with real processes: the test binary runs
// itself again, so its TestMain must begin with statetest.Child.
package statetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"domherre/state"
)

// Run tests the implementation behind the locations that newLocation makes,
// each of an empty state.
func Run(t *testing.T, newLocation func(*testing.T) string) {
	for name, test := range map[string]func(*testing.T, string){
		"values":          testValues,
		"keys":            testKeys,
		"folders":         testFolders,
		"list":            testList,
		"cancelled":       testCancelled,
		"writers":         testWriters,
		"folder races":    testFolderRaces,
		"locks":           testLocks,
		"lock processes":  testLockProcesses,
		"lock killed":     testLockKilled,
		"lock count":      testLockCount,
		"leases":          testLeases,
		"lease processes": testLeaseProcesses,
		"lease waits":     testLeaseWaits,
		"fences":          testFences,
		"write killed":    testWriteKilled,
		"journal":         testJournal,
		"journal writers": testJournalWriters,
		"journal killed":  testJournalKilled,
		"watch":           testWatch,
		"watch processes": testWatchProcesses,
		"close":           testClose,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newLocation(t))
		})
	}
}

// With gives the location of the same state, to be opened with encrypted values
// and, where folder isn't empty, a cache in it.
func With(location, folder string) string { return marked + folder + " " + location }

const (
	marked = "sealed, cached in " // no location starts so
	secret = "no secret at all, but long enough"
)

// Open opens a location, which With may have made.
func Open(ctx context.Context, location string, more ...state.Option) (state.Store, error) {
	log := slog.New(slog.DiscardHandler)
	rest, ok := strings.CutPrefix(location, marked)
	if !ok {
		return state.Open(ctx, location, log, more...)
	}
	folder, location, _ := strings.Cut(rest, " ")
	key, err := state.NewKey(secret)
	if err != nil {
		return nil, err
	}
	return state.Open(ctx, location, log, append(more, state.WithKeys(key), state.WithCache(folder))...)
}

// patience bounds what should take an instant.
const patience = 20 * time.Second

func open(t *testing.T, location string) state.Store {
	t.Helper()
	s, err := Open(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantValue(t *testing.T, s state.Store, key, want string) {
	t.Helper()
	got, err := s.Load(t.Context(), key)
	if err != nil || string(got) != want {
		t.Fatalf("Load(%q) = %.80q, %v; want %.80q", key, got, err, want)
	}
}

func wantMissing(t *testing.T, s state.Store, key string) {
	t.Helper()
	if _, err := s.Load(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load(%q): %v; want fs.ErrNotExist", key, err)
	}
	if _, err := s.Stat(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat(%q): %v; want fs.ErrNotExist", key, err)
	}
	if _, err := s.List(t.Context(), key, true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("List(%q): %v; want fs.ErrNotExist", key, err)
	}
	if s.Exists(t.Context(), key) {
		t.Errorf("Exists(%q)", key)
	}
}

func testCancelled(t *testing.T, location string) {
	s := open(t, location)
	must(t, s.Store(t.Context(), "a", []byte("old")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, loadErr := s.Load(ctx, "a")
	_, listErr := s.List(ctx, "", true)
	_, statErr := s.Stat(ctx, "a")
	_, tryErr := s.TryLock(ctx, "l")
	_, appendErr := s.Append(ctx, "s", []byte("{}"))
	_, entriesErr := s.Entries(ctx, state.Filter{})
	_, watchErr := s.Watch(ctx, "")
	_, leaseErr := s.Acquire(ctx, "l", state.Holder{})
	for i, err := range []error{
		loadErr, listErr, statErr, tryErr, appendErr, entriesErr, watchErr, leaseErr,
		s.Store(ctx, "a", []byte("new")), s.Delete(ctx, "a"), s.Lock(ctx, "l"), s.Probe(ctx),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("operation %d under a cancelled context: %v", i, err)
		}
	}
	wantValue(t, s, "a", "old")
}

// testWriters has readers look at a key, all the while it is written by many:
// they see whole values alone.
func testWriters(t *testing.T, location string) {
	s := open(t, location)
	value := func(i int) []byte { return []byte(strings.Repeat(fmt.Sprint(i), 1000*(i+1))) }
	must(t, s.Store(t.Context(), "k/v", value(0)))
	ctx, stop := context.WithCancel(t.Context())
	var readers, writers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				got, err := s.Load(t.Context(), "k/v")
				if err != nil || len(got) == 0 || string(got) != string(value(int(got[0]-'0'))) {
					t.Errorf("read %d octets that nobody wrote, %v", len(got), err)
					return
				}
				keys, err := s.List(t.Context(), "", true)
				if err != nil || !slices.Equal(keys, []string{"k", "k/v"}) {
					t.Errorf("List = %q, %v", keys, err)
					return
				}
			}
		})
	}
	for i := range 8 {
		writers.Go(func() {
			for range 10 {
				if err := s.Store(t.Context(), "k/v", value(i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	stop()
	readers.Wait()
}

// testFolderRaces stores into a folder that others empty at the same time.
func testFolderRaces(t *testing.T, location string) {
	s := open(t, location)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			key := fmt.Sprintf("deep/er/folder/%d", i)
			for range 25 {
				if err := s.Store(t.Context(), key, []byte(key)); err != nil {
					t.Error(err)
				}
				if got, err := s.Load(t.Context(), key); err != nil || string(got) != key {
					t.Errorf("Load = %q, %v", got, err)
				}
				if err := s.Delete(t.Context(), key); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	wantMissing(t, s, "deep")
}

func testClose(t *testing.T, location string) {
	s, other := open(t, location), open(t, location)
	must(t, s.Lock(t.Context(), "l"))
	lease, err := s.Acquire(t.Context(), "l", state.Holder{})
	must(t, err)
	keys, err := s.Watch(t.Context(), "")
	must(t, err)
	must(t, s.Close())
	must(t, s.Close())
	for range keys { // until closed
	}
	<-lease.Context().Done()
	must(t, lease.Release())
	must(t, other.Lock(t.Context(), "l"))
	again, err := other.Acquire(t.Context(), "l", state.Holder{})
	must(t, err)
	must(t, again.Release())
	must(t, other.Unlock(t.Context(), "l"))
	if err := s.Store(t.Context(), "a", nil); !errors.Is(err, state.ErrClosed) {
		t.Errorf("Store after Close: %v", err)
	}
	if err := s.Lock(t.Context(), "l"); !errors.Is(err, state.ErrClosed) {
		t.Errorf("Lock after Close: %v", err)
	}
}
