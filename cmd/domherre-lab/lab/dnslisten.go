package lab

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// udpSize is the largest UDP answer that the lab's servers send and the
// buffer size that they offer (the value of the DNS flag day 2020).
const udpSize = 1232

// dnsListener is one DNS server on UDP and TCP at the same port.
type dnsListener struct {
	addr    netip.AddrPort
	servers []*dns.Server
	ended   chan error
}

// bindDNS takes a port, any free one for port 0. Nothing answers before serve.
func bindDNS(listen string) (*dnsListener, error) {
	packet, stream, err := bindBoth(listen)
	if err != nil {
		return nil, err
	}
	return &dnsListener{
		addr: stream.Addr().(*net.TCPAddr).AddrPort(),
		servers: []*dns.Server{
			{PacketConn: packet, UDPSize: dns.DefaultMsgSize},
			{Listener: stream},
		},
		ended: make(chan error, 2),
	}, nil
}

// serve starts to answer; it returns when both servers do.
func (l *dnsListener) serve(handler dns.HandlerFunc) {
	var started sync.WaitGroup
	for _, s := range l.servers {
		started.Add(1)
		s.Handler = handler
		s.NotifyStartedFunc = started.Done
		go func() { l.ended <- s.ActivateAndServe() }()
	}
	started.Wait()
}

// bindBoth binds UDP and TCP to one port. With port 0 the port that TCP got
// may be taken for UDP, so it tries again.
func bindBoth(listen string) (net.PacketConn, net.Listener, error) {
	var failed error
	for range 16 {
		stream, err := net.Listen("tcp", listen)
		if err != nil {
			return nil, nil, err
		}
		packet, err := net.ListenPacket("udp", stream.Addr().String())
		if err == nil {
			return packet, stream, nil
		}
		failed = errors.Join(err, stream.Close())
		if at, parseErr := netip.ParseAddrPort(listen); parseErr != nil || at.Port() != 0 {
			break
		}
	}
	return nil, nil, failed
}

// Close stops both servers and waits for the queries under way, for two
// seconds at most.
func (l *dnsListener) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var errs []error
	for _, s := range l.servers {
		errs = append(errs, s.ShutdownContext(ctx))
	}
	for range l.servers {
		<-l.ended
	}
	return errors.Join(errs...)
}

// send fits a reply to the transport and the client's EDNS buffer (RFC 6891).
func send(w dns.ResponseWriter, query, reply *dns.Msg) {
	limit := dns.MaxMsgSize
	if opt := query.IsEdns0(); opt != nil {
		if reply.IsEdns0() == nil {
			reply.SetEdns0(udpSize, opt.Do())
		}
		if opt.Version() != 0 {
			reply.Answer, reply.Ns = nil, nil
			reply.Rcode = dns.RcodeBadVers
		}
		limit = max(dns.MinMsgSize, min(int(opt.UDPSize()), udpSize))
	} else if w.RemoteAddr().Network() == "udp" {
		limit = dns.MinMsgSize
	}
	if w.RemoteAddr().Network() != "udp" {
		limit = dns.MaxMsgSize
	}
	reply.Truncate(limit)
	// A client that went away is no concern of the lab.
	_ = w.WriteMsg(reply)
}
