package redirect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"slices"
	"strings"
)

// peer is the transport below a TLS connection. It remembers which certificate
// the handshake chose: a request for a host that this doesn't cover is
// misdirected (RFC 9110, section 15.5.20).
type peer struct {
	net.Conn
	hello *tls.ClientHelloInfo // until the handshake is done
	cert  *tls.Certificate     // nil where none could be found out
	sni   string
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

// shake does the TLS handshake. The connection it returns speaks HTTP/2 or is
// ready to be vetted. It is nil where the handshake was all, as with the
// challenge tls-alpn-01 (RFC 8737).
func (s *Server) shake(ctx context.Context, c net.Conn) (*tls.Conn, *peer, error) {
	p := &peer{Conn: c}
	tc := tls.Server(p, s.tls)
	if err := tc.HandshakeContext(ctx); err != nil {
		return nil, nil, err
	}
	state := tc.ConnectionState()
	if !slices.Contains(s.tls.NextProtos, state.NegotiatedProtocol) && state.NegotiatedProtocol != "" {
		return nil, nil, tc.Close()
	}
	p.sni = strings.ToLower(strings.TrimSuffix(state.ServerName, "."))
	if p.cert == nil && p.hello != nil { // resumed: the session's certificate isn't told
		p.cert = s.certificate(s.options.TLS, p.hello)
	}
	p.hello = nil
	return tc, p, nil
}

type peerKey struct{}

// withPeer is the http.Server's ConnContext.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	switch c := c.(type) {
	case *conn:
		if c.peer != nil {
			return context.WithValue(ctx, peerKey{}, c.peer)
		}
	case *tls.Conn:
		if p, ok := c.NetConn().(*peer); ok {
			return context.WithValue(ctx, peerKey{}, p)
		}
	}
	return ctx
}

// peerOf gives the peer of a request that came by TLS, else nil.
func peerOf(r *http.Request) *peer {
	p, _ := r.Context().Value(peerKey{}).(*peer)
	return p
}
