package statetest

import (
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Standby starts a server that follows s as a physical standby.
func (s *Server) Standby() *Server {
	s.t.Helper()
	b := newServer(s.t)
	b.tool("pg_basebackup", "-D", b.data, "-h", s.Dir, "-U", "postgres", "-c", "fast", "-R", "--no-sync")
	s.t.Cleanup(b.Stop)
	b.Start()
	return b
}

// Follow waits until the standby b has all that was written to s.
func (b *Server) Follow(s *Server) {
	b.t.Helper()
	at := s.Ask(`SELECT pg_current_wal_lsn()::text`)
	for deadline := time.Now().Add(patience); b.Ask(`SELECT (pg_last_wal_replay_lsn() >= $1::pg_lsn)::text`, at) != "true"; {
		if time.Now().After(deadline) {
			b.t.Fatal("the standby doesn't follow")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Promote makes a primary of a standby.
func (b *Server) Promote() {
	b.t.Helper()
	if b.Ask(`SELECT pg_promote(true, 60)::text`) != "true" {
		b.t.Fatal("the standby wasn't promoted")
	}
}

// Kill kills the server outright.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// ClusterURL gives the location of the state in a schema, on whichever of the
// servers takes writes.
func ClusterURL(schema string, more url.Values, servers ...*Server) string {
	var hosts []string
	for _, s := range servers {
		hosts = append(hosts, s.Dir)
	}
	q := url.Values{"host": {strings.Join(hosts, ",")}, "search_path": {schema}, "target_session_attrs": {"read-write"}}
	for name, values := range more {
		q[name] = values
	}
	return "postgres://postgres@/postgres?" + q.Encode()
}
