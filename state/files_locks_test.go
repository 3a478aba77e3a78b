package state

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestLeaseLost has somebody remove the file of a lease.
func TestLeaseLost(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	lease, err := s.Acquire(t.Context(), "l", Holder{})
	must(t, err)
	must(t, os.RemoveAll(filepath.Join(s.root, leaseDir)))
	other, err := openFiles(s.root, slog.New(slog.DiscardHandler))
	must(t, err)
	defer other.Close()
	robbed, err := other.Acquire(t.Context(), "l", Holder{})
	must(t, err)
	<-lease.Context().Done()
	if cause := context.Cause(lease.Context()); !errors.Is(cause, ErrLeaseLost) {
		t.Errorf("ended since %v", cause)
	}
	must(t, lease.Release())
	// What we gave back was ours, not the other one's.
	if _, err := s.Acquire(t.Context(), "l", Holder{}); err == nil {
		t.Error("took a lease that another one holds")
	}
	must(t, robbed.Release())
}

// TestLockClock steps the clock by a year to either side: it has no say.
func TestLockClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openTest(t)
		must(t, s.Lock(t.Context(), "l"))
		lease, err := s.Acquire(t.Context(), "l", Holder{})
		must(t, err)
		for _, years := range []int{1, -1} {
			s.now = func() time.Time { return time.Now().AddDate(years, 0, 0) }
			other, err := openFiles(s.root, slog.New(slog.DiscardHandler))
			must(t, err)
			other.now = s.now
			if ok, err := other.TryLock(t.Context(), "l"); ok || err != nil {
				t.Errorf("TryLock = %v, %v", ok, err)
			}
			if _, err := other.Acquire(t.Context(), "l", Holder{}); err == nil {
				t.Error("robbed a lease")
			}
			must(t, other.Close())
		}
		time.Sleep(24 * time.Hour) // of the bubble's clock
		must(t, lease.Context().Err())
		must(t, s.RenewLockLease(t.Context(), "l", time.Second))
		must(t, lease.Release())
		must(t, s.Unlock(t.Context(), "l"))
	})
}

func TestHolderString(t *testing.T) {
	t.Parallel()
	full := Holder{Command: "domherre apply", PID: 123, User: "anna", Host: "web1", Since: time.Date(2026, 11, 24, 8, 59, 1, 0, time.UTC)}
	for _, test := range []struct {
		holder Holder
		want   string
	}{
		{full, "domherre apply, pid 123, user anna, host web1, since 2026-11-24T08:59:01Z"},
		{Holder{Command: "domherre run", PID: 1}, "domherre run, pid 1"},
		{Holder{}, "a process that left no name"},
	} {
		if got := test.holder.String(); got != test.want {
			t.Errorf("%q; want %q", got, test.want)
		}
	}
}
