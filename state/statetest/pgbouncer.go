package statetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// pgbouncerConfig hands each transaction to any of four connections.
const pgbouncerConfig = `[databases]
postgres = host=%[1]s dbname=postgres
[pgbouncer]
pool_mode = transaction
default_pool_size = 4
max_client_conn = 1000
listen_addr =
unix_socket_dir = %[2]s
listen_port = 5432
auth_type = trust
auth_file = %[2]s/users
`

// PgBouncer starts a pooler before s, in transaction mode, and gives the folder
// of its socket.
func (s *Server) PgBouncer() (dir string) {
	s.t.Helper()
	program := pgbouncerBin(s.t)
	dir, as := serverDir(s.t)
	check(s.t, os.WriteFile(filepath.Join(dir, "config"), fmt.Appendf(nil, pgbouncerConfig, s.Dir, dir), 0o644))
	check(s.t, os.WriteFile(filepath.Join(dir, "users"), []byte(`"postgres" ""`+"\n"), 0o644))
	ctx, stop := context.WithCancel(context.WithoutCancel(s.t.Context()))
	c := exec.CommandContext(ctx, program, "-q", filepath.Join(dir, "config"))
	c.SysProcAttr = &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGKILL}
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // it gets its signal when the thread that started it ends
		ended <- c.Run()
	}()
	s.t.Cleanup(func() { stop(); <-ended })
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		conn, err := pgx.Connect(s.t.Context(), "postgres://postgres@/postgres?host="+dir)
		if err == nil {
			check(s.t, conn.Close(s.t.Context()))
			return dir
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("PgBouncer didn't start: %v", err)
		}
	}
}

func pgbouncerBin(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if found, err := exec.LookPath(name); err == nil || errors.Is(err, exec.ErrDot) {
			return found
		}
	}
	if os.Getenv("DOMHERRE_REQUIRE_SERVERS") != "" {
		t.Fatal("PgBouncer is missing: apt-get install pgbouncer")
	}
	t.Skip("PgBouncer isn't installed: apt-get install pgbouncer")
	return ""
}
