package statetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"

	"domherre/state"
)

// Steps does one of each kind of change, tells each that is done, and goes on
// where one fails.
func Steps(ctx context.Context, s state.Store, done func(step string)) error {
	var failures []error
	for i, step := range allSteps() {
		if err := step(ctx, s); err != nil {
			failures = append(failures, fmt.Errorf("step %d: %w", i, err))
			continue
		}
		done(strconv.Itoa(i))
	}
	return errors.Join(failures...)
}

type step func(context.Context, state.Store) error

// allSteps is a change of each kind, on a state that Prepare has made.
func allSteps() []step {
	return []step{
		func(ctx context.Context, s state.Store) error {
			return s.Store(ctx, "certificates/old/key", []byte(strings.Repeat("new", 1000)))
		},
		func(ctx context.Context, s state.Store) error { return s.Store(ctx, "new/deep/key", []byte("new")) },
		func(ctx context.Context, s state.Store) error { return s.Delete(ctx, "going/key") },
		func(ctx context.Context, s state.Store) error {
			_, err := s.Append(ctx, "new", json.RawMessage(`"new"`))
			return err
		},
		func(ctx context.Context, s state.Store) error {
			lease, err := s.Acquire(ctx, "lease", state.Holder{})
			if err != nil {
				return err
			}
			return lease.Release()
		},
	}
}

// Prepare fills an empty state for the part "steps" of a child.
func Prepare(t *testing.T, s state.Store) {
	t.Helper()
	must(t, s.Store(t.Context(), "certificates/old/key", []byte(strings.Repeat("old", 1000))))
	must(t, s.Store(t.Context(), "going/key", []byte("old")))
	_, err := s.Append(t.Context(), "old", json.RawMessage(`"old"`))
	must(t, err)
}

// CheckSteps checks the state after that, of which those in done were told as
// done: these hold, the others hold or never happened, and all that was there
// before is there. The state works.
func CheckSteps(t *testing.T, s state.Store, done map[string]bool) {
	t.Helper()
	either := func(step int, key, before, after string) {
		t.Helper()
		value, err := s.Load(t.Context(), key)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			value = nil
		case err != nil:
			t.Error(err)
		}
		if string(value) != after && (string(value) != before || done[strconv.Itoa(step)]) {
			t.Errorf("step %d told as done: %v; %s holds %.20q", step, done[strconv.Itoa(step)], key, value)
		}
	}
	either(0, "certificates/old/key", strings.Repeat("old", 1000), strings.Repeat("new", 1000))
	either(1, "new/deep/key", "", "new")
	either(2, "going/key", "old", "")
	var subjects []string
	for _, e := range entries(t, s, state.Filter{}) {
		subjects = append(subjects, e.Subject)
	}
	if !slices.Equal(subjects, []string{"new", "old"}) && (!slices.Equal(subjects, []string{"old"}) || done["3"]) {
		t.Errorf("step 3 told as done: %v; the journal holds %q", done["3"], subjects)
	}
	for i, step := range allSteps() {
		if err := step(t.Context(), s); err != nil {
			t.Errorf("step %d, again: %v", i, err)
		}
	}
	keys, err := s.List(t.Context(), "", true)
	must(t, err)
	if want := []string{"certificates", "certificates/old", "certificates/old/key", "new", "new/deep", "new/deep/key"}; !slices.Equal(keys, want) {
		t.Errorf("the state holds %q", keys)
	}
}
