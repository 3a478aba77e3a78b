// Package dnsclient asks DNS servers: single questions over UDP with TCP behind
// it, signed messages (TSIG, RFC 8945), zone transfers (AXFR, RFC 5936), and
// look-ups through resolvers. It is the one place where the product's client
// side touches the wire, so that the DNS library could be exchanged here.
package dnsclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/miekg/dns"
)

const (
	defaultTimeout = 2 * time.Second
	defaultTries   = 3
	// bufferSize is the UDP payload that crosses the internet unfragmented
	// (DNS Flag Day 2020).
	bufferSize = 1232
	// receiveSize has room for servers that send more over UDP than they are
	// asked to.
	receiveSize = 4096
)

// Client sends messages to one server at a time. The zero Client works; it is
// safe for concurrent use.
type Client struct {
	Timeout time.Duration    // of one try; 2 s where zero
	Tries   int              // of a UDP question; 3 where zero
	Key     *Key             // signs what is sent, and demands signed answers
	Now     func() time.Time // time.Now where nil; TSIG needs it
	Sockets *Sockets         // shared by UDP questions; nil: each has a socket, and a port, of its own
}

// Question gives a query for name (absolute) and type, with EDNS. recurse asks
// a resolver; without it the server tells what it knows itself.
func Question(name string, qtype uint16, recurse bool) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), qtype)
	m.RecursionDesired = recurse
	m.SetEdns0(bufferSize, false)
	return m
}

// Exchange sends m over UDP and gives the answer, whatever its response code.
// It asks again where no answer comes, over TCP where the answer is truncated,
// and without EDNS where the server can't stand it. server is host:port. The
// error is a *TSIGError where the signature is at fault.
func (c *Client) Exchange(ctx context.Context, server string, m *dns.Msg) (*dns.Msg, error) {
	var failure error
	for range c.tries() {
		answer, err := c.overUDP(ctx, server, m)
		if err == nil {
			return c.better(ctx, server, m, answer)
		}
		failure = err
		var refused *TSIGError
		if ctx.Err() != nil || errors.As(err, &refused) {
			break
		}
	}
	return nil, failure
}

func (c *Client) overUDP(ctx context.Context, server string, m *dns.Msg) (*dns.Msg, error) {
	if c.Sockets == nil {
		return c.once(ctx, "udp", server, m)
	}
	return c.together(ctx, server, m)
}

// better asks again in another way where the UDP answer isn't all there is.
func (c *Client) better(ctx context.Context, server string, m, answer *dns.Msg) (*dns.Msg, error) {
	if answer.Truncated {
		return c.ExchangeTCP(ctx, server, m)
	}
	noEDNS := answer.Rcode == dns.RcodeFormatError || answer.Rcode == dns.RcodeNotImplemented
	if !noEDNS || m.IsEdns0() == nil || answer.IsEdns0() != nil {
		return answer, nil
	}
	plain := m.Copy()
	plain.Extra = nil
	if again, err := c.overUDP(ctx, server, plain); err == nil && !again.Truncated {
		return again, nil
	}
	return c.ExchangeTCP(ctx, server, plain)
}

// ExchangeTCP sends m over TCP, once, and gives the answer, whatever its
// response code.
func (c *Client) ExchangeTCP(ctx context.Context, server string, m *dns.Msg) (*dns.Msg, error) {
	return c.once(ctx, "tcp", server, m)
}

// once sends m and waits for its answer, for as long as one try may take.
func (c *Client) once(ctx context.Context, network, server string, m *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	conn, err := c.dial(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	if err := conn.send(m); err != nil {
		return nil, conn.explain(ctx, err)
	}
	for {
		answer, err := conn.receive()
		if err != nil {
			return nil, conn.explain(ctx, err)
		}
		if matches(m, answer) {
			return answer, conn.finished()
		}
		if network == "tcp" {
			return nil, errors.New("the answer belongs to another question")
		}
		// Over UDP it is a late answer or a forged one: wait for ours.
		conn.restart()
	}
}

func matches(m, answer *dns.Msg) bool {
	if answer.Id != m.Id || !answer.Response || answer.Opcode != m.Opcode {
		return false
	}
	if len(answer.Question) == 0 {
		// Refusals may leave the question out.
		return answer.Rcode != dns.RcodeSuccess || m.Opcode == dns.OpcodeUpdate
	}
	asked, got := m.Question[0], answer.Question[0]
	return asked.Qtype == got.Qtype && asked.Qclass == got.Qclass &&
		dns.CanonicalName(asked.Name) == dns.CanonicalName(got.Name)
}

func (c *Client) dial(ctx context.Context, network, server string) (*connection, error) {
	d := net.Dialer{KeepAlive: -1} // no conversation is that long
	raw, err := d.DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = raw.SetDeadline(deadline) // a connection just opened takes it
	}
	conn := &connection{Conn: dns.Conn{Conn: raw, UDPSize: receiveSize}, key: c.Key, now: c.now}
	conn.stop = context.AfterFunc(ctx, func() { _ = raw.Close() })
	return conn, nil
}

func (c *Client) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return defaultTimeout
}

func (c *Client) tries() int {
	if c.Tries > 0 {
		return c.Tries
	}
	return defaultTries
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// connection is one conversation with a server, with the running signature of
// it where there is a key.
type connection struct {
	dns.Conn
	key  *Key
	now  func() time.Time
	sign *conversation
	sent []byte // MAC of what was sent
	stop func() bool
}

func (c *connection) close() {
	c.stop()
	_ = c.Conn.Close() // nothing is lost: all that was wanted has been read
}

func (c *connection) send(m *dns.Msg) error {
	wire, mac, err := c.key.signed(m, c.now())
	if err != nil {
		return err
	}
	c.sent = mac
	c.restart()
	_, err = c.Write(wire)
	return err
}

// restart forgets what was received.
func (c *connection) restart() {
	if c.key != nil {
		c.sign = &conversation{key: c.key, prior: c.sent, now: c.now}
	}
}

func (c *connection) receive() (*dns.Msg, error) {
	wire, err := c.ReadMsgHeader(nil)
	if err != nil {
		return nil, err
	}
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		return nil, fmt.Errorf("the answer can't be read: %w", err)
	}
	if c.sign != nil {
		if err := c.sign.take(wire, m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// finished says whether all that was received is covered by a signature.
func (c *connection) finished() error {
	if c.sign == nil {
		return nil
	}
	return c.sign.finished()
}

// explain prefers the context's reason to that of the connection it closed.
func (c *connection) explain(ctx context.Context, err error) error {
	reason := ctx.Err()
	if reason == nil && errors.Is(err, os.ErrDeadlineExceeded) {
		reason = context.DeadlineExceeded
	}
	if reason != nil {
		return fmt.Errorf("no answer from %s: %w", c.RemoteAddr(), reason)
	}
	return err
}
