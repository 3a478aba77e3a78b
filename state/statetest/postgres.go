package statetest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL of a test's own, on a Unix socket, with its data in a
// folder that goes with the test.
type Server struct {
	Dir  string // holds the socket
	t    testing.TB
	bin  string
	data string
	as   *syscall.SysProcAttr
	cmd  *exec.Cmd
	done chan struct{} // closed once cmd has ended
}

// Postgres starts a PostgreSQL server for the test.
func Postgres(t testing.TB) *Server {
	t.Helper()
	s := newServer(t)
	s.tool("initdb", "-D", s.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	t.Cleanup(s.Stop)
	s.Start()
	return s
}

// newServer makes the folder of a server.
func newServer(t testing.TB) *Server {
	s := &Server{t: t, bin: postgresBin(t), as: &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}}
	s.Dir, s.as.Credential = serverDir(t)
	s.data = filepath.Join(s.Dir, "data")
	return s
}

// serverDir makes a folder for a server's socket and data, and gives the user
// that it runs as where it wouldn't as root.
func serverDir(t testing.TB) (dir string, as *syscall.Credential) {
	// t.TempDir is closed to the unprivileged user.
	dir, err := os.MkdirTemp("", "domherre-pg")
	check(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // it lies in the system's folder for such
	if os.Getuid() == 0 {
		as = unprivileged(t)
		check(t, os.Chown(dir, int(as.Uid), int(as.Gid)))
	}
	return dir, as
}

// tool runs one of the server's programs to its end.
func (s *Server) tool(name string, args ...string) {
	s.t.Helper()
	c := exec.Command(filepath.Join(s.bin, name), args...)
	c.Dir, c.SysProcAttr = s.Dir, &syscall.SysProcAttr{Credential: s.as.Credential}
	if out, err := c.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// postgresBin finds the folder of the server's programs.
func postgresBin(t testing.TB) string {
	t.Helper()
	if found, err := exec.LookPath("initdb"); err == nil {
		found, err = filepath.EvalSymlinks(found) // the others lie beside it
		check(t, err)
		return filepath.Dir(found)
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	check(t, err)
	if len(found) == 0 {
		if os.Getenv("DOMHERRE_REQUIRE_SERVERS") != "" {
			t.Fatal("PostgreSQL is missing: apt-get install postgresql")
		}
		t.Skip("PostgreSQL isn't installed: apt-get install postgresql")
	}
	return filepath.Dir(slices.Max(found))
}

// unprivileged gives a user for the server, which refuses to run as root.
func unprivileged(t testing.TB) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup("nobody")
	check(t, err)
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	check(t, err)
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	check(t, err)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// URL gives the location of the state in a schema.
func (s *Server) URL(schema string) string { return URLAt(s.Dir, schema) }

// URLAt is URL for a server whose socket lies in dir.
func URLAt(dir, schema string) string {
	return "postgres://postgres@/postgres?host=" + dir + "&search_path=" + schema
}

// Start starts the server and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), "-D", s.data, "-k", s.Dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200", "-c", "logging_collector=off")
	log, err := os.Create(filepath.Join(s.Dir, "log"))
	check(s.t, err)
	defer log.Close()
	s.cmd.Dir, s.cmd.SysProcAttr, s.cmd.Stderr = s.Dir, s.as, log
	s.done = make(chan struct{})
	started := make(chan error)
	go func() {
		// The server gets its signal when the thread that started it ends.
		runtime.LockOSThread()
		defer close(s.done)
		err := s.cmd.Start()
		started <- err
		if err == nil {
			_ = s.cmd.Wait() // Stop makes it end as it likes
		}
	}()
	check(s.t, <-started)
	deadline := time.Now().Add(patience)
	for {
		conn, err := pgx.Connect(s.t.Context(), s.URL("public"))
		if err == nil {
			check(s.t, conn.Close(s.t.Context()))
			return
		}
		select {
		case <-s.done:
		case <-time.After(20 * time.Millisecond):
			if time.Now().Before(deadline) {
				continue
			}
		}
		text, _ := os.ReadFile(log.Name())
		s.t.Fatalf("PostgreSQL didn't start: %v\n%s", err, text)
	}
}

// Stop stops the server at once, cutting off who is connected.
func (s *Server) Stop() { s.end(syscall.SIGINT) }

func (s *Server) end(by syscall.Signal) {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	if err := s.cmd.Process.Signal(by); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Error(err)
	}
	<-s.done
}

// Exec runs a statement as the database's owner.
func (s *Server) Exec(sql string, args ...any) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.URL("public"))
	check(s.t, err)
	defer conn.Close(s.t.Context())
	_, err = conn.Exec(s.t.Context(), sql, args...)
	check(s.t, err)
}

// Ask gives the one value that a query has, as text.
func (s *Server) Ask(sql string, args ...any) (answer string) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.URL("public"))
	check(s.t, err)
	defer conn.Close(s.t.Context())
	check(s.t, conn.QueryRow(s.t.Context(), sql, args...).Scan(&answer))
	return answer
}

// Hold runs a statement in a transaction that stays open until release.
func (s *Server) Hold(sql string, args ...any) (release func()) {
	s.t.Helper()
	ctx := context.WithoutCancel(s.t.Context())
	conn, err := pgx.Connect(ctx, s.URL("public"))
	check(s.t, err)
	tx, err := conn.Begin(ctx)
	check(s.t, err)
	_, err = tx.Exec(ctx, sql, args...)
	check(s.t, err)
	release = sync.OnceFunc(func() { _ = conn.Close(ctx) }) // ends the transaction
	s.t.Cleanup(release)
	return release
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
