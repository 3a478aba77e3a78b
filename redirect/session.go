package redirect

import (
	"bytes"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// session is one client's connection from its acceptance to its end, or until
// it is handed to net/http. While it is idle it holds no buffer.
type session struct {
	net.Conn // the socket, then the *tls.Conn on it
	socket   net.Conn
	s        *Server
	from     *listener
	shard    *shard[*session]
	peer     *peer // nil on plain HTTP
	sock     sock
	state    atomic.Int32
	http2    atomic.Pointer[h2conn] // nil on HTTP/1
	in       *buffer                // nil while nothing was read
	filled   int                    // so many octets of in
	out      *buffer                // nil while nothing is to be sent
	queued   []byte                 // answers, in out while they fit

	next func(*session) // how to go on after the handshake
	then verdict        // how the serving ended

	begun           time.Time // when the head that is incomplete began, or zero
	readBy, writeBy time.Time // the deadlines as they were set
}

// The states of a session. Only one that waits may be closed by others.
const (
	stateNew  int32 = iota // waits for the client's first request
	stateIdle              // waits for another one
	stateBusy              // answers
	stateOver              // closed by others
)

// A buffer holds the heads of several requests, or their answers. Whatever
// doesn't fit is net/http's.
type buffer [4 << 10]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// begin marks the session as busy. It is false when it was closed meanwhile.
func (c *session) begin() bool {
	return c.state.CompareAndSwap(stateIdle, stateBusy) || c.state.CompareAndSwap(stateNew, stateBusy) || c.state.Load() == stateBusy
}

// rest marks the session as idle again. It is false when it was closed
// meanwhile.
func (c *session) rest() bool {
	return c.state.CompareAndSwap(stateBusy, stateIdle) || c.state.Load() <= stateIdle
}

// evict closes the session if it waits, and reports whether it did.
func (c *session) evict() bool { return c.over(stateIdle) || c.over(stateNew) }

// over closes the session if it is in a state, and reports whether it did.
func (c *session) over(state int32) bool {
	if !c.state.CompareAndSwap(state, stateOver) {
		return false
	}
	_ = c.socket.Close()
	return true
}

// free gives the buffers back.
func (c *session) free() {
	if c.in != nil {
		buffers.Put(c.in)
	}
	if c.out != nil {
		buffers.Put(c.out)
	}
	c.in, c.out, c.filled, c.queued = nil, nil, 0, nil
}

// room makes sure that there is a buffer for answers.
func (c *session) room() {
	if c.out == nil {
		c.out = buffers.Get().(*buffer)
		c.queued = c.out[:0]
	}
}

// flush sends the answers.
func (c *session) flush() error {
	if len(c.queued) == 0 {
		return nil
	}
	_, err := c.Write(c.queued)
	c.queued = c.out[:0]
	return err
}

// end is deferred by whoever serves the session. It takes a panic no further
// than this connection.
func (c *session) end() {
	if v := recover(); v != nil {
		c.s.panicked(v)
	} else if next := c.next; next != nil {
		c.next = nil
		go c.run(next)
		return
	}
	c.free()
	c.s.sessions.remove(c.shard, c)
	if c.Conn != nil {
		_ = c.Close() // the client has gone, or has its answer
	}
}

// handOver gives the connection to net/http, with what was read and not
// answered.
func (c *session) handOver() {
	given := c.s.vetted(c.Conn, c.peer)
	given.buf = bytes.Clone(c.in[:c.filled])
	c.Conn = nil
	c.from.give(given)
}

// allow sets the deadlines for a client that has just been heard of. It leaves
// them alone while they are fresh, since setting them costs more than a request:
// they may come early by a quarter.
func (c *session) allow(now time.Time) error {
	if c.readBy.Sub(now) < idleTimeout*3/4 {
		c.readBy = now.Add(idleTimeout)
		if err := c.SetReadDeadline(c.readBy); err != nil {
			return err
		}
	}
	if c.writeBy.Sub(now) < answerTimeout*3/4 {
		c.writeBy = now.Add(answerTimeout)
		return c.SetWriteDeadline(c.writeBy)
	}
	return nil
}

// hurry gives the client until then to go on.
func (c *session) hurry(until time.Time) error {
	c.readBy = until
	return c.SetReadDeadline(until)
}

// manyTurns is how many reads in a row a client may have answered before others
// come first: whoever sends without end would keep a processor to himself.
const manyTurns = 3

// read reads from the client. On a socket of ours it doesn't wait, but fails
// with errLater.
func (c *session) read(b []byte) (int, error) {
	if c.peer == nil && c.sock.ready {
		return c.sock.Read(b)
	}
	return c.Read(b) // TLS reads from the socket through its peer
}

// serveBy calls step whenever there is something to be read, until it says that
// the connection is over.
func (c *session) serveBy(step func() bool) {
	tcp, ok := c.socket.(*net.TCPConn)
	if !ok || c.sock.prefixed {
		step() // which waits for itself
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	if c.peer != nil {
		c.peer.sock = &c.sock
		defer func() { c.peer.sock = nil }()
	}
	// Its error is the deadline's, or of a socket that others closed.
	_ = raw.Read(func(fd uintptr) bool {
		c.sock.wake(int(fd))
		return step()
	})
	c.sock.ready = false
}

// sock reads from a socket without waiting.
type sock struct {
	fd       int
	ready    bool // may be read from
	prefixed bool // the first octets were read already, by somebody else
	drained  bool // by a read that got less than it could take
	reads    int
}

// errLater says that there is nothing to be read yet. crypto/tls takes a
// temporary error to mean that it may be asked again.
var errLater error = later{}

type later struct{}

func (later) Error() string   { return "nothing to be read yet" }
func (later) Timeout() bool   { return false }
func (later) Temporary() bool { return true }

// wake is called when the poller has something new to tell.
func (k *sock) wake(fd int) { k.fd, k.ready, k.drained = fd, true, false }

// newcomer is how many reads of a connection make sure that nothing is left. A
// client that closes its side along with its request does so soon; of one that
// goes on and on, epoll(7) lets us save a system call a request: a short read
// means that the socket is empty, and more will be told.
const newcomer = 4

// Read implements io.Reader.
func (k *sock) Read(b []byte) (int, error) {
	if k.drained && k.reads > newcomer {
		return 0, errLater
	}
	for {
		n, err := syscall.Read(k.fd, b)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return 0, errLater
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		}
		k.drained = n < len(b)
		k.reads++
		return n, nil
	}
}
