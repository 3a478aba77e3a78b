package statetest

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Relay stands between clients and a Server and cuts connections: all of them,
// or one at a certain message. It can hang, too.
type Relay struct {
	Dir string // holds its socket

	server string // path of the server's socket

	mu    sync.Mutex
	conns map[net.Conn]bool
	down  bool
	hung  chan struct{} // closed when messages pass again; nil: they do
	left  int           // messages of clients until the cut; 0: none is planned
	after bool          // the message that is cut at still reaches the server
	cut   bool
}

// Cut is where a Relay cuts a connection.
type Cut struct {
	Message int  // the n-th that clients send from now on, from 1
	After   bool // it reaches the server, and the answer is lost; else it is lost
}

const socketName = ".s.PGSQL.5432"

// NewRelay starts a relay before s.
func NewRelay(t testing.TB, s *Server) *Relay {
	t.Helper()
	dir, err := os.MkdirTemp("", "domherre-relay") // t.TempDir's path is too long for a socket
	check(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // it lies in the system's folder for such
	r := &Relay{Dir: dir, server: filepath.Join(s.Dir, socketName), conns: map[net.Conn]bool{}}
	l, err := net.Listen("unix", filepath.Join(dir, socketName))
	check(t, err)
	t.Cleanup(func() { l.Close(); r.Hang(false); r.Down(true) })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(client)
		}
	}()
	return r
}

// Plan has the next cut made, and no other.
func (r *Relay) Plan(c Cut) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left, r.after, r.cut = c.Message, c.After, false
}

// WasCut reports whether the planned cut was made.
func (r *Relay) WasCut() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cut
}

// Down cuts all connections and refuses new ones, or lets them through again.
func (r *Relay) Down(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = yes
	for c := range r.conns {
		if yes {
			c.Close()
		}
	}
}

// Hang holds up what clients send, or lets it pass again: connections stay, and
// nobody answers.
func (r *Relay) Hang(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hung != nil {
		close(r.hung)
	}
	if r.hung = nil; yes {
		r.hung = make(chan struct{})
	}
}

// pause waits while the relay hangs.
func (r *Relay) pause() {
	r.mu.Lock()
	hung := r.hung
	r.mu.Unlock()
	if hung != nil {
		<-hung
	}
}

// serve passes one connection on.
func (r *Relay) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", r.server)
	if err != nil {
		return
	}
	defer server.Close()
	if !r.enter(client) {
		return
	}
	defer r.leave(client)
	go func() {
		_, _ = io.Copy(client, server) // ends with either side
		client.Close()
	}()
	for first := true; ; first = false {
		message, err := readMessage(client, first)
		if err != nil {
			return
		}
		r.pause()
		pass, on := r.next()
		if !on {
			client.Close() // before the server can answer
		}
		if pass {
			if _, err := server.Write(message); err != nil {
				return
			}
		}
		if !on {
			return
		}
	}
}

func (r *Relay) enter(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[c] = true
	return !r.down
}

func (r *Relay) leave(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

// next counts a message: whether it passes, and whether the connection goes on.
func (r *Relay) next() (pass, on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left == 0 {
		return true, true
	}
	if r.left--; r.left > 0 {
		return true, true
	}
	r.cut = true
	return r.after, false
}

// readMessage reads a message of PostgreSQL's protocol: a type, which the first
// of a connection lacks, and its length with what follows.
func readMessage(c io.Reader, first bool) ([]byte, error) {
	head := make([]byte, 5)
	if first {
		head = head[:4]
	}
	if _, err := io.ReadFull(c, head); err != nil {
		return nil, err
	}
	rest := make([]byte, binary.BigEndian.Uint32(head[len(head)-4:])-4)
	_, err := io.ReadFull(c, rest)
	return append(head, rest...), err
}
