package main

import (
	"context"
	"crypto/tls"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// What stands for a visitor: where he comes from, and a word in all that he
// says.
const (
	strangeAddress = "127.66.77.88"
	strangeProxied = "198.51.100.66" // told by a balancer
	strangeWord    = "canary"
)

const strangeHeaders = "User-Agent: canary-agent\r\nReferer: http://canary.example/\r\nX-Forwarded-For: " + strangeProxied + "\r\nCookie: canary=1\r\nConnection: close\r\n\r\n"

// strangeRequests are good and bad ones.
func strangeRequests() []string {
	return []string{
		"GET /canary-path?canary=query HTTP/1.1\r\nHost: kopasex.se\r\n" + strangeHeaders,
		"HEAD /canary-path HTTP/1.1\r\nHost: www.kopasex.se\r\n" + strangeHeaders,
		"POST /canary-path HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: 6\r\n" + strangeHeaders + "canary",
		"POST /canary HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding: chunked\r\n" + strangeHeaders + "canary\r\n",
		"GET /.well-known/acme-challenge/canary HTTP/1.1\r\nHost: kopasex.se\r\n" + strangeHeaders,
		"GET http://kopasex.se/canary HTTP/1.0\r\n" + strangeHeaders,
		"OPTIONS * HTTP/1.1\r\nHost: canary.example\r\n" + strangeHeaders,
		"GET /canary HTTP/1.1\r\nHost: canary.example\r\n" + strangeHeaders,
		"GET /canary HTTP/1.1\r\nHost: canary example\r\n" + strangeHeaders,
		"GET /%canary HTTP/1.1\r\nHost: kopasex.se\r\n" + strangeHeaders,
		"CONNECT canary.example:443 HTTP/1.1\r\nHost: canary.example:443\r\n" + strangeHeaders,
		"CANARY /canary HTTP/7.7\r\n" + strangeHeaders,
		"PROXY TCP4 " + strangeProxied + " 192.0.2.1 1 2\r\nGET /canary HTTP/1.1\r\nHost: kopasex.se\r\n" + strangeHeaders,
		"PROXY canary\r\n\r\n",
		"GET /" + strings.Repeat("canary", 3000) + " HTTP/1.1\r\n",
		"GET / HTTP/1.1\r\nHost: kopasex.se\r\nX-Canary: " + strings.Repeat("canary", 5000) + "\r\n",
	}
}

// TestNothingOfVisitorsIsWritten drives the daemon, at its most talkative, with
// canaries in every place, and searches all that it wrote.
func TestNothingOfVisitorsIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	config := strings.Replace(w.config(), "http3: false", "http3: true, proxy_from: ["+strangeAddress+"/32]", 1)
	w.write("domherre.yaml", config+"log: {level: debug}\nredirect: {path: keep, query: keep}\n")
	d := w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	v := stranger{w}
	for _, request := range strangeRequests() {
		v.says(v.dial(w.http), request)
		for _, protocol := range []string{"http/1.1", "h2"} {
			v.says(tls.Client(v.dial(w.https), &tls.Config{ServerName: "kopasex.se", InsecureSkipVerify: true, NextProtos: []string{protocol}}), request)
		}
		v.says(v.dial(w.https), request) // no handshake at all
		v.says(v.dial(w.admin), request)
	}
	v.comes("h2", &http.Transport{
		DialContext:     func(context.Context, string, string) (net.Conn, error) { return v.dial(w.https), nil },
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true,
	})
	v.comesByQUIC()
	v.shakes()
	v.asksNames()
	resp, err := w.client.Get("http://" + w.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || !strings.Contains(string(metrics), "domherre_redirects_total{") {
		t.Errorf("the metrics lack what was driven (%v)", err)
	}
	d.stop(t)
	w.holdsNoCanary("the metrics", string(metrics))
	w.holdsNoCanary("the log", d.output(t))
	if err := filepath.WalkDir(w.path("state"), func(path string, e fs.DirEntry, err error) error {
		w.holdsNoCanary("a name in the state", path)
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		w.holdsNoCanary(path, string(text))
		return err
	}); err != nil {
		t.Error(err)
	}
}

func (w *world) holdsNoCanary(where, text string) {
	w.Helper()
	for _, canary := range []string{strangeWord, strangeAddress, strangeProxied} {
		if i := strings.Index(strings.ToLower(text), canary); i >= 0 {
			w.Errorf("%s holds %q: %.300q", where, canary, text[max(0, i-100):])
		}
	}
}

// stranger is a visitor that must not be seen.
type stranger struct{ *world }

func (v stranger) dial(addr string) net.Conn {
	v.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(strangeAddress)}, Timeout: patience}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		v.Fatal(err)
	}
	v.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		v.Fatal(err)
	}
	return c
}

// says sends what may be refused before it is all sent, and reads what comes.
func (v stranger) says(c net.Conn, request string) {
	defer c.Close()
	if _, err := io.WriteString(c, request); err == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(c, 1<<10)) // an answer, an alert, or nothing
	}
}

// comes visits like a browser, by the protocol of a transport.
func (v stranger) comes(how string, tr http.RoundTripper) {
	v.Helper()
	c := &http.Client{Transport: tr, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, method := range []string{"GET", "POST", "OPTIONS"} {
		r, err := http.NewRequest(method, "https://kopasex.se/canary-path?canary=query", nil)
		if err != nil {
			v.Fatal(err)
		}
		r.Header.Set("User-Agent", "canary-agent")
		r.Header.Set("Referer", "https://canary.example/")
		resp, err := c.Do(r)
		if err != nil {
			v.Fatalf("%s: %v", how, err)
		}
		resp.Body.Close()
	}
	if tr, ok := tr.(*http.Transport); ok {
		tr.CloseIdleConnections()
	}
}

// comesByQUIC visits by HTTP/3, asks for a name that isn't ours, and sends what
// is no QUIC.
func (v stranger) comesByQUIC() {
	v.Helper()
	udp, err := net.ListenPacket("udp", strangeAddress+":0")
	if err != nil {
		v.Fatal(err)
	}
	defer udp.Close()
	to, err := net.ResolveUDPAddr("udp", v.https)
	if err != nil {
		v.Fatal(err)
	}
	if _, err := udp.WriteTo([]byte(strings.Repeat("canary", 250)), to); err != nil {
		v.Fatal(err)
	}
	q := &quic.Transport{Conn: udp}
	defer q.Close()
	tr := &http3.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		Dial: func(ctx context.Context, _ string, cfg *tls.Config, qc *quic.Config) (*quic.Conn, error) {
			return q.DialEarly(ctx, to, cfg, qc)
		},
	}
	defer tr.Close()
	v.comes("h3", tr)
	if conn, err := q.Dial(v.Context(), to, &tls.Config{ServerName: "canary.example", NextProtos: []string{"h3"}, InsecureSkipVerify: true}, nil); err == nil {
		v.Errorf("a handshake for another name succeeded")
		_ = conn.CloseWithError(0, "")
	}
}

// shakes fails at handshakes in several ways, and breaks off.
func (v stranger) shakes() {
	for _, cfg := range []*tls.Config{
		{ServerName: "canary.example"}, {ServerName: "kopasex.se"}, {}, {ServerName: "kopasex.se", MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10},
	} {
		cfg.InsecureSkipVerify = cfg.ServerName == ""
		_ = tls.Client(v.dial(v.https), cfg).Handshake() // refused by one side or the other
	}
	for _, start := range []string{"\x16\x03\x01canary", "GET / HTTP/1.1\r\nHost: canary", ""} {
		for _, addr := range []string{v.http, v.https} {
			c := v.dial(addr)
			_, _ = io.WriteString(c, start)
			_ = c.(*net.TCPConn).SetLinger(0) // a reset, which servers like to log
			c.Close()
		}
	}
}

// asksNames asks the name server.
func (v stranger) asksNames() {
	v.Helper()
	for _, network := range []string{"udp", "tcp"} {
		c := dns.Client{Net: network, Timeout: patience, Dialer: &net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(strangeAddress)}}}
		if network == "tcp" {
			c.Dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(strangeAddress)}
		}
		for _, name := range []string{"canary.kopasex.se.", "canary.example."} {
			m := new(dns.Msg)
			if _, _, err := c.Exchange(m.SetQuestion(name, dns.TypeA), v.dns); err != nil {
				v.Fatalf("%s: %v", network, err)
			}
		}
	}
}
