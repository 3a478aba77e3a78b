package redirect

import (
	"bytes"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// refusedMethod marks a request that conn puts in the place of one it refuses,
// with the status as its path, so that net/http answers it in turn and closes
// the connection. A client that sends it itself gets what it asks for.
const refusedMethod = "REFUSED"

var (
	refused400 = []byte(refusedMethod + " /400 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	refused431 = []byte(refusedMethod + " /431 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
)

// conn is an HTTP/1 connection that hands on only request heads that
// checkHead lets pass, one at a time. A body passes unread; since the handler
// closes the connection after a request that has one, nothing behind a body is
// ever taken for a request.
type conn struct {
	net.Conn
	peer    *peer
	timeout time.Duration // for one head, from its first byte
	closed  func()        // called once, on Close

	buf     []byte      // read from Conn and not handed on yet
	vetted  int         // so many bytes of buf may be handed on
	scanned int         // so many bytes of buf hold no end of a head
	pass    bool        // a body follows: all the rest is handed on
	refused atomic.Bool // nothing more of the client's is handed on

	mu       sync.Mutex // guards the deadlines
	external time.Time  // as net/http set it
	head     time.Time  // of the head that is being read; zero between heads
	once     sync.Once
}

// Read implements net.Conn. It is called by one goroutine at a time.
func (c *conn) Read(p []byte) (int, error) {
	for {
		switch {
		case c.vetted > 0:
			return c.take(p), nil
		case c.pass:
			return c.Conn.Read(p)
		case c.refused.Load():
			return 0, io.EOF
		}
		if c.vet() {
			continue
		}
		if n, err := c.fill(p); n > 0 || err != nil {
			return n, err
		}
	}
}

// take hands on vetted bytes.
func (c *conn) take(p []byte) int {
	n := copy(p, c.buf[:c.vetted])
	c.vetted -= n
	c.buf = c.buf[n:]
	if len(c.buf) == 0 {
		c.buf = nil // an idle connection holds no buffer
	}
	return n
}

// fill reads more. As long as nothing is buffered it reads into the caller's
// buffer, and a whole head that fits there is handed on from there: n > 0.
func (c *conn) fill(p []byte) (n int, err error) {
	if len(c.buf) > 0 {
		if cap(c.buf)-len(c.buf) < 512 {
			c.buf = append(make([]byte, 0, 2*len(c.buf)+1024), c.buf...)
		}
		n, err = c.Conn.Read(c.buf[len(c.buf):cap(c.buf)])
		c.buf = c.buf[:len(c.buf)+n]
		return 0, c.partial(n, err)
	}
	n, err = c.Conn.Read(p)
	if n == 0 {
		return 0, err
	}
	c.buf = p[:n]
	if c.vet() && !c.pass && !c.refused.Load() && c.vetted == n {
		c.buf, c.vetted = nil, 0
		return n, nil
	}
	c.buf = append(make([]byte, 0, n+1024), c.buf...)
	return 0, c.partial(n, err)
}

// partial arms the deadline of a head that has begun. What was read counts
// before an error that came with it.
func (c *conn) partial(n int, err error) error {
	if n == 0 {
		return err
	}
	if c.vetted == 0 && !c.refused.Load() {
		c.setHeadDeadline(true)
	}
	return nil
}

// vet looks for the end of a head in the buffer and reports whether there is
// something to hand on.
func (c *conn) vet() bool {
	end, next, refuse := findEnd(c.buf, c.scanned)
	c.scanned = next
	switch {
	case refuse != 0:
		c.refuse(refuse)
		return true
	case end == 0:
		return false
	}
	h := checkHead(c.buf[:end])
	if h.refuse != 0 {
		c.refuse(h.refuse)
		return true
	}
	c.setHeadDeadline(false)
	c.scanned = 0
	c.vetted = end
	if h.body {
		c.pass = true
		c.vetted = len(c.buf)
	}
	return true
}

// findEnd gives the length of the head at the front of buf, or 0 as long as it
// is incomplete, or the status to refuse it with: a line feed without a carriage
// return would never end. It begins at scanned, up to where no head ends, and
// tells where to go on.
func findEnd(buf []byte, scanned int) (end, next, refuse int) {
	for {
		i := bytes.IndexByte(buf[scanned:], '\n')
		if i < 0 {
			break
		}
		at := scanned + i
		if at == 0 || buf[at-1] != '\r' || at == 1 {
			return 0, scanned, 400
		}
		scanned = at + 1
		if at >= 3 && buf[at-2] == '\n' {
			if scanned > maxHead {
				return 0, scanned, 431
			}
			return scanned, scanned, 0
		}
	}
	switch {
	case scanned == 0 && len(buf) > maxTarget+64:
		return 0, scanned, 400
	case len(buf) > maxHead:
		return 0, scanned, 431
	}
	return 0, scanned, 0
}

func (c *conn) refuse(status int) {
	c.refused.Store(true)
	c.buf = bytes.Clone(refused400)
	if status == 431 {
		c.buf = bytes.Clone(refused431)
	}
	c.vetted = len(c.buf)
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.external = t
	return c.applyDeadline()
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// setHeadDeadline starts or stops the clock of the head that is being read.
// net/http's own starts only when a first piece is handed on.
func (c *conn) setHeadDeadline(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if on != c.head.IsZero() {
		return
	}
	c.head = time.Time{}
	if on {
		c.head = time.Now().Add(c.timeout)
	}
	// A connection that refuses a deadline is closed, and the next read says so.
	_ = c.applyDeadline()
}

// applyDeadline sets the earlier of the two; c.mu is held.
func (c *conn) applyDeadline() error {
	t := c.external
	if !c.head.IsZero() && (t.IsZero() || c.head.Before(t)) {
		t = c.head
	}
	return c.Conn.SetReadDeadline(t)
}

// Close implements net.Conn. After a refusal it takes in what the client still
// has under way, within bounds, since closing over unread bytes would reset the
// connection and lose the answer.
func (c *conn) Close() error {
	var err error
	c.once.Do(func() {
		defer c.closed()
		if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.refused.Load() && half.CloseWrite() == nil {
			if c.Conn.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
				_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
			}
		}
		err = c.Conn.Close()
	})
	return err
}

const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 256 << 10
)
