package check

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

const (
	probeTimeout = 6 * time.Second // of one request, from connecting to its answer
	maxHeader    = 64 << 10        // bytes of an answer that are read
)

// probe is what one request to one host at one address met. An error is about
// the first step that failed; what came before is filled in.
type probe struct {
	at     netip.AddrPort
	dial   error
	chain  []*x509.Certificate // as the server showed it, unverified
	tls    error
	http   error
	status int
	to     string // the Location
}

// probe connects to an address and asks for "/" of a host, by TLS or in the
// clear. Whether the certificate is good is for the caller to judge.
func (c *Checker) probe(ctx context.Context, at netip.AddrPort, u *url.URL) probe {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	p := probe{at: at}
	raw, err := c.dial(ctx, at)
	if err != nil {
		p.dial = err
		return p
	}
	defer raw.Close()
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	conn := raw
	if u.Scheme == "https" {
		secure := tls.Client(conn, &tls.Config{
			ServerName:         u.Hostname(),
			NextProtos:         []string{"http/1.1"},
			InsecureSkipVerify: true, // verified by the certificate check, which words each fault
		})
		if err := secure.HandshakeContext(ctx); err != nil {
			p.tls = err
			return p
		}
		p.chain = secure.ConnectionState().PeerCertificates
		conn = secure
	}
	p.status, p.to, p.http = ask(ctx, conn, u)
	return p
}

// ask sends one request and reads the head of its answer.
func ask(ctx context.Context, conn net.Conn, u *url.URL) (status int, location string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("User-Agent", UserAgent)
	req.Close = true
	if err := req.Write(conn); err != nil {
		return 0, "", err
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxHeader)), req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Location"), nil
}

// addresses gives where to connect to for plain and secure HTTP. On loopback
// the redirector may listen elsewhere than at 80 and 443.
func (c *Checker) addresses(addrs []netip.Addr) (plain, secure []netip.AddrPort) {
	for _, a := range addrs {
		http, https := uint16(80), uint16(443)
		if a.IsLoopback() {
			http, https = orDefault(c.Ports.HTTP, http), orDefault(c.Ports.HTTPS, https)
		}
		plain = append(plain, netip.AddrPortFrom(a, http))
		secure = append(secure, netip.AddrPortFrom(a, https))
	}
	return plain, secure
}
