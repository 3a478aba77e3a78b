package saastest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"testing"

	"github.com/miekg/dns"
)

// Net brings requests for the vendors' hosts to the fakes that serve, each to
// the one with its credential. A request for any other host fails: nothing
// leaves the machine. As http.DefaultTransport it reaches modules that take no
// client of their own.
type Net struct {
	mu    sync.RWMutex
	doors []door
}

type door struct {
	fake      *Fake
	transport *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (n *Net) RoundTrip(r *http.Request) (*http.Response, error) {
	req, err := whole(r)
	if err != nil {
		return nil, err
	}
	d, ok := n.door(req)
	if !ok {
		return nil, &url.Error{Op: r.Method, URL: r.URL.String(), Err: errors.New("no fake serves this host")}
	}
	out := r.Clone(r.Context())
	out.URL.Scheme = "http"
	out.Body, out.GetBody = http.NoBody, nil
	if len(req.body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(req.body))
	}
	return d.transport.RoundTrip(out)
}

// whole reads a request's body.
func whole(r *http.Request) (*request, error) {
	req := &request{Request: r}
	if r.Body == nil {
		return req, nil
	}
	defer r.Body.Close()
	var err error
	req.body, err = io.ReadAll(r.Body)
	return req, err
}

// door finds the fake that a request is for: the one with its credential, else
// any of its host, which refuses it.
func (n *Net) door(r *request) (found door, ok bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, d := range n.doors {
		if d.fake.token(r) == d.fake.Token {
			return d, true
		}
		if r.URL.Host == d.fake.Host {
			found, ok = d, true
		}
	}
	return found, ok
}

func (n *Net) add(t testing.TB, f *Fake, dial func(context.Context) (net.Conn, error)) {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }}
	n.mu.Lock()
	n.doors = append(n.doors, door{f, transport})
	n.mu.Unlock()
	t.Cleanup(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		for i := range n.doors {
			if n.doors[i].fake == f {
				n.doors = append(n.doors[:i:i], n.doors[i+1:]...)
				break
			}
		}
		transport.CloseIdleConnections()
	})
}

// Serve serves f on loopback until the test ends.
func (n *Net) Serve(t testing.TB, f *Fake) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, l, f)
	n.add(t, f, func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	})
}

// ServePipes serves f by pipes in memory, which go by the clock of
// testing/synctest, until the test ends.
func (n *Net) ServePipes(t testing.TB, f *Fake) {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	serve(t, l, f)
	n.add(t, f, l.dial)
}

func serve(t testing.TB, l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
}

// pipes is a listener that is dialled in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return conn{near}, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// conn is a connection that breaks as those of a network do.
type conn struct{ net.Conn }

func (c conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, broken("read", err)
}

func (c conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, broken("write", err)
}

func broken(op string, err error) error {
	if errors.Is(err, io.ErrClosedPipe) {
		return &net.OpError{Op: op, Net: "tcp", Err: syscall.ECONNRESET}
	}
	return err
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// ServeDNS serves the account's zones with authority, as the vendor's name
// servers do, until the test ends. It gives host:port.
func (f *Fake) ServeDNS(t testing.TB) string {
	t.Helper()
	packets, streams, err := listenBoth()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*dns.Server{{PacketConn: packets}, {Listener: streams}} {
		s.Handler = dns.HandlerFunc(f.resolve)
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		go func() { _ = s.ActivateAndServe() }()
		<-up
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return streams.Addr().String()
}

// listenBoth finds a port that is free for UDP and TCP.
func listenBoth() (net.PacketConn, net.Listener, error) {
	var failure error
	for range 20 {
		streams, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		packets, err := net.ListenPacket("udp", streams.Addr().String())
		if err == nil {
			return packets, streams, nil
		}
		failure = err
		_ = streams.Close()
	}
	return nil, nil, fmt.Errorf("no port is free for both: %w", failure)
}

func (f *Fake) resolve(w dns.ResponseWriter, q *dns.Msg) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := new(dns.Msg).SetReply(q)
	name := dns.CanonicalName(q.Question[0].Name)
	var z *zone
	for off, end := 0, false; !end && z == nil; off, end = dns.NextLabel(name, off) {
		z = f.find(name[off:])
	}
	if z == nil {
		m.Rcode = dns.RcodeRefused
		_ = w.WriteMsg(m)
		return
	}
	m.Authoritative = true
	if q.Question[0].Qtype == dns.TypeSOA && name == z.name+"." {
		header := dns.RR_Header{Name: name, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 3600}
		m.Answer = append(m.Answer, &dns.SOA{Hdr: header, Ns: "ns1.saastest.example.", Mbox: "hostmaster.saastest.example.", Serial: z.serial})
	}
	records := z.records
	if f.Deploys {
		records = z.served
	}
	for _, r := range records {
		t := r.RR.Header().Rrtype
		if dns.CanonicalName(r.RR.Header().Name) == name && (t == q.Question[0].Qtype || t == dns.TypeCNAME) {
			m.Answer = append(m.Answer, r.RR)
		}
	}
	size := dns.MinMsgSize
	if o := q.IsEdns0(); o != nil {
		size = int(o.UDPSize())
	}
	if _, stream := w.RemoteAddr().(*net.TCPAddr); stream {
		size = dns.MaxMsgSize
	}
	m.Truncate(size)
	_ = w.WriteMsg(m)
}
