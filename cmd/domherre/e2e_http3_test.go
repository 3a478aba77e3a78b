package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// errNotMet says that a visitor found nobody to connect to.
var errNotMet = errors.New("nobody answers")

// newClient3 makes a visitor by HTTP/3, who otherwise is as newClient's.
func (w *world) newClient3() *http.Client {
	roots := w.newClient().Transport.(*http.Transport).TLSClientConfig.RootCAs
	tr := &http3.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		QUICConfig:      &quic.Config{HandshakeIdleTimeout: 2 * time.Second},
		Dial: func(ctx context.Context, _ string, cfg *tls.Config, q *quic.Config) (*quic.Conn, error) {
			c, err := quic.DialAddrEarly(ctx, w.https, cfg, q)
			if err != nil {
				return nil, errors.Join(errNotMet, err)
			}
			return c, nil
		},
	}
	w.Cleanup(func() { tr.Close() })
	c := w.newClient()
	c.Transport = tr
	return c
}

// newClient2 makes one by HTTP/2.
func (w *world) newClient2() *http.Client {
	c := w.newClient()
	tr := c.Transport.(*http.Transport)
	tr.DisableKeepAlives, tr.ForceAttemptHTTP2 = false, true
	return c
}

// newBrowser makes one that has heard of HTTP/3, and falls back on HTTP/2.
func (w *world) newBrowser() *http.Client {
	c := w.newClient3()
	c.Transport = browser{first: c.Transport, then: w.newClient2().Transport}
	return c
}

// withHTTP3 is the world's config with HTTP/3 on the port of HTTPS.
func (w *world) withHTTP3() string {
	return strings.Replace(w.config(), "http3: false", "http3: true", 1)
}

// browser asks by HTTP/3, and where that finds nobody, as browsers do, by what
// is below it.
type browser struct{ first, then http.RoundTripper }

func (b browser) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.first.RoundTrip(r)
	if err != nil && notMet(err) {
		return b.then.RoundTrip(r)
	}
	return resp, err
}

// notMet reports whether there was no connection, or none that was taken.
func notMet(err error) bool {
	var refused *quic.TransportError
	return errors.Is(err, errNotMet) || errors.As(err, &refused) && refused.ErrorCode == quic.ConnectionRefused
}

// Visitors by HTTP/3, and others, notice neither 200 reloads, with domains that
// come and go, nor lose a request when the daemon stops.
func TestHTTP3UnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	w.write("domherre.yaml", w.withHTTP3())
	d := w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	v := w.visitorsBy(w.newClient3, 4, false, "https://www.kopasex.se/")
	tcp := w.visitors(2, false, "https://www.kopasex.se/")
	h2 := w.visitorsBy(w.newClient2, 2, false, "https://www.kopasex.se/")
	began := time.Now()
	for i := range 200 {
		list := []string{"kopasex.se"}
		if i%2 == 0 {
			list = append(list, "kopa-tid.test")
		}
		w.write("domains.txt", lines(list...))
		if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		w.until("the config is reloaded", w.logged(d, "config reloaded", i+1))
	}
	t.Logf("200 reloads in %v", time.Since(began))
	w.until("visitors come", v.more(100))
	code := d.stop(t)
	for _, v := range []*visitors{v, tcp, h2} {
		if lost := v.end(); code != 0 || len(lost) > 0 {
			t.Errorf("exit %d, lost %d of %d: %v", code, len(lost), v.met.Load(), lost[:min(3, len(lost))])
		}
	}
}
