package state_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"domherre/state"
	"domherre/state/statetest"
)

// TestCopy copies files to PostgreSQL and back, breaks copies off, and goes on
// with them.
func TestCopy(t *testing.T) {
	t.Parallel()
	server := statetest.Postgres(t)
	ctx := t.Context()
	from := open(t, t.TempDir())
	defer from.Close()
	for i := range 40 {
		must(t, from.Store(ctx, fmt.Sprintf("certificates/d%d/1.pem", i), []byte(strings.Repeat("x", i))))
		_, err := from.Append(ctx, fmt.Sprintf("d%d.test", i), fmt.Appendf(nil, `{"n":%d,"s":"å"}`, i))
		must(t, err)
	}
	far := openCopy(t, server.URL("copy"))
	ended, cancel := context.WithCancel(ctx)
	_, err := state.Copy(ended, from, far, func(done, _ int) {
		if done == 10 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("a copy broken off: %v", err)
	}
	must(t, far.Close())
	var unfinished *state.UnfinishedError
	if _, err := state.Open(ctx, server.URL("copy"), slog.New(slog.DiscardHandler)); !errors.As(err, &unfinished) {
		t.Errorf("took an unfinished copy for a state: %v", err)
	}

	must(t, from.Delete(ctx, "certificates/d0")) // life goes on meanwhile
	far = openCopy(t, server.URL("copy"))
	if _, err := state.Copy(ctx, far, openCopy(t, t.TempDir()), func(int, int) {}); !errors.As(err, &unfinished) {
		t.Errorf("copied an unfinished copy: %v", err)
	}
	r, err := state.Copy(ctx, from, far, func(int, int) {})
	if err != nil || r.Values != 39 || r.Entries != 40 || r.Entered != 40 || r.Copied > 35 {
		t.Errorf("the rest: %+v, %v", r, err)
	}
	again, err := state.Copy(ctx, from, far, func(int, int) {})
	if err != nil || again.Copied != 0 || again.Entered != 0 || again.Digest != r.Digest {
		t.Errorf("once more: %+v, %v", again, err)
	}

	sealed, err := statetest.Open(ctx, statetest.With(t.TempDir(), ""), state.ForCopy())
	must(t, err)
	defer sealed.Close()
	back, err := state.Copy(ctx, far, sealed, func(int, int) {})
	if err != nil || back.Digest != r.Digest || back.Copied != 39 {
		t.Errorf("back: %+v, %v", back, err)
	}
	if a, b := entriesOf(t, from), entriesOf(t, sealed); !slices.Equal(a, b) {
		t.Errorf("the journal was\n%q\nand is\n%q", a, b)
	}
	id, err := sealed.Append(ctx, "x.test", []byte(`1`))
	if err != nil || id <= entriesOf(t, from)[0][:len(id)] {
		t.Errorf("the next entry is %s, %v", id, err)
	}
	var full *state.NotEmptyError
	if _, err := state.Copy(ctx, from, sealed, func(int, int) {}); !errors.As(err, &full) {
		t.Errorf("into another state: %v", err)
	}
	if _, err := state.Copy(ctx, from, from, func(int, int) {}); err == nil {
		t.Error("copied onto itself")
	}
	must(t, far.Close())
}

func openCopy(t *testing.T, location string) state.Store {
	t.Helper()
	s, err := state.Open(t.Context(), location, slog.New(slog.DiscardHandler), state.ForCopy())
	must(t, err)
	return s
}

func entriesOf(t *testing.T, s state.Store) []string {
	t.Helper()
	entries, err := s.Entries(t.Context(), state.Filter{})
	must(t, err)
	var all []string
	for _, e := range entries {
		all = append(all, fmt.Sprint(e.ID, e.Time.UnixMicro(), e.Subject, string(e.Doc)))
	}
	return all
}
