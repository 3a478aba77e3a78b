package config

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// deadline is how long a test waits for what must come.
const deadline = 20 * time.Second

// watched is a running Watch over one folder.
type watched struct {
	t       *testing.T
	dir     string
	changed chan string // the content at each call
}

// watchFile starts Watch over the file name in a new folder that setUp fills.
func watchFile(t *testing.T, name string, poll time.Duration, setUp func(dir string)) *watched {
	t.Helper()
	w := &watched{t: t, dir: t.TempDir(), changed: make(chan string, 100)}
	setUp(w.dir)
	path := filepath.Join(w.dir, name)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	sources := Sources{Files: []string{path}, Globs: []string{filepath.Join(w.dir, "more", "*.txt")}}
	sources.read = look(sources)
	go func() {
		defer close(done)
		Watch(ctx, WatchOptions{
			Sources: func() Sources { return sources },
			Settle:  20 * time.Millisecond, Poll: poll,
		}, func() {
			b, _ := os.ReadFile(path)
			w.changed <- string(b)
		})
	}()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

func (w *watched) path(name string) string { return filepath.Join(w.dir, name) }

func (w *watched) write(name, s string) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), []byte(s), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// until waits for a call with this content.
func (w *watched) until(want string) {
	w.t.Helper()
	timeout := time.After(deadline)
	for {
		select {
		case got := <-w.changed:
			if got == want {
				return
			}
			if got != "" { // a busy machine may take long between two system calls of a save
				w.t.Errorf("changed was called with %q on the way to %q", got, want)
			}
		case <-timeout:
			w.t.Fatalf("changed was never called with %q", want)
		}
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

const never = time.Hour // a poll that leaves all to events

func TestWatchSavesOfEveryKind(t *testing.T) {
	t.Parallel()
	w := watchFile(t, "f.txt", never, func(dir string) {
		must(t, os.WriteFile(filepath.Join(dir, "f.txt"), []byte("one\n"), 0o600))
	})
	w.write("f.txt", "one\ntwo\n")
	w.until("one\ntwo\n")

	w.write("new", "renamed into place\n")
	must(t, os.Rename(w.path("new"), w.path("f.txt")))
	w.until("renamed into place\n")

	must(t, os.Remove(w.path("f.txt")))
	w.write("f.txt", "deleted and written anew\n")
	w.until("deleted and written anew\n")

	f, err := os.OpenFile(w.path("f.txt"), os.O_WRONLY|os.O_TRUNC, 0)
	must(t, err)
	_, err = f.WriteString("truncated\n")
	must(t, err, f.Close())
	w.until("truncated\n")

	must(t, os.Remove(w.path("f.txt")))
	w.until("")
	w.write("f.txt", "after it was gone\n")
	w.until("after it was gone\n")
}

func TestWatchTellsNothingWhereTheContentStays(t *testing.T) {
	t.Parallel()
	w := watchFile(t, "f.txt", 5*time.Millisecond, func(dir string) {
		must(t, os.WriteFile(filepath.Join(dir, "f.txt"), []byte("one\n"), 0o600))
	})
	w.write("other", "beside it")
	w.write("f.txt", "one\n")
	must(t, os.Chmod(w.path("f.txt"), 0o640))
	w.write("f.txt", "one\ntwo\n")
	w.until("one\ntwo\n")
	if n := len(w.changed); n != 0 {
		t.Errorf("%d more calls", n)
	}
}

// A program that writes slowly, with the file open all the time, is waited for
// however long its pauses are.
func TestWatchWaitsForASlowWriter(t *testing.T) {
	t.Parallel()
	w := watchFile(t, "f.txt", 5*time.Millisecond, func(dir string) {
		must(t, os.WriteFile(filepath.Join(dir, "f.txt"), []byte("one\n"), 0o600))
	})
	f, err := os.OpenFile(w.path("f.txt"), os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	if !openForWriting(w.path("f.txt")) {
		must(t, f.Close())
		t.Skip("this system doesn't tell who writes a file")
	}
	_, err = f.WriteString("two\n")
	must(t, err)
	select {
	case got := <-w.changed:
		t.Errorf("changed was called with %q", got)
	case <-time.After(500 * time.Millisecond): // 25 times Settle
	}
	_, err = f.WriteString("three\n")
	must(t, err, f.Close())
	w.until("one\ntwo\nthree\n")
}

// Kubernetes mounts a folder whose files are links through ..data, which is
// itself a link that is swapped.
func TestWatchFollowsSwappedLinks(t *testing.T) {
	t.Parallel()
	version := func(dir, name, s string) {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o700), os.WriteFile(filepath.Join(dir, name, "f.txt"), []byte(s), 0o600))
	}
	w := watchFile(t, "f.txt", never, func(dir string) {
		version(dir, "..1", "one\n")
		must(t, os.Symlink("..1", filepath.Join(dir, "..data")), os.Symlink("..data/f.txt", filepath.Join(dir, "f.txt")))
	})
	version(w.dir, "..2", "two\n")
	must(t, os.Symlink("..2", w.path("..tmp")), os.Rename(w.path("..tmp"), w.path("..data")), os.RemoveAll(w.path("..1")))
	w.until("two\n")
	w.write("..2/f.txt", "two, edited\n")
	w.until("two, edited\n")
}

func TestWatchFindsAFolderThatComesBack(t *testing.T) {
	t.Parallel()
	w := watchFile(t, "sub/f.txt", 20*time.Millisecond, func(dir string) {
		must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700), os.WriteFile(filepath.Join(dir, "sub/f.txt"), []byte("one\n"), 0o600))
	})
	must(t, os.RemoveAll(w.path("sub")))
	w.until("")
	must(t, os.Mkdir(w.path("sub"), 0o700))
	w.write("sub/f.txt", "two\n")
	w.until("two\n")
}

func TestWatchSeesNewFilesOfAPattern(t *testing.T) {
	t.Parallel()
	w := watchFile(t, "f.txt", never, func(dir string) {
		must(t, os.WriteFile(filepath.Join(dir, "f.txt"), []byte("one\n"), 0o600), os.Mkdir(filepath.Join(dir, "more"), 0o700))
	})
	w.write("more/a.txt", "x\n")
	w.until("one\n")
}

// Network drives send no events: reading again finds the change.
func TestWatchWithoutEvents(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f.txt")
	must(t, os.WriteFile(path, []byte("one\n"), 0o600))
	w := newWatcher(WatchOptions{Sources: func() Sources { return Sources{Files: []string{path}} }, Poll: time.Millisecond, Settle: time.Millisecond})
	must(t, os.WriteFile(path, []byte("two\n"), 0o600))
	if !w.wait(t.Context(), w.poll) {
		t.Fatal("the wait ended")
	}
	now, ok := w.settled(t.Context(), look(w.sources))
	if !ok || now.equal(w.last) {
		t.Error("the change wasn't found")
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	Watch(ctx, WatchOptions{Sources: func() Sources { return Sources{} }}, func() { t.Error("called") })
}
