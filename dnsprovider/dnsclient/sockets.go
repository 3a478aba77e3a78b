package dnsclient

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Sockets has the questions that a server is asked in one go leave by one UDP
// socket: opening one for each costs more than the asking. It is closed soon
// after the last answer, so that later questions leave from another port, which
// who would forge answers has to guess. The zero value works; it is safe for
// concurrent use.
type Sockets struct {
	mu   sync.Mutex
	open map[string]*socket // by server
}

// linger is how long a socket waits for the next question.
const linger = time.Second

// socket is one of them.
type socket struct {
	conn  net.Conn
	users int         // counted under the lock of Sockets, as is gone
	gone  bool        // nobody joins any more
	idle  *time.Timer // closes it; runs while nobody uses it

	mu      sync.Mutex
	waiting map[uint16]chan packet // by the question's ID
}

// packet is what came for a question.
type packet struct {
	wire []byte
	err  error
}

// join gives the socket to a server, to be left again.
func (s *Sockets) join(ctx context.Context, server string) (*socket, error) {
	if k := s.joinOpen(server); k != nil {
		return k, nil
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp", server)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.open[server]; k != nil { // others were faster
		_ = conn.Close() // nothing was sent
		k.users++
		k.idle.Stop()
		return k, nil
	}
	k := &socket{conn: conn, users: 1, waiting: map[uint16]chan packet{}}
	k.idle = time.AfterFunc(linger, func() { s.closeIdle(server, k) })
	if s.open == nil {
		s.open = map[string]*socket{}
	}
	s.open[server] = k
	go func() { s.broken(server, k, k.read()) }()
	return k, nil
}

func (s *Sockets) joinOpen(server string) *socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.open[server]
	if k != nil {
		k.users++
		k.idle.Stop() // too late, it finds a user
	}
	return k
}

// broken lets nobody join k any more, and tells all that wait.
func (s *Sockets) broken(server string, k *socket, err error) {
	s.mu.Lock()
	if s.open[server] == k {
		delete(s.open, server)
	}
	k.gone = true
	s.mu.Unlock()
	k.fail(err)
}

// leave has the socket closed soon, if nobody comes: at once, if nobody can.
func (s *Sockets) leave(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch k.users--; {
	case k.users > 0:
	case k.gone:
		_ = k.conn.Close() // it has failed
	default:
		k.idle.Reset(linger)
	}
}

// Close closes at once the sockets that nobody waits at.
func (s *Sockets) Close() {
	s.mu.Lock()
	idle := maps.Clone(s.open)
	s.mu.Unlock()
	for server, k := range idle {
		s.closeIdle(server, k)
	}
}

func (s *Sockets) closeIdle(server string, k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.users > 0 {
		return
	}
	if s.open[server] == k {
		delete(s.open, server)
	}
	k.idle.Stop()
	_ = k.conn.Close() // all that was wanted has been read
}

// read hands out what comes, until the socket is closed or fails.
func (k *socket) read() error {
	buffer := make([]byte, receiveSize)
	for {
		n, err := k.conn.Read(buffer)
		if err != nil {
			return err
		}
		if n < headerSize {
			continue
		}
		k.mu.Lock()
		if to := k.waiting[binary.BigEndian.Uint16(buffer)]; to != nil {
			select {
			case to <- packet{wire: append([]byte(nil), buffer[:n]...)}:
			default: // a flood: the right answer is asked for again
			}
		}
		k.mu.Unlock()
	}
}

const headerSize = 12 // octets of a DNS message's header

// fail tells all that wait, and whoever would, that nothing comes any more.
func (k *socket) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, to := range k.waiting {
		select {
		case to <- packet{err: err}:
		default:
		}
	}
	k.waiting = nil
}

// expect gives what comes for a question, and the question itself, with another
// ID where somebody else waits for an answer to its own.
func (k *socket) expect(m *dns.Msg) (*dns.Msg, chan packet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.waiting == nil {
		return nil, nil, net.ErrClosed
	}
	if len(k.waiting) > mostWaiting {
		return nil, nil, fmt.Errorf("more than %d questions wait for this server", mostWaiting)
	}
	if k.waiting[m.Id] != nil {
		other := *m
		m = &other
		for k.waiting[m.Id] != nil {
			m.Id = dns.Id()
		}
	}
	to := make(chan packet, 4) // forged ones may come before the right one
	k.waiting[m.Id] = to
	return m, to, nil
}

// mostWaiting leaves half of the IDs free, so that one is soon found.
const mostWaiting = 1 << 15

func (k *socket) done(id uint16) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.waiting, id)
}

// together is once over UDP, by a socket that others use at the same time.
func (c *Client) together(ctx context.Context, server string, m *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	k, err := c.Sockets.join(ctx, server)
	if err != nil {
		return nil, err
	}
	defer c.Sockets.leave(k)
	m, answers, err := k.expect(m)
	if err != nil {
		return nil, err
	}
	defer k.done(m.Id)
	wire, mac, err := c.Key.signed(m, c.now())
	if err != nil {
		return nil, err
	}
	if _, err := k.conn.Write(wire); err != nil {
		c.Sockets.broken(server, k, err) // it may be about what others have sent
		return nil, err
	}
	for {
		select {
		case p := <-answers:
			if p.err != nil {
				return nil, p.err
			}
			answer, err := c.opened(p.wire, mac)
			if err != nil || matches(m, answer) {
				return answer, err
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("no answer from %s: %w", k.conn.RemoteAddr(), ctx.Err())
		}
	}
}

// opened reads an answer that is one message; mac is that of the question.
func (c *Client) opened(wire, mac []byte) (*dns.Msg, error) {
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		return nil, fmt.Errorf("the answer can't be read: %w", err)
	}
	if c.Key == nil {
		return m, nil
	}
	sign := &conversation{key: c.Key, prior: mac, now: c.now}
	if err := sign.take(wire, m); err != nil {
		return nil, err
	}
	return m, sign.finished()
}
