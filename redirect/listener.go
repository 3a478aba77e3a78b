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

// listener accepts from a net.Listener, makes the connections ready (PROXY
// header, handshake) each on its own, and hands them to an http.Server.
type listener struct {
	net.Listener
	server *Server
	tls    bool
	ready  chan net.Conn
	done   chan struct{} // closed by Close
	once   sync.Once
	shut   func() error   // closes the Listener, once
	idle   sync.WaitGroup // the accept loop, and connections being made ready
}

func (s *Server) newListener(l net.Listener, tls bool) *listener {
	ln := &listener{Listener: l, server: s, tls: tls, ready: make(chan net.Conn), done: make(chan struct{}), shut: sync.OnceValue(l.Close)}
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

// stop ends the accept loop, after what waits in the backlog, and returns when
// all that was accepted is handed on or ctx is done.
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
			_ = l.shut() // Close reports the error; what is being made ready still is handed on
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

// take makes an accepted connection ready, in the background where that means
// waiting for the client.
func (l *listener) take(c net.Conn) {
	proxied := l.server.fromProxy(c)
	if !l.tls && !proxied {
		l.give(l.server.vetted(c, nil))
		return
	}
	l.idle.Go(func() {
		ctx, cancel := context.WithTimeout(l.server.ctx, handshakeTimeout)
		defer cancel()
		ready, err := l.prepare(ctx, c, proxied)
		if err != nil || ready == nil {
			_ = c.Close() // the client's fault, and its address is nobody's business
			return
		}
		l.give(ready)
	})
}

func (l *listener) prepare(ctx context.Context, c net.Conn, proxied bool) (net.Conn, error) {
	if proxied {
		if err := c.SetReadDeadline(time.Now().Add(handshakeTimeout)); err != nil {
			return nil, err
		}
		var err error
		if c, err = withoutProxyHeader(c); err != nil {
			return nil, err
		}
		if err := c.SetReadDeadline(time.Time{}); err != nil {
			return nil, err
		}
	}
	if !l.tls {
		return l.server.vetted(c, nil), nil
	}
	tc, p, err := l.server.shake(ctx, c)
	if err != nil || tc == nil {
		return nil, err
	}
	if tc.ConnectionState().NegotiatedProtocol == "h2" {
		return tc, nil
	}
	return l.server.vetted(tc, p), nil
}

// give hands a connection to the http.Server.
func (l *listener) give(c net.Conn) {
	select {
	case l.ready <- c:
	case <-l.done:
		_ = c.Close() // nobody is left to serve it
	}
}

// vetted wraps a connection that speaks HTTP/1, and counts it until it closes.
func (s *Server) vetted(c net.Conn, p *peer) *conn {
	s.open.Add(1)
	return &conn{Conn: c, peer: p, timeout: headTimeout, closed: func() { s.open.Add(-1) }}
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
