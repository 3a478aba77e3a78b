package redirect

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// canaries stand for whatever a visitor's request holds. The connections come
// from an address of their own.
const (
	canaryAddress = "127.66.77.88"
	canaryWord    = "canary"
)

// canaryRequests are good and bad ones, all full of canaries.
func canaryRequests() []string {
	const headers = "User-Agent: canary-agent\r\nReferer: http://canary.example/\r\nX-Forwarded-For: 198.51.100.66\r\nCookie: canary=1\r\nConnection: close\r\n\r\n"
	return []string{
		"GET /canary-path?canary=query HTTP/1.1\r\nHost: kopasex.se\r\n" + headers,
		"GET /.well-known/acme-challenge/panic-canary HTTP/1.1\r\nHost: kopasex.se\r\n" + headers,
		"GET /canary HTTP/1.1\r\nHost: canary.example\r\n" + headers,
		"GET /canary HTTP/1.1\r\nHost: canary example\r\n" + headers,
		"CANARY /canary HTTP/7.7\r\n" + headers,
		"POST /canary HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding: chunked\r\n" + headers + "canary\r\n",
		"PROXY TCP4 198.51.100.66 192.0.2.1 1 2\r\nGET /canary HTTP/1.1\r\nHost: kopasex.se\r\n" + headers,
		"PROXY canary\r\n\r\n",
		"GET /" + strings.Repeat("canary", 3000) + " HTTP/1.1\r\n",
	}
}

// canaryDial connects from the address that must not be seen.
func canaryDial(t *testing.T, addr string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(canaryAddress)}, Timeout: 5 * time.Second}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestNothingOfVisitorsIsLogged sends canaries in every place, along every path
// that could log: answers, refusals, failed handshakes, panics, resets. Then it
// searches all that was logged, by us and by the standard library.
func TestNothingOfVisitorsIsLogged(t *testing.T) {
	var logged lockedBuffer
	log.SetOutput(&logged)
	defer log.SetOutput(log.Default().Writer())
	var panics atomic.Bool
	o := testOptions()
	o.Log = textLog(&logged)
	o.TLS = certs(testCert(t, "kopasex.se"))
	o.ProxyFrom = []netip.Prefix{netip.MustParsePrefix("127.66.77.88/32")}
	o.Visited = func(string, int, string) {
		if panics.Load() {
			panic("a canary of " + canaryAddress)
		}
	}
	o.Challenge = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "panic-canary") {
			panic(r)
		}
		return false
	}
	server := NewServer(mustTable(t, testSites()...), o)
	plain, secure := listen(t, server.ServeHTTP), listen(t, server.ServeHTTPS)
	for _, on := range []bool{true, false} {
		panics.Store(on)
		for _, request := range canaryRequests() {
			c := canaryDial(t, plain)
			_, _ = io.WriteString(c, request) // it may be refused before it is all sent
			_, _ = io.Copy(io.Discard, c)
			// The same over TLS, by both protocols, where it is a request.
			for _, proto := range []string{"http/1.1", "h2"} {
				tc := tls.Client(canaryDial(t, secure), &tls.Config{ServerName: "kopasex.se", InsecureSkipVerify: true, NextProtos: []string{proto}})
				_, _ = io.WriteString(tc, request) // it may be refused before it is all sent
				if proto == "http/1.1" {
					_, _ = io.Copy(io.Discard, tc)
				}
				tc.Close()
			}
		}
		for _, start := range []string{"GET / HTTP/1.1\r\nHost: canary\r\n\r\n", "\x16\x03\x01canary", ""} {
			c := canaryDial(t, secure)
			_, _ = io.WriteString(c, start)                       // it may be refused before it is all sent
			if err := c.(*net.TCPConn).SetLinger(0); err != nil { // a reset, which net/http would log
				t.Fatal(err)
			}
			c.Close()
		}
		for _, name := range []string{"canary.example", "kopasex.se"} {
			_ = tls.Client(canaryDial(t, secure), &tls.Config{ServerName: name}).Handshake() // refused by one side or the other
		}
	}
	if err := server.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	got := logged.String()
	for _, canary := range []string{canaryWord, canaryAddress, "198.51.100.66", "127.66"} {
		if strings.Contains(strings.ToLower(got), canary) {
			t.Errorf("%q was logged:\n%s", canary, got)
		}
	}
	if !strings.Contains(got, "panic while answering a request") {
		t.Errorf("the panics weren't logged, so this test sees nothing:\n%s", got)
	}
}
