package redirect

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// dialTLS sends header, shakes hands for name and speaks HTTP/1.1.
func dialTLS(t testing.TB, addr, header, name string) *tls.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, header); err != nil {
		t.Fatal(err)
	}
	tc := tls.Client(c, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err := tc.Handshake(); err != nil {
		t.Fatal(err)
	}
	return tc
}

// handshake tries one and gives its error.
func handshake(t testing.TB, addr string, cfg *tls.Config) error {
	t.Helper()
	cfg.InsecureSkipVerify = true
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", addr, cfg)
	if err != nil {
		return err
	}
	return c.Close()
}

func TestHandshakes(t *testing.T) {
	t.Parallel()
	refused := func(err error) bool { return err != nil && strings.Contains(err.Error(), "tls: unrecognized name") }
	var asked atomic.Int64
	inner := certs(testCert(t, "kopasex.se"), testCert(t, "other.example"))
	get := inner.GetCertificate
	inner.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		asked.Add(1)
		return get(h)
	}
	s := start(t, mustTable(t, testSites()...), Options{TLS: inner})
	if err := handshake(t, s.secure, &tls.Config{ServerName: "KopaSex.SE"}); err != nil {
		t.Errorf("a name of ours: %v", err)
	}
	before := asked.Load()
	for _, name := range []string{"other.example", "random.example", "a.kopasex.se", ""} {
		if err := handshake(t, s.secure, &tls.Config{ServerName: name}); !refused(err) {
			t.Errorf("%q: %v, want unrecognized_name", name, err)
		}
	}
	if asked.Load() != before {
		t.Error("a name that isn't in the table got as far as the certificates")
	}
	if err := handshake(t, s.secure, &tls.Config{ServerName: "wild.example"}); !refused(err) {
		t.Errorf("a name of ours without a certificate: %v", err)
	}
	if err := handshake(t, s.secure, &tls.Config{ServerName: "kopasex.se", MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}); err == nil {
		t.Error("TLS 1.1 was spoken")
	}
	if err := handshake(t, s.secure, &tls.Config{ServerName: "kopasex.se", NextProtos: []string{"spdy/3"}}); err == nil {
		t.Error("an unknown protocol was agreed on")
	}
}

// TestStaticCertificates: a config may come with certificates alone.
func TestStaticCertificates(t *testing.T) {
	t.Parallel()
	cert := testCert(t, "kopasex.se")
	cert.Leaf = nil
	s := start(t, mustTable(t, testSites()...), Options{TLS: &tls.Config{Certificates: []tls.Certificate{*cert}}})
	resp, _ := via(t, client(t, s.secure, nil), "GET", "https://kopasex.se/", "")
	if resp.StatusCode != 302 {
		t.Errorf("got %d", resp.StatusCode)
	}
}

// TestResumption: a resumed connection covers what its certificate does, though
// crypto/tls doesn't pick one then.
func TestResumption(t *testing.T) {
	t.Parallel()
	s := start(t, mustTable(t, testSites()...), Options{TLS: certs(testCert(t, "kopasex.se", "www.kopasex.se"), testCert(t, "wild.example"))})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cfg := &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(8), MinVersion: version, MaxVersion: version}
		c := client(t, s.secure, cfg)
		c.Transport.(*http.Transport).DisableKeepAlives = true
		resumed := false
		for range 3 {
			for host, want := range map[string]int{"": 302, "www.kopasex.se": 302, "wild.example": 421} {
				resp, _ := via(t, c, "GET", "https://kopasex.se/", host)
				if resp.StatusCode != want {
					t.Errorf("Host %q: got %d, want %d (resumed: %v)", host, resp.StatusCode, want, resp.TLS.DidResume)
				}
				resumed = resumed || resp.TLS.DidResume
			}
		}
		if !resumed {
			t.Errorf("version %x: nothing was resumed", version)
		}
	}
}

// TestChallengeProtocol: what GetConfigForClient answers for itself ends with
// the handshake, also for names that the table doesn't have.
func TestChallengeProtocol(t *testing.T) {
	t.Parallel()
	challenge := testCert(t, "new.example")
	given := certs(testCert(t, "kopasex.se"))
	given.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		if len(h.SupportedProtos) == 1 && h.SupportedProtos[0] == "acme-tls/1" {
			return &tls.Config{NextProtos: []string{"acme-tls/1"}, Certificates: []tls.Certificate{*challenge}}, nil
		}
		return nil, nil
	}
	s := start(t, mustTable(t, testSites()...), Options{TLS: given})
	c, err := tls.Dial("tcp", s.secure, &tls.Config{ServerName: "new.example", InsecureSkipVerify: true, NextProtos: []string{"acme-tls/1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.ConnectionState(); got.NegotiatedProtocol != "acme-tls/1" || got.PeerCertificates[0].DNSNames[0] != "new.example" {
		t.Errorf("got %q, %v", got.NegotiatedProtocol, got.PeerCertificates[0].DNSNames)
	}
	if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
		t.Errorf("after the handshake: %q, %v", rest, err)
	}
	if resp, _ := via(t, client(t, s.secure, nil), "GET", "https://kopasex.se/", ""); resp.StatusCode != 302 {
		t.Errorf("a visitor got %d", resp.StatusCode)
	}
}

// TestSmugglingOverTLS runs the corpus once more behind a handshake.
func TestSmugglingOverTLS(t *testing.T) {
	t.Parallel()
	s := start(t, mustTable(t, testSites()...), Options{TLS: certs(testCert(t, "kopasex.se"))})
	for _, c := range smuggling {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tc := dialTLS(t, s.secure, "", "kopasex.se")
			if _, err := io.WriteString(tc, c.request); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(tc)
			if err != nil {
				t.Fatal(err)
			}
			method, _, _ := strings.Cut(c.request, " ")
			resp := answers(t, string(got), method)[0]
			want := c.want
			if want == 0 {
				want = 400
			}
			if resp.StatusCode != want || !resp.Close {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestServeHTTPSWithoutTLS(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := NewServer(mustTable(t), Options{}).ServeHTTPS(l); err == nil || !strings.Contains(err.Error(), "no certificates") {
		t.Errorf("got %v", err)
	}
}
