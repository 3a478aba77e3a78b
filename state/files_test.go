package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func openTest(t testing.TB) *files {
	t.Helper()
	s, err := openFiles(t.TempDir(), slog.New(slog.DiscardHandler))
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for _, test := range []struct{ location, want string }{
		{"", "state: no location given; write the path of a folder, such as ./state"},
		{"s3://bucket", `state: "s3://" is no kind of location that is known; write the path of a folder, such as ./state, or postgres://…`},
		{file, "state folder " + file + " is not writable: not a directory; a file is in its place: remove it, or name another folder under state:"},
		{file + "/below", "state folder " + file + "/below is not writable: not a directory; a file is in its place: remove it, or name another folder under state:"},
	} {
		_, err := Open(t.Context(), test.location, slog.New(slog.DiscardHandler))
		if err == nil || err.Error() != test.want {
			t.Errorf("Open(%q): %v\nwant %s", test.location, err, test.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, dir, slog.New(slog.DiscardHandler)); !errors.Is(err, context.Canceled) {
		t.Errorf("Open under a cancelled context: %v", err)
	}
}

func TestOpenLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	s, err := Open(t.Context(), dir, slog.New(slog.DiscardHandler))
	must(t, err)
	must(t, s.Close())
	for _, sub := range []string{"", tempDir, lockDir} {
		info, err := os.Stat(filepath.Join(dir, sub))
		must(t, err)
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%q has the mode %v", sub, info.Mode())
		}
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		must(t, err)
		if sub != "" && len(entries) > 0 {
			t.Errorf("%q holds %v", sub, entries)
		}
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	must(t, s.Store(t.Context(), "a/b", []byte("key")))
	must(t, s.Lock(t.Context(), "l"))
	_, err := s.Append(t.Context(), "x", json.RawMessage("1"))
	must(t, err)
	must(t, filepath.WalkDir(s.root, func(name string, e fs.DirEntry, err error) error {
		must(t, err)
		info, err := e.Info()
		must(t, err)
		if mode := info.Mode().Perm(); mode&0o077 != 0 && name != s.root {
			t.Errorf("%s has the mode %v", name, mode)
		}
		return nil
	}))
}

// TestFailedWrite has writes fail in several ways: the old value stands, and
// nothing is left behind.
func TestFailedWrite(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	must(t, s.Store(t.Context(), "a/b", []byte("old")))
	must(t, s.Store(t.Context(), "file", []byte("old")))
	for key, want := range map[string]string{
		"a":         "file exists",
		"file/deep": "not a directory",
	} {
		err := s.Store(t.Context(), key, []byte("new"))
		if err == nil || !strings.Contains(err.Error(), "state: writing "+key+" to "+s.root) || !strings.Contains(err.Error(), want) {
			t.Errorf("Store(%q): %v; want %s", key, err, want)
		}
	}
	keys, err := s.List(t.Context(), "", true)
	must(t, err)
	if want := []string{"a", "a/b", "file"}; !slices.Equal(keys, want) {
		t.Errorf("%q", keys)
	}
	temps, err := os.ReadDir(filepath.Join(s.root, tempDir))
	must(t, err)
	if len(temps) > 0 {
		t.Errorf("left behind: %v", temps)
	}
}

func TestCleanTemp(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir := filepath.Join(root, tempDir)
	must(t, os.MkdirAll(dir, 0o700))
	for _, name := range []string{"old", "young"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600))
	}
	past := time.Now().Add(-2 * tempAge)
	must(t, os.Chtimes(filepath.Join(dir, "old"), past, past))
	s, err := openFiles(root, slog.New(slog.DiscardHandler))
	must(t, err)
	defer s.Close()
	left, err := os.ReadDir(dir)
	must(t, err)
	if len(left) != 1 || left[0].Name() != "young" {
		t.Errorf("left: %v", left)
	}
}

// TestCleanedAway has a write's temporary file cleaned away under it, as by a
// process whose clock is wrong: it is written again.
func TestCleanedAway(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for removed := 0; removed < 20; {
			select {
			case <-stop:
				return
			default:
				temps, _ := filepath.Glob(filepath.Join(s.root, tempDir, "*"))
				for _, temp := range temps[:min(len(temps), 1)] {
					if os.Remove(temp) == nil {
						removed++
					}
				}
			}
		}
	}()
	for i := range 50 {
		key := fmt.Sprintf("k/%d", i)
		must(t, s.Store(t.Context(), key, []byte(key)))
		if got, err := s.Load(t.Context(), key); err != nil || string(got) != key {
			t.Fatalf("Load = %q, %v", got, err)
		}
	}
	close(stop)
	<-done
}
