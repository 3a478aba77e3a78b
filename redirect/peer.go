package redirect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// peer is the transport below a TLS connection. It remembers which certificate
// the handshake chose: a request for a host that this doesn't cover is
// misdirected (RFC 9110, section 15.5.20).
type peer struct {
	net.Conn
	hello *tls.ClientHelloInfo // until the handshake is done
	cert  *tls.Certificate     // nil where none could be found out
	sni   string

	gate   *gate // nil once the handshake is done
	wish   *wish // to enter the gate
	inside bool
	live   *session    // nil during the handshake
	aside  atomic.Bool // somebody else writes, too
}

// Read implements net.Conn. With what the client says, its handshake waits for
// its turn to compute; while it waits for the client, others have theirs.
func (p *peer) Read(b []byte) (int, error) {
	if p.live != nil {
		return p.live.sock.Read(b)
	}
	p.leaveGate()
	n, err := p.Conn.Read(b)
	if p.gate != nil && n > 0 {
		if err := p.gate.enter(p.wish); err != nil {
			return 0, err
		}
		p.inside = true
	}
	return n, err
}

// Write implements net.Conn.
func (p *peer) Write(b []byte) (int, error) {
	p.leaveGate()
	if !p.aside.Load() && p.live != nil {
		return p.live.push(b)
	}
	return p.Conn.Write(b)
}

func (p *peer) leaveGate() {
	if p.inside {
		p.gate.leave()
		p.inside = false
	}
}

// covers reports whether the client may ask for host on this connection. The
// names of a certificate that isn't known are those the client asked for.
func (p *peer) covers(host string) bool {
	if p.cert == nil {
		return host == p.sni
	}
	leaf := p.cert.Leaf
	if leaf == nil {
		return false
	}
	// A certificate of one or two names, as ours are, is searched faster than
	// VerifyHostname can validate its input.
	if slices.Contains(leaf.DNSNames, host) {
		return true
	}
	return leaf.VerifyHostname(host) == nil
}

// serverTLS makes the configuration of the HTTPS listener from the given one.
func (s *Server) serverTLS(given *tls.Config) *tls.Config {
	cfg := given.Clone()
	cfg.DynamicRecordSizingDisabled = true // each record is a system call, and no answer is long
	cfg.NextProtos = []string{"h2", "http/1.1"}
	if cfg.MinVersion < tls.VersionTLS12 {
		cfg.MinVersion = tls.VersionTLS12
	}
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if p, ok := hello.Conn.(*peer); ok {
			p.hello = hello
		}
		if given.GetConfigForClient != nil {
			return given.GetConfigForClient(hello)
		}
		return nil, nil
	}
	cfg.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		cert := s.certificate(given, hello)
		if p, ok := hello.Conn.(*peer); ok {
			p.cert = cert
		}
		return cert, nil
	}
	cfg.Certificates = nil // with these, crypto/tls would answer names that GetCertificate won't
	return cfg
}

// certificate gives the certificate for a handshake, or nil, on which
// crypto/tls refuses it with unrecognized_name. Names that aren't in the table
// never get as far as the certificate store.
func (s *Server) certificate(given *tls.Config, hello *tls.ClientHelloInfo) *tls.Certificate {
	host, ok := splitHost(hello.ServerName)
	if !ok || host == "" {
		return nil
	}
	if s.table.Load().find(host) == nil {
		return nil
	}
	if given.GetCertificate != nil {
		cert, err := given.GetCertificate(hello)
		if err == nil && cert != nil {
			return withLeaf(cert)
		}
	}
	for i := range given.Certificates {
		if hello.SupportsCertificate(&given.Certificates[i]) == nil {
			return withLeaf(&given.Certificates[i])
		}
	}
	return nil
}

// withLeaf makes sure that a certificate's names are known.
func withLeaf(cert *tls.Certificate) *tls.Certificate {
	if cert.Leaf != nil || len(cert.Certificate) == 0 {
		return cert
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return cert
	}
	parsed := *cert
	parsed.Leaf = leaf
	return &parsed
}

// shake does the TLS handshake and gives the protocol to speak. The session
// has no peer where the handshake was all, as with the challenge tls-alpn-01
// (RFC 8737).
func (c *session) shake() (protocol string, err error) {
	p := &peer{Conn: c.Conn, gate: &c.s.gate, wish: &c.wish}
	defer func() {
		p.leaveGate()
		p.gate = nil
	}()
	tc := tls.Server(p, c.s.tls)
	if err := tc.Handshake(); err != nil {
		return "", err
	}
	c.Conn = tc
	state := tc.ConnectionState()
	if !slices.Contains(c.s.tls.NextProtos, state.NegotiatedProtocol) && state.NegotiatedProtocol != "" {
		return "", nil
	}
	p.sni = strings.ToLower(strings.TrimSuffix(state.ServerName, "."))
	if p.cert == nil && p.hello != nil { // resumed: the session's certificate isn't told
		p.cert = c.s.certificate(c.s.options.TLS, p.hello)
	}
	p.hello = nil
	c.peer = p
	return state.NegotiatedProtocol, nil
}

type peerKey struct{}

// withPeer is the http.Server's ConnContext.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	if c, ok := c.(*conn); ok && c.peer != nil {
		return context.WithValue(ctx, peerKey{}, c.peer)
	}
	return ctx
}

// peerOf gives the peer of a request that came by TLS, else nil.
func peerOf(r *http.Request) *peer {
	p, _ := r.Context().Value(peerKey{}).(*peer)
	return p
}
