package state_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"testing"

	"domherre/state"
	"domherre/state/statetest"
)

// TestPostgresFailover has the primary die and a standby take its place: what
// was stored, locks and leases survive. The former primary comes back as if
// nothing had happened, and nobody writes to it.
func TestPostgresFailover(t *testing.T) {
	t.Parallel()
	first := statetest.Postgres(t)
	second := first.Standby()
	// Connections are made anew all the time.
	location := statetest.ClusterURL("failover", url.Values{"pool_max_conn_lifetime": {"50ms"}}, first, second)
	s, ctx := open(t, location), t.Context()
	defer s.Close()
	lease, err := s.Acquire(ctx, "lead", state.Holder{})
	must(t, err)
	must(t, s.Lock(ctx, "certificate"))
	under := s.Fence(lease.Context(), "certificate")
	must(t, s.Store(under, "a", []byte("1")))
	second.Follow(first)

	first.Kill()
	second.Promote()
	wait(t, "the standby takes writes", func() bool { return s.Store(under, "a", []byte("2")) == nil })
	if err := lease.Context().Err(); err != nil {
		t.Errorf("the lease was lost: %v", err)
	}
	first.Start() // alone, as a primary
	other := open(t, location)
	defer other.Close()
	if ok, err := other.TryLock(ctx, "certificate"); ok || err != nil {
		t.Errorf("a lock that is held was taken: %v, %v", ok, err)
	}
	for i, s := range []state.Store{s, other, s, other, s, other} {
		key := fmt.Sprint("later/", i)
		must(t, s.Store(ctx, key, nil))
		if n := first.Ask(`SELECT count(*)::text FROM failover.value WHERE key = $1`, key); n != "0" {
			t.Fatalf("%s was written to the former primary", key)
		}
	}

	// Nothing but the former primary is left: better nothing than that.
	second.Kill()
	var away *state.DatabaseError
	if err := s.Store(ctx, "later/stale", nil); !errors.As(err, &away) {
		t.Errorf("Store: %v", err)
	}
	if _, err := s.Load(ctx, "a"); errors.Is(err, fs.ErrNotExist) || err == nil {
		t.Errorf("Load: %v", err)
	}
}
