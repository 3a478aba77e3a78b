package statetest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"domherre/state"
)

// testFences has one write who doesn't notice that it lost its lease or lock:
// what the next holder wrote stands.
func testFences(t *testing.T, location string) {
	s, next := open(t, location), open(t, location)
	ctx := t.Context()
	lease, err := s.Acquire(ctx, "lead", state.Holder{})
	must(t, err)
	must(t, s.Lock(ctx, "certificate"))
	under := s.Fence(context.WithoutCancel(lease.Context()), "certificate")
	must(t, s.Store(under, "a/b", []byte("old")))
	wantRefused := func(under context.Context, when string) {
		t.Helper()
		_, appended := s.Append(under, "a", json.RawMessage("1"))
		for what, err := range map[string]error{"Store": s.Store(under, "a/b", []byte("stale")), "Delete": s.Delete(under, "a"), "Append": appended} {
			if !errors.Is(err, state.ErrLeaseLost) {
				t.Errorf("%s %s: %v", what, when, err)
			}
		}
	}

	must(t, s.Unlock(ctx, "certificate"))
	wantRefused(under, "after the lock was given back")
	must(t, next.Lock(ctx, "certificate"))
	wantRefused(under, "while another one holds the lock")
	wantRefused(s.Fence(ctx, "never"), "under a lock that was never held")
	must(t, next.Unlock(ctx, "certificate"))
	must(t, s.Lock(ctx, "certificate"))
	wantRefused(under, "under a lock that was taken anew")

	must(t, s.Store(s.Fence(context.WithoutCancel(lease.Context()), "certificate"), "a/b", []byte("new")))
	must(t, lease.Release())
	wantRefused(s.Fence(context.WithoutCancel(lease.Context()), "certificate"), "after the lease was given back")
	if value, err := next.Load(ctx, "a/b"); err != nil || string(value) != "new" {
		t.Errorf("a/b holds %q, %v", value, err)
	}
	if entries, err := next.Entries(ctx, state.Filter{}); err != nil || len(entries) > 0 {
		t.Errorf("the journal holds %v, %v", entries, err)
	}
	must(t, s.Unlock(ctx, "certificate"))
}
