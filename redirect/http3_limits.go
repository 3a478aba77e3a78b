package redirect

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

const (
	// maxQUIC is how many QUIC connections may be open; the next one takes the
	// place of an old one. Each can cost as much as 150 KB.
	maxQUIC = 2048
	// maxGreetings is how many of their handshakes may be under way; others are
	// refused, and browsers come by TCP then. From unproven on, a client has to
	// show first that its address isn't forged (RFC 9000, section 8.1.2).
	maxGreetings = 512
	unproven     = 64
)

// greetings counts handshakes of QUIC that are under way.
type greetings struct{ now atomic.Int64 }

var errGreetings = errors.New("too many QUIC handshakes at once")

// prove is a quic.Transport's VerifySourceAddress.
func (g *greetings) prove(net.Addr) bool { return g.now.Load() >= unproven }

type greetingKey struct{}

// admit is a quic.Transport's ConnContext.
func (g *greetings) admit(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
	if g.now.Add(1) > maxGreetings {
		g.now.Add(-1)
		return nil, errGreetings
	}
	over := sync.OnceFunc(func() { g.now.Add(-1) })
	context.AfterFunc(ctx, over) // however it ends
	return context.WithValue(ctx, greetingKey{}, over), nil
}

// shaken counts a connection's handshake no longer once it is complete.
func shaken(c *quic.Conn) {
	over, ok := c.Context().Value(greetingKey{}).(func())
	if !ok {
		return
	}
	go func() {
		select {
		case <-c.HandshakeComplete():
			over()
		case <-c.Context().Done():
		}
	}()
}

// guest is an open QUIC connection.
type guest struct{ *quic.Conn }

// evict closes the connection. An old one has its answers.
func (g *guest) evict() bool {
	go g.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeExcessiveLoad), "")
	return true
}

// meet takes in a QUIC connection until it ends.
func (s *Server) meet(c *quic.Conn) {
	shaken(c)
	g := &guest{c}
	in := s.guests.add(g)
	context.AfterFunc(c.Context(), func() { s.guests.remove(in, g) })
}
