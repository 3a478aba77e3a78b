package statetest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"domherre/state"
)

// childEnv holds the part and the location of a test's child process.
const childEnv = "DOMHERRE_STATETEST"

// Child plays a test's other process where this process was started as one,
// and exits; else it does nothing. TestMain calls it first.
func Child() {
	part, location, ok := strings.Cut(os.Getenv(childEnv), " ")
	if !ok {
		return
	}
	runtime.LockOSThread() // strace counts the system calls of each thread
	if err := play(part, location); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func play(part, location string) error {
	ctx := context.Background()
	s, err := Open(ctx, location)
	if err != nil {
		return err
	}
	switch part {
	case "lock":
		err = s.Lock(ctx, "l")
		say("held")
		return waitAnd(err, func() error { return s.Unlock(ctx, "l") })
	case "lease":
		lease, err := s.Acquire(ctx, "l", state.Holder{Command: "domherre apply", User: "anna"})
		if err != nil {
			return err
		}
		say("held")
		return waitAnd(nil, lease.Release)
	case "count":
		return count(ctx, s, 25)
	case "write":
		return writeForever(ctx, s)
	case "journal":
		return journalForever(ctx, s)
	case "store":
		return storeOnce(ctx, s)
	case "steps":
		return Steps(ctx, s, say)
	case "full":
		// What a file may have is less than the values of the steps.
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1000, Max: 1000}); err != nil {
			return err
		}
		return Steps(ctx, s, say)
	}
	return fmt.Errorf("no such part: %s", part)
}

// say tells the parent a line.
func say(line string) { fmt.Println(line) }

// waitAnd does what is left to do once the parent has closed our stdin.
func waitAnd(err error, then func() error) error {
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return then()
}

// count raises a counter n times by reading and writing it under a lock.
func count(ctx context.Context, s state.Store, n int) error {
	for range n {
		if err := s.Lock(ctx, "count"); err != nil {
			return err
		}
		old, err := s.Load(ctx, "count")
		if err != nil {
			return err
		}
		value, err := strconv.Atoi(string(old))
		if err != nil {
			return err
		}
		if err := s.Store(ctx, "count", []byte(strconv.Itoa(value+1))); err != nil {
			return err
		}
		if err := s.Unlock(ctx, "count"); err != nil {
			return err
		}
	}
	return nil
}

// writeForever stores numbered values that can be checked, and says the number
// of each that was stored.
func writeForever(ctx context.Context, s state.Store) error {
	for i := 1; ; i++ {
		if err := s.Store(ctx, "deep/value", numbered(i)); err != nil {
			return err
		}
		say(strconv.Itoa(i))
	}
}

// numbered makes a value of any size that says its number and its check sum.
func numbered(i int) []byte {
	text := fmt.Sprintf("%d %s", i, strings.Repeat("x", rand.IntN(200_000)))
	return fmt.Appendf(nil, "%08x %s", crc32.ChecksumIEEE([]byte(text)), text)
}

// number gives the number of a value that is whole.
func number(value []byte) (int, error) {
	sum, text, _ := strings.Cut(string(value), " ")
	if sum != fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(text))) {
		return 0, fmt.Errorf("torn value of %d octets", len(value))
	}
	digits, _, _ := strings.Cut(text, " ")
	return strconv.Atoi(digits)
}

// journalForever appends entries, and says the ID of each.
func journalForever(ctx context.Context, s state.Store) error {
	for {
		doc, err := json.Marshal(strings.Repeat("å", rand.IntN(20_000)))
		if err != nil {
			return err
		}
		id, err := s.Append(ctx, "kopasex.example", doc)
		if err != nil {
			return err
		}
		say(id)
	}
}

func storeOnce(ctx context.Context, s state.Store) error {
	if err := s.Store(ctx, "w/elsewhere", []byte("1")); err != nil {
		return err
	}
	return s.Delete(ctx, "w/here")
}

// Command gives the command that plays part as a process of its own.
func Command(t *testing.T, part, location string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+part+" "+location)
	return cmd
}

// child is a running process of the test.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
}

// start starts this test binary again, to play part.
func start(t *testing.T, part, location string) *child {
	t.Helper()
	cmd := Command(t, part, location)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	c := &child{cmd, stdin, bufio.NewScanner(stdout)}
	t.Cleanup(func() { c.kill() })
	return c
}

// hear waits for the child's next line.
func (c *child) hear(t *testing.T) string {
	t.Helper()
	if !c.lines.Scan() {
		t.Fatalf("the child ended early: %v", c.cmd.Wait())
	}
	return c.lines.Text()
}

// kill kills the child outright, unless it is gone, and gives the lines that
// it said before that and weren't heard yet.
func (c *child) kill() []string {
	if c.cmd.ProcessState != nil {
		return nil
	}
	_ = c.cmd.Process.Kill() // fails only where it has just ended
	var lines []string
	for c.lines.Scan() {
		lines = append(lines, c.lines.Text())
	}
	_ = c.cmd.Wait() // says that it was killed
	return lines
}

// finish lets the child end by itself.
func (c *child) finish(t *testing.T) {
	t.Helper()
	must(t, c.stdin.Close())
	for c.lines.Scan() {
	}
	must(t, c.cmd.Wait())
}
