package statetest

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"domherre/state"
)

// brief is long enough to see that something doesn't happen.
const brief = 100 * time.Millisecond

func wantTry(t *testing.T, s state.Store, name string, want bool) {
	t.Helper()
	got, err := s.TryLock(t.Context(), name)
	must(t, err)
	if got != want {
		t.Fatalf("TryLock(%q) = %v; want %v", name, got, want)
	}
}

func testLocks(t *testing.T, location string) {
	s, other := open(t, location), open(t, location)
	for _, name := range []string{"l", "L", "", "issue_cert_*.kopasex.example", "a/b", "../x", "å\x00", strings.Repeat("long", 300), strings.Repeat("long", 301)} {
		must(t, s.Lock(t.Context(), name))
		wantTry(t, s, name, false)
		wantTry(t, other, name, false)
		must(t, s.RenewLockLease(t.Context(), name, time.Minute))
		if err := other.RenewLockLease(t.Context(), name, time.Minute); err == nil {
			t.Error("renewed a lock that another one holds")
		}
		ctx, cancel := context.WithTimeout(t.Context(), brief)
		if err := other.Lock(ctx, name); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Lock of a held lock: %v", err)
		}
		cancel()
	}
	must(t, s.Unlock(t.Context(), "l"))
	wantTry(t, other, "l", true)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, other.Unlock(ended, "l"))
	if err := other.Unlock(t.Context(), "l"); err == nil {
		t.Error("unlocked what isn't locked")
	}
	if err := s.RenewLockLease(t.Context(), "l", time.Minute); err == nil {
		t.Error("renewed what isn't locked")
	}
	if keys, err := s.List(t.Context(), "", true); err != nil || len(keys) > 0 {
		t.Errorf("locks show among the keys: %q, %v", keys, err)
	}
}

func testLockProcesses(t *testing.T, location string) {
	s := open(t, location)
	c := start(t, "lock", location)
	c.hear(t)
	wantTry(t, s, "l", false)
	locked := make(chan error, 1)
	go func() { locked <- s.Lock(t.Context(), "l") }()
	select {
	case err := <-locked:
		t.Fatalf("took a lock that another process holds: %v", err)
	case <-time.After(brief):
	}
	c.finish(t)
	must(t, <-locked)
	must(t, s.Unlock(t.Context(), "l"))
}

// testLockKilled kills the holder while we wait, and before we come.
func testLockKilled(t *testing.T, location string) {
	s := open(t, location)
	for range 3 {
		c := start(t, "lock", location)
		c.hear(t)
		locked := make(chan error, 1)
		go func() { locked <- s.Lock(t.Context(), "l") }()
		c.kill()
		select {
		case err := <-locked:
			must(t, err)
		case <-time.After(patience):
			t.Fatal("a dead process still holds the lock")
		}
		must(t, s.Unlock(t.Context(), "l"))

		c = start(t, "lock", location)
		c.hear(t)
		c.kill()
		wantTry(t, s, "l", true)
		must(t, s.Unlock(t.Context(), "l"))
	}
}

// testLockCount raises one counter from goroutines and processes.
func testLockCount(t *testing.T, location string) {
	s := open(t, location)
	must(t, s.Store(t.Context(), "count", []byte("0")))
	children := []*child{start(t, "count", location), start(t, "count", location), start(t, "count", location)}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := count(t.Context(), s, 25); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, c := range children {
		c.finish(t)
	}
	wantValue(t, s, "count", strconv.Itoa(6*25))
}

func testLeases(t *testing.T, location string) {
	s, other := open(t, location), open(t, location)
	must(t, s.Lock(t.Context(), "l")) // another namespace
	lease, err := s.Acquire(t.Context(), "l", state.Holder{Command: "domherre run"})
	must(t, err)
	for _, who := range []state.Store{s, other} {
		_, err := who.Acquire(t.Context(), "l", state.Holder{})
		var held *state.HeldError
		if !errors.As(err, &held) {
			t.Fatalf("Acquire of a held lease: %v", err)
		}
		if h := held.Holder; held.Name != "l" || h.Command != "domherre run" || h.PID != os.Getpid() || h.User == "" || time.Since(h.Since) > patience {
			t.Errorf("held by %+v", held)
		}
	}
	if err := lease.Context().Err(); err != nil {
		t.Error(err)
	}
	must(t, lease.Release())
	must(t, lease.Release())
	<-lease.Context().Done()
	ctx, cancel := context.WithCancel(t.Context())
	again, err := other.Acquire(ctx, "l", state.Holder{})
	must(t, err)
	cancel()
	<-again.Context().Done()
	if _, err := s.Acquire(t.Context(), "l", state.Holder{}); err == nil {
		t.Error("a lease whose context has ended is ours until it is released")
	}
	must(t, again.Release())
}

func testLeaseProcesses(t *testing.T, location string) {
	s := open(t, location)
	for _, end := range []func(*child){func(c *child) { c.finish(t) }, func(c *child) { c.kill() }} {
		c := start(t, "lease", location)
		c.hear(t)
		_, err := s.Acquire(t.Context(), "l", state.Holder{})
		var held *state.HeldError
		if !errors.As(err, &held) {
			t.Fatalf("Acquire of a held lease: %v", err)
		}
		if h := held.Holder; h.Command != "domherre apply" || h.User != "anna" || h.PID != c.cmd.Process.Pid {
			t.Errorf("held by %+v", h)
		}
		if text := err.Error(); !strings.Contains(text, "l is held by domherre apply, pid "+strconv.Itoa(h(held))+", user anna") {
			t.Error(text)
		}
		end(c)
		lease, err := s.Acquire(t.Context(), "l", state.Holder{})
		must(t, err)
		must(t, lease.Release())
	}
}

func h(e *state.HeldError) int { return e.Holder.PID }

func testLeaseWaits(t *testing.T, location string) {
	s := open(t, location)
	c := start(t, "lease", location)
	c.hear(t)
	ctx, cancel := context.WithCancel(t.Context())
	told := 0
	_, err := s.AcquireWait(ctx, "l", state.Holder{}, func(e *state.HeldError) {
		if e.Holder.PID == c.cmd.Process.Pid {
			told++
		}
		cancel()
	})
	if !errors.Is(err, context.Canceled) || told != 1 {
		t.Errorf("AcquireWait: %v, told %d times", err, told)
	}
	lease, err := s.AcquireWait(t.Context(), "l", state.Holder{}, func(*state.HeldError) { c.kill() })
	must(t, err)
	must(t, lease.Release())
	lease, err = s.AcquireWait(t.Context(), "l", state.Holder{}, func(*state.HeldError) { t.Error("waited for a free lease") })
	must(t, err)
	must(t, lease.Release())
}
