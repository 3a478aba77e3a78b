package redirect

import (
	"io"
	"net"
	"syscall"
)

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

// write writes to the client. On a socket of ours it tries without waiting first.
func (c *session) write(b []byte) (int, error) {
	if c.peer == nil && c.sock.ready {
		return c.push(b)
	}
	return c.Write(b) // TLS writes to the socket through its peer
}

// push writes to the socket. A client that doesn't take it at once is one of a
// crowd until it has. Only step may call it: then the socket is held open.
func (c *session) push(b []byte) (int, error) {
	n, err := c.sock.Write(b)
	if err != nil || n == len(b) {
		return n, err
	}
	c.s.crowd.join(c)
	more, err := c.socket.Write(b[n:])
	if !c.waiting {
		c.s.crowd.part(c)
	}
	return n + more, err
}

// serveBy calls step whenever there is something to be read, until it says that
// the connection is over.
func (c *session) serveBy(step func() bool) {
	tcp, ok := c.socket.(*net.TCPConn)
	if !ok {
		step() // which waits for itself
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	if c.peer != nil {
		c.peer.live = c
		defer func() { c.peer.live = nil }()
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
	fd      int
	ready   bool      // may be read from
	first   *prefixed // its octets come first; nil where nobody read any
	drained bool      // by a read that got less than it could take
	reads   int
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
	if k.first != nil && len(k.first.prefix) > 0 {
		return k.first.Read(b)
	}
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

// Write writes what there is room for.
func (k *sock) Write(b []byte) (int, error) {
	for {
		n, err := syscall.Write(k.fd, b)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return 0, nil
		case err != nil:
			return 0, err
		}
		return n, nil
	}
}
