package state

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestWatchDeaf has a watch look by itself, as where the system tells nothing.
func TestWatchDeaf(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	must(t, s.Store(t.Context(), "w/old", []byte("1")))
	must(t, s.Store(t.Context(), "w/going", []byte("1")))
	w := &watch{s: s, prefix: "w", dirs: map[string]*watchedDir{}, queued: map[string]bool{}}
	look := func(want ...string) {
		t.Helper()
		w.look(s.root, "", false)
		slices.Sort(w.pending)
		if !slices.Equal(w.pending, want) {
			t.Errorf("saw %q; want %q", w.pending, want)
		}
		w.pending, w.queued = nil, map[string]bool{}
	}
	look("w/going", "w/old")
	look()
	must(t, s.Store(t.Context(), "w/old", []byte("2")))
	must(t, s.Delete(t.Context(), "w/going"))
	must(t, s.Store(t.Context(), "w/deep/er/new", nil))
	must(t, s.Store(t.Context(), "x/other", nil))
	look("w/deep/er/new", "w/going", "w/old")
	look()
	look()
	must(t, s.Store(t.Context(), "w/deep/er/new", []byte("3")))
	look("w/deep/er/new")
	must(t, s.Delete(t.Context(), "w"))
	look("w/deep/er/new", "w/old")
	must(t, os.RemoveAll(s.root))
	look()
	must(t, s.Store(t.Context(), "w/again", nil))
	look("w/again")
}

// TestWatchSettles has a change come within the same tick of the folder's time
// as the look before it.
func TestWatchSettles(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	must(t, s.Store(t.Context(), "w/a", []byte("1")))
	w := &watch{s: s, prefix: "w", dirs: map[string]*watchedDir{}, queued: map[string]bool{}}
	w.look(s.root, "", false)
	dir := filepath.Join(s.root, "w")
	before, err := os.Stat(dir)
	must(t, err)
	must(t, s.Store(t.Context(), "w/b", []byte("1")))
	must(t, os.Chtimes(dir, time.Time{}, before.ModTime()))
	w.pending, w.queued = nil, map[string]bool{}
	w.look(s.root, "", false)
	if !slices.Equal(w.pending, []string{"w/b"}) {
		t.Errorf("saw %q", w.pending)
	}
}
