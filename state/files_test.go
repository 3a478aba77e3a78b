package state

import (
	"bytes"
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
	"testing/synctest"
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
		{"postgres://anna:secret@db/domherre", "state: this version keeps its state in a folder, not in PostgreSQL; write the path of a folder, such as ./state"},
		{"s3://bucket", `state: "s3://" is no kind of location that is known; write the path of a folder, such as ./state`},
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
		for {
			select {
			case <-stop:
				return
			default:
				temps, _ := filepath.Glob(filepath.Join(s.root, tempDir, "*"))
				for _, temp := range temps[:min(len(temps), 1)] {
					_ = os.Remove(temp)
				}
			}
		}
	}()
	failed := 0
	for i := range 50 {
		key := fmt.Sprintf("k/%d", i)
		if err := s.Store(t.Context(), key, []byte(key)); err != nil {
			failed++ // five times in a row
			continue
		}
		if got, err := s.Load(t.Context(), key); err != nil || string(got) != key {
			t.Fatalf("Load = %q, %v", got, err)
		}
	}
	close(stop)
	<-done
	if failed == 50 {
		t.Error("no write ever came through")
	}
}

// TestJournalTorn cuts the journal's last line at every octet, as a killed
// process can leave it.
func TestJournalTorn(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	var ids []string
	for i := range 3 {
		id, err := s.Append(t.Context(), "kopasex.example", json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)))
		must(t, err)
		ids = append(ids, id)
	}
	months, err := s.months()
	must(t, err)
	file := filepath.Join(s.root, journalDir, months[0])
	whole, err := os.ReadFile(file)
	must(t, err)
	second := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for size := second; size < len(whole); size++ {
		torn := slices.Clone(whole[:size])
		if size%2 == 1 {
			torn = append(torn, 0, 0, 0) // a file system may leave what was never written
		}
		must(t, os.WriteFile(file, torn, 0o600))
		if got := idsOf(t, s); !slices.Equal(got, []string{ids[1], ids[0]}) {
			t.Fatalf("cut at %d: %q", size, got)
		}
		id, err := s.Append(t.Context(), "kopasex.example", json.RawMessage("1"))
		must(t, err)
		if got := idsOf(t, s); !slices.Equal(got, []string{id, ids[1], ids[0]}) {
			t.Fatalf("cut at %d and appended: %q", size, got)
		}
	}
	// A line that is no entry costs itself alone.
	must(t, os.WriteFile(file, append(slices.Clone(whole), "{garbage\n"...), 0o600))
	id, err := s.Append(t.Context(), "kopasex.example", json.RawMessage("1"))
	must(t, err)
	if got := idsOf(t, s); !slices.Equal(got, []string{id, ids[2], ids[1], ids[0]}) || id <= ids[2] {
		t.Errorf("with a bad line: %q", got)
	}
}

func idsOf(t *testing.T, s *files) []string {
	t.Helper()
	found, err := s.Entries(t.Context(), Filter{})
	must(t, err)
	var ids []string
	for _, e := range found {
		ids = append(ids, e.ID)
	}
	return ids
}

// TestJournalClock has the clock stand still, step back by a year and go on
// into another month.
func TestJournalClock(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	start := time.Date(2026, 11, 30, 23, 59, 59, 999_000_000, time.UTC)
	clock := []time.Time{start, start, start.AddDate(-1, 0, 0), start.Add(time.Hour), start.AddDate(0, 2, 0)}
	var made []string
	for _, now := range clock {
		s.now = func() time.Time { return now }
		id, err := s.Append(t.Context(), "a", json.RawMessage("1"))
		must(t, err)
		made = append([]string{id}, made...)
	}
	if got := idsOf(t, s); !slices.Equal(got, made) {
		t.Errorf("%q; want %q", got, made)
	}
	slices.Reverse(made)
	if !slices.IsSorted(made) {
		t.Errorf("not in order: %q", made)
	}
	months, err := s.months()
	must(t, err)
	if want := []string{"2027-01.jsonl", "2026-12.jsonl", "2026-11.jsonl"}; !slices.Equal(months, want) {
		t.Errorf("%q; want %q", months, want)
	}
	found, err := s.Entries(t.Context(), Filter{Limit: 4})
	must(t, err)
	if at := found[2].Time; !at.Equal(start.AddDate(-1, 0, 0)) {
		t.Errorf("an entry's time is %v, not what the clock said", at)
	}
}

func TestJournalLongLines(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	var last string
	for _, n := range []int{1, 8 << 10, 100_000, 8<<10 - 200, 3} {
		doc, err := json.Marshal(strings.Repeat("x", n))
		must(t, err)
		id, err := s.Append(t.Context(), "a", doc)
		must(t, err)
		newest, err := s.lastID()
		must(t, err)
		if newest != id || id <= last {
			t.Errorf("after %s came %s; the last is read as %s", last, id, newest)
		}
		last = id
	}
}

// TestJournalFull has an append fail half-way: nothing of it stays.
func TestJournalFull(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	id, err := s.Append(t.Context(), "a", json.RawMessage("1"))
	must(t, err)
	months, err := s.months()
	must(t, err)
	f, err := os.Open(filepath.Join(s.root, journalDir, months[0])) // for reading: writes fail
	must(t, err)
	defer f.Close()
	if err := s.appendTo(f, []byte("{}\n")); err == nil {
		t.Error("wrote to a file that is open for reading")
	}
	if got := idsOf(t, s); !slices.Equal(got, []string{id}) {
		t.Errorf("%q", got)
	}
}

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

func FuzzKey(f *testing.F) {
	for _, key := range []string{"a", "a/b", "", "..", "../x", "a/../../x", "/etc/passwd", "a//b", ".locks/x", "a\x00b", `a\..\b`, "å", "a/.", strings.Repeat("a", 300)} {
		f.Add(key)
	}
	s := &files{root: "/state"}
	f.Fuzz(func(t *testing.T, key string) {
		name, err := s.path(key)
		if (err == nil) != (ValidKey(key) == nil) {
			t.Fatalf("path(%q): %v; ValidKey: %v", key, err, ValidKey(key))
		}
		if err != nil {
			return
		}
		// The way back exists: so no two keys have one path, and none leads out.
		back, ok := strings.CutPrefix(name, "/state/")
		if !ok || back != key || filepath.Clean(name) != name || strings.Contains(name, "/.") {
			t.Errorf("%q lies at %q", key, name)
		}
	})
}

func FuzzLockFile(f *testing.F) {
	for _, name := range []string{"", ".", "..", "../x", "a/b", "A", "a", "%61", "issue_cert_*.kopasex.example", "å", strings.Repeat("a", 300), "~"} {
		f.Add(name, "a")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := lockFile(a), lockFile(b)
		if (a == b) != (x == y) {
			t.Errorf("%q and %q lock %q and %q", a, b, x, y)
		}
		if len(x) > 255 || strings.ContainsAny(x, "/\\\x00") || x == ".lock" && a != "" {
			t.Errorf("%q locks %q", a, x)
		}
	})
}
