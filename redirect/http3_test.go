package redirect

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// startHTTP3 adds HTTP/3 to a running server, on a port of its own.
func startHTTP3(t testing.TB, s running) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.ServeHTTP3(c) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return c.LocalAddr().String()
}

// errNobody says that there was no connection at all.
var errNobody = errors.New("nobody answers")

// client3 asks addr by HTTP/3 whatever the URL's host is.
func client3(t testing.TB, addr string) *http.Client {
	tr := &http3.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		Dial: func(ctx context.Context, _ string, cfg *tls.Config, q *quic.Config) (*quic.Conn, error) {
			c, err := quic.DialAddrEarly(ctx, addr, cfg, q)
			if err != nil {
				return nil, errors.Join(errNobody, err)
			}
			return c, nil
		},
	}
	t.Cleanup(func() { tr.Close() })
	return &http.Client{Transport: tr, Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func TestHTTP3(t *testing.T) {
	t.Parallel()
	o := testOptions()
	o.TLS = certs(testCert(t, "kopasex.se", "www.kopasex.se"), testCert(t, "xn--kpasex-wxa.example"))
	s := start(t, mustTable(t, testSites()...), o)
	if resp, _ := via(t, client(t, s.secure, nil), "GET", "https://kopasex.se/", ""); resp.Header.Get("Alt-Svc") != "" {
		t.Errorf("Alt-Svc %q before HTTP/3 is served", resp.Header.Get("Alt-Svc"))
	}
	addr := startHTTP3(t, s)
	_, port, _ := net.SplitHostPort(addr)
	c := client3(t, addr)
	for _, x := range []struct {
		method, sni, path, host string
		status                  int
		location, hsts          string
	}{
		{"GET", "kopasex.se", "/a?b", "", 302, frontend, "max-age=31536000"},
		{"POST", "kopasex.se", "/", "", 302, frontend, "max-age=31536000"},
		{"GET", "kopasex.se", "/", "www.kopasex.se", 302, frontend, "max-age=31536000"},
		{"HEAD", "xn--kpasex-wxa.example", "/x/?b=2", "", 308, frontend + "x/?a=1&b=2", "max-age=0"},
		{"GET", "kopasex.se", "/", "wild.example", 421, "", ""},
		{"GET", "kopasex.se", "/", "other.example", 421, "", ""},
		{"OPTIONS", "kopasex.se", "/", "", 204, "", "max-age=31536000"},
		{"GET", "kopasex.se", healthPath, "192.0.2.1", 200, "", ""},
		{"GET", "kopasex.se", securityPath, "", 200, "", "max-age=31536000"},
	} {
		resp, body := via(t, c, x.method, "https://"+x.sni+x.path, x.host)
		if resp.ProtoMajor != 3 || resp.StatusCode != x.status || resp.Header.Get("Location") != x.location || resp.Header.Get("Strict-Transport-Security") != x.hsts {
			t.Errorf("%+v: got %s %d to %q", x, resp.Proto, resp.StatusCode, resp.Header.Get("Location"))
		}
		if x.method == "HEAD" && body != "" {
			t.Errorf("%+v: body %q", x, body)
		}
	}
	if _, err := c.Get("https://random.example/"); err == nil {
		t.Error("a handshake for an unknown name succeeded")
	}
	for _, h2 := range []bool{false, true} {
		c := client(t, s.secure, nil)
		c.Transport.(*http.Transport).ForceAttemptHTTP2 = h2
		resp, _ := via(t, c, "GET", "https://kopasex.se/", "")
		if want := `h3=":` + port + `"; ma=86400`; resp.Header.Get("Alt-Svc") != want {
			t.Errorf("%s: Alt-Svc %q, want %q", resp.Proto, resp.Header.Get("Alt-Svc"), want)
		}
	}
	resp, err := http.Get("http://" + s.plain + healthPath)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.Header.Get("Alt-Svc") != "" {
		t.Error("Alt-Svc on plain HTTP")
	}
}

// TestHTTP3NeedsSilence: quic-go would log addresses.
func TestHTTP3NeedsSilence(t *testing.T) {
	t.Setenv(quicVariables[0], "debug")
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(mustTable(t), Options{TLS: certs()})
	if err := s.ServeHTTP3(c); err == nil {
		t.Error("served")
	}
}
