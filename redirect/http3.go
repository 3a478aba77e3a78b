package redirect

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// quicVariables make quic-go write addresses to the process's standard error;
// it reads them before anything of ours runs.
var quicVariables = []string{"QUIC_GO_LOG_LEVEL"}

// ServeHTTP3 serves HTTP/3 on a UDP socket, which it closes, until Shutdown:
// then it returns nil. From then on, answers by the other protocols over TLS
// say that the port has it (RFC 7838).
func (s *Server) ServeHTTP3(c net.PacketConn) error {
	if s.tls == nil {
		return errors.Join(errors.New("serve http/3: no certificates are configured"), c.Close())
	}
	for _, name := range quicVariables {
		if os.Getenv(name) != "" {
			return errors.Join(fmt.Errorf("serve http/3: %s is set, which logs visitors' addresses; unset it", name), c.Close())
		}
	}
	transport := &quic.Transport{Conn: c, VerifySourceAddress: s.greetings.prove, ConnContext: s.greetings.admit}
	listener, err := transport.ListenEarly(http3.ConfigureTLSConfig(s.tls), quicConfig())
	if err != nil {
		return errors.Join(fmt.Errorf("serve http/3: %w", err), c.Close())
	}
	server := &http3Server{Server: s.newHTTP3Server(), listener: listener, ended: make(chan struct{})}
	s.mu.Lock()
	if s.draining.Load() {
		s.mu.Unlock()
		return errors.Join(listener.Close(), transport.Close(), c.Close())
	}
	s.quic = append(s.quic, server)
	s.mu.Unlock()
	if at, ok := c.LocalAddr().(*net.UDPAddr); ok {
		value := fmt.Sprintf(`h3=":%d"; ma=86400`, at.Port)
		s.http3At.Store(&value)
	}
	err = server.ServeListener(listener)
	close(server.ended)
	if s.draining.Load() {
		<-s.ctx.Done() // connections drain on this socket
		err = nil
	}
	return errors.Join(err, transport.Close(), c.Close())
}

// http3Server serves one listener.
type http3Server struct {
	*http3.Server
	listener *quic.EarlyListener
	ended    chan struct{} // closed when the listener has given all that it took
}

// newHTTP3Server makes one with every limit set, that logs nothing: what it
// would log holds addresses.
func (s *Server) newHTTP3Server() *http3.Server {
	return &http3.Server{
		Handler:        s.guarded(s.answerSecure),
		MaxHeaderBytes: maxHead,
		IdleTimeout:    idleTimeout,
		ConnContext:    s.withQUICPeer,
		Logger:         slog.New(slog.DiscardHandler),
	}
}

func quicConfig() *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:           handshakeTimeout,
		MaxIdleTimeout:                 idleTimeout,
		InitialStreamReceiveWindow:     maxBody,
		MaxStreamReceiveWindow:         maxBody,
		InitialConnectionReceiveWindow: 2 * maxBody,
		MaxConnectionReceiveWindow:     2 * maxBody,
		MaxIncomingStreams:             maxStreams,
		MaxIncomingUniStreams:          8, // HTTP/3 needs three
		Allow0RTT:                      false,
	}
}

// withQUICPeer is the http3.Server's ConnContext.
func (s *Server) withQUICPeer(ctx context.Context, c *quic.Conn) context.Context {
	s.meet(c)
	name := c.ConnectionState().TLS.ServerName
	host, _ := splitHost(name)
	p := &peer{sni: host}
	if host != "" { // as the handshake chose it; QUIC tells no more
		p.cert = s.certificate(s.options.TLS, &tls.ClientHelloInfo{
			ServerName: name, SupportedVersions: []uint16{tls.VersionTLS13},
			SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384, tls.PSSWithSHA256, tls.Ed25519},
		})
	}
	return context.WithValue(ctx, peerKey{}, p)
}

// stopHTTP3 lets HTTP/3 connections come to their end.
func (s *Server) stopHTTP3(ctx context.Context) error {
	s.mu.Lock()
	servers := s.quic
	s.mu.Unlock()
	// A QUIC client that is idle stays so until it is told; those that are not
	// have an answer within this.
	ctx, cancel := context.WithTimeout(ctx, 2*drainTime)
	defer cancel()
	var errs []error
	for _, server := range servers {
		errs = append(errs, server.stop(ctx))
	}
	return errors.Join(errs...)
}

// stop takes nobody new, then tells all that it took to go. The other way round,
// http3.Server would leave those unanswered who had just come.
func (s *http3Server) stop(ctx context.Context) error {
	err := s.listener.Close()
	<-s.ended
	down := s.Shutdown(ctx)
	if errors.Is(down, context.DeadlineExceeded) {
		down = nil
	}
	return errors.Join(err, down, s.Close())
}
