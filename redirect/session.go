package redirect

import (
	"bytes"
	"container/list"
	"net"
	"sync"
	"sync/atomic"
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

	lane    uint8         // by the client's address
	wish    wish          // for a turn to compute a handshake
	place   *list.Element // in the crowd, which guards it
	waiting bool          // since hurry
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
	c.cut()
	return true
}

// cut closes the socket from outside: whoever serves the session finds out.
func (c *session) cut() {
	_ = c.socket.Close()
	c.s.gate.withdraw(&c.wish)
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
	_, err := c.write(c.queued)
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
	c.s.crowd.part(c)
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
	if c.waiting {
		c.waiting = false
		c.s.crowd.part(c)
	}
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

// hurry gives the client until then to go on. Meanwhile it is one of a crowd.
func (c *session) hurry(until time.Time) error {
	if !c.waiting {
		c.waiting = true
		c.s.crowd.join(c)
	}
	c.readBy = until
	return c.SetReadDeadline(until)
}
