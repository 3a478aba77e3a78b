package state_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"domherre/state"
	"domherre/state/statetest"
)

func open(t *testing.T, location string) state.Store {
	t.Helper()
	s, err := state.Open(t.Context(), location, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// prepared makes a state for the steps of a child.
func prepared(t *testing.T) string {
	t.Helper()
	location := t.TempDir()
	s := open(t, location)
	statetest.Prepare(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return location
}

// check looks at what a child left of the state.
func check(t *testing.T, location string, told []byte) {
	t.Helper()
	done := map[string]bool{}
	for line := range strings.Lines(string(told)) {
		done[strings.TrimSpace(line)] = true
	}
	s := open(t, location)
	statetest.CheckSteps(t, s, done)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestSystemCalls lets the n-th system call of a kind kill the process or fail,
// for every n: the state is valid every time, and what was told as done holds.
func TestSystemCalls(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		const message = "strace is not installed: apt-get install strace"
		if os.Getenv("DOMHERRE_REQUIRE_SERVERS") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	for _, fault := range []struct{ calls, effect string }{
		{"fsync", "signal=SIGKILL"},
		{"write,pwrite64", "signal=SIGKILL"},
		{"rename,renameat,renameat2", "signal=SIGKILL"},
		{"unlink,unlinkat,rmdir", "signal=SIGKILL"},
		{"mkdir,mkdirat", "signal=SIGKILL"},
		{"flock", "signal=SIGKILL"},
		{"fsync", "error=EIO"},
		{"pwrite64", "error=ENOSPC"},
		{"rename,renameat,renameat2", "error=ENOSPC"},
		{"mkdir,mkdirat", "error=ENOSPC"},
	} {
		t.Run(fault.calls+" "+fault.effect, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				location := prepared(t)
				child := statetest.Command(t, "steps", location)
				var told, said bytes.Buffer
				child.Args = append([]string{
					strace, "-f", "-qqq", "-o", os.DevNull, "-e", "trace=" + fault.calls,
					"-e", fmt.Sprintf("inject=%s:%s:when=%d", fault.calls, fault.effect, n),
				}, child.Path)
				child.Path = strace
				child.Stdout, child.Stderr = &told, &said
				err := child.Run()
				check(t, location, told.Bytes())
				if t.Failed() {
					t.Fatalf("after fault %d (%v):\n%s", n, err, said.Bytes())
				}
				if err == nil {
					if n == 1 {
						t.Errorf("there was no %s to fail", fault.calls)
					}
					return
				}
				if n > 60 {
					t.Fatal("still failing: is strace allowed to trace here?", err, said.String())
				}
			}
		})
	}
}

// TestFull has files end at a few octets, as on a full disk.
func TestFull(t *testing.T) {
	t.Parallel()
	location := prepared(t)
	child := statetest.Command(t, "full", location)
	var said bytes.Buffer
	child.Stderr = &said
	told, err := child.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("the child: %v", err)
	}
	if text := said.String(); !strings.Contains(text, "writing certificates/old/key to "+location+": file too large; the old value stands") {
		t.Errorf("the child said\n%s", text)
	}
	check(t, location, told)
}

// TestForbidden uses a folder of another user's.
func TestForbidden(t *testing.T) {
	t.Parallel()
	location := prepared(t)
	if os.Geteuid() != 0 {
		if err := os.Chmod(location, 0o500); err != nil {
			t.Fatal(err)
		}
		testForbidden(t, location)
		return
	}
	// The temporary folders above it let nobody else through: hold it open.
	dir, err := os.Open(location)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	t.Run("as nobody", func(t *testing.T) {
		runtime.LockOSThread() // for good: the thread ends with the subtest
		if err := unix.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		testForbidden(t, fmt.Sprintf("/proc/self/fd/%d", dir.Fd()))
	})
}

func testForbidden(t *testing.T, location string) {
	log := slog.New(slog.DiscardHandler)
	_, err := state.Open(t.Context(), location, log)
	var forbidden *state.NotWritableError
	if !errors.As(err, &forbidden) || !errors.Is(err, syscall.EACCES) || !strings.Contains(err.Error(), "is not writable: permission denied; run as the user who owns it, or give it to ") {
		t.Errorf("Open: %v", err)
	}
	s, err := state.OpenDegraded(context.Background(), location, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Probe(t.Context()); !errors.As(err, &forbidden) {
		t.Errorf("Probe: %v", err)
	}
	if err := s.Store(t.Context(), "a", nil); !errors.Is(err, syscall.EACCES) {
		t.Errorf("Store: %v", err)
	}
	if _, err := s.TryLock(t.Context(), "l"); !errors.Is(err, syscall.EACCES) {
		t.Errorf("TryLock: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
