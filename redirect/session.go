package redirect

import (
	"bytes"
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
	peer     *peer   // nil on plain HTTP
	wait     *waiter // nil where the socket can't be waited for
	state    atomic.Int32
	http2    atomic.Pointer[h2conn] // nil on HTTP/1
	in       *buffer                // nil while nothing was read
	filled   int                    // so many octets of in
	out      *buffer                // nil while nothing is to be sent
	queued   []byte                 // answers, in out while they fit

	next func(*session) // how to go on after the handshake

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

// first waits for the client without holding a buffer, and reads what it sends.
func (c *session) first() error {
	if c.wait != nil {
		in, n, err := c.wait.read()
		c.in, c.filled = in, n
		return err
	}
	// One octet is enough to know that a buffer will be needed, and TLS keeps
	// the rest of what it has decrypted.
	var one [1]byte
	if _, err := c.Read(one[:]); err != nil {
		return err
	}
	c.in = buffers.Get().(*buffer)
	c.in[0], c.filled = one[0], 1
	return nil
}

// more reads behind what was read already.
func (c *session) more() error {
	n, err := c.Read(c.in[c.filled:])
	c.filled += n
	if n > 0 {
		return nil
	}
	return err
}

// waiter reads from a socket into a buffer that it takes only when there is
// something to be read.
type waiter struct {
	raw  syscall.RawConn
	try  func(fd uintptr) bool // made once, since a closure is an allocation
	in   *buffer
	n    int
	fail error
}

func newWaiter(c net.Conn) *waiter {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	w := &waiter{raw: raw}
	w.try = w.attempt
	return w
}

func (w *waiter) read() (*buffer, int, error) {
	if err := w.raw.Read(w.try); err != nil {
		return nil, 0, err
	}
	in, n, err := w.in, w.n, w.fail
	w.in, w.n, w.fail = nil, 0, nil
	if err == nil && n == 0 {
		err = net.ErrClosed // by the client
	}
	return in, n, err
}

// attempt reads once and reports whether the waiting is over.
func (w *waiter) attempt(fd uintptr) bool {
	in := buffers.Get().(*buffer)
	for {
		n, err := syscall.Read(int(fd), in[:])
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			buffers.Put(in)
			return false
		}
		w.in, w.n, w.fail = in, max(n, 0), err
		return true
	}
}
