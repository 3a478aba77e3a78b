package redirect

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// listener accepts from a net.Listener and serves each connection on its own.
// To an http.Server it is the listener that gives what is handed over to it.
type listener struct {
	net.Listener
	server *Server
	tls    bool
	ready  chan *conn
	done   chan struct{} // closed by Close
	once   sync.Once
	shut   func() error   // closes the Listener, once
	idle   sync.WaitGroup // the accept loop
}

func (s *Server) newListener(l net.Listener, tls bool) *listener {
	ln := &listener{Listener: l, server: s, tls: tls, ready: make(chan *conn), done: make(chan struct{}), shut: sync.OnceValue(l.Close)}
	ln.idle.Go(ln.loop)
	return ln
}

// Accept implements net.Listener for the http.Server.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.shut()
}

const (
	// backlogTime is how long a listener that is about to close goes on
	// accepting. Whom the kernel has queued by then is reset.
	backlogTime = 50 * time.Millisecond
	// queueTime is how long it waits for one more.
	queueTime = 5 * time.Millisecond
)

// deadliner is a listener whose Accept can be made to return.
type deadliner interface{ SetDeadline(time.Time) error }

// stop ends the accept loop, after what waits in the backlog.
func (l *listener) stop(ctx context.Context) {
	if d, ok := l.Listener.(deadliner); !ok || d.SetDeadline(time.Now()) != nil {
		_ = l.shut() // ends the loop too
	}
	finished := make(chan struct{})
	go func() {
		l.idle.Wait()
		close(finished)
	}()
	select {
	case <-finished:
	case <-ctx.Done():
	}
}

// sweep accepts what the kernel has queued.
func (l *listener) sweep() {
	d, ok := l.Listener.(deadliner)
	for end := time.Now().Add(backlogTime); ok && time.Now().Before(end); {
		if d.SetDeadline(time.Now().Add(queueTime)) != nil {
			return
		}
		c, err := l.Listener.Accept()
		if err != nil {
			return
		}
		l.take(c)
	}
}

// loop accepts until the listener ends. Running out of file descriptors, or
// any error but the end, is waited out.
func (l *listener) loop() {
	const longest = time.Second
	wait := time.Duration(0)
	for {
		c, err := l.Listener.Accept()
		switch {
		case err == nil:
			wait = 0
			l.take(c)
			continue
		case l.server.draining.Load():
			l.sweep()
			_ = l.shut() // Close reports the error; what was accepted still is served
			return
		case errors.Is(err, net.ErrClosed):
			_ = l.Close()
			return
		}
		if wait = min(longest, max(5*time.Millisecond, 2*wait)); wait == longest {
			// The error names the listener's own address only.
			l.server.log.Warn("cannot accept connections; trying again", slog.Any("error", err))
		}
		if !l.pause(wait) {
			return
		}
	}
}

// pause waits and reports whether the listener still is open.
func (l *listener) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.done:
		return false
	}
}

// take serves an accepted connection in a goroutine of its own.
func (l *listener) take(socket net.Conn) {
	c := &session{Conn: socket, socket: socket, s: l.server, from: l, lane: l.server.lanes.of(socket.RemoteAddr())}
	c.wish.lane = c.lane
	if c.waiting = l.tls; c.waiting && !l.server.crowd.admit(c) {
		_ = socket.Close() // not worth more
		return
	}
	c.shard = l.server.sessions.add(c)
	go c.serve()
}

// serve makes a connection ready and answers on it. Whatever fails is the
// client's fault, and its address is nobody's business.
func (c *session) serve() {
	defer c.end()
	proxied := c.s.fromProxy(c.Conn)
	if !proxied && !c.from.tls {
		c.serveHTTP1()
		return
	}
	c.writeBy = time.Now().Add(handshakeTimeout)
	if c.SetWriteDeadline(c.writeBy) != nil || c.hurry(c.writeBy) != nil {
		return
	}
	if proxied && c.unproxy() != nil {
		return
	}
	if !c.from.tls {
		c.serveHTTP1()
		return
	}
	protocol, err := c.shake()
	switch {
	case err != nil:
	case protocol == "h2":
		c.next = (*session).serveHTTP2
	case c.peer != nil:
		c.next = (*session).serveHTTP1
	}
}

// run serves in a goroutine of its own: the stack that a handshake needs is
// many times as large as what an idle connection does with.
func (c *session) run(next func(*session)) {
	defer c.end()
	next(c)
}

// give hands a connection to the http.Server.
func (l *listener) give(c *conn) {
	select {
	case l.ready <- c:
	case <-l.done:
		_ = c.Close() // nobody is left to serve it
	}
}

// vetted wraps a connection that speaks HTTP/1 for net/http.
func (s *Server) vetted(c net.Conn, p *peer) *conn {
	given := &conn{Conn: c, peer: p, timeout: headTimeout}
	in := s.handed.add(given)
	given.closed = func() { s.handed.remove(in, given) }
	return given
}

// evict makes room for others that net/http is to answer. What is unusual is
// rare among visitors, and quickly done.
func (c *conn) evict() bool {
	_ = c.Conn.Close() // net/http finds it closed
	return true
}

// fromProxy reports whether the connection comes from a listed balancer.
func (s *Server) fromProxy(c net.Conn) bool {
	if len(s.options.ProxyFrom) == 0 {
		return false
	}
	addr, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	ip := addr.AddrPort().Addr().Unmap()
	return slices.ContainsFunc(s.options.ProxyFrom, func(p netip.Prefix) bool { return p.Contains(ip) })
}
