package redirect

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// TestCrowdIsBounded: of those who stop in the middle of something, whatever it
// is, only so many stay.
func TestCrowdIsBounded(t *testing.T) {
	t.Parallel()
	const limit, many = 4, 20
	for name, stop := range map[string]func(t *testing.T, s running) net.Conn{
		"a handshake": func(t *testing.T, s running) net.Conn {
			return dialed(t, s.secure, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
		},
		"a head": func(t *testing.T, s running) net.Conn { return dialed(t, s.plain, "GET / HTTP/1.1\r\nHost: kopa") },
		"answers": func(t *testing.T, s running) net.Conn {
			c := dialed(t, s.plain, "")
			go io.WriteString(c, strings.Repeat("GET / HTTP/1.1\r\nHost: kopasex.se\r\n\r\n", 200000)) // ends when it is cut
			return c
		},
		"a body of HTTP/2": func(t *testing.T, s running) net.Conn {
			c, err := tls.Dial("tcp", s.secure, &tls.Config{ServerName: "kopasex.se", InsecureSkipVerify: true, NextProtos: []string{"h2"}})
			if err != nil {
				t.Fatal(err)
			}
			f := &flooder{Framer: http2.NewFramer(c, nil), block: getBlock(t), next: 1}
			_, _ = io.WriteString(c, http2.ClientPreface) // it may be cut meanwhile
			_ = f.WriteSettings()
			_ = f.headers(false)
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, mustTable(t, testSites()...), Options{TLS: certs(testCert(t, "kopasex.se"))})
			s.crowd.mu.Lock()
			s.crowd.limit = limit
			s.crowd.mercy, s.crowd.since = many, time.Now().Add(time.Hour) // turns nobody away
			s.crowd.mu.Unlock()
			for range many {
				c := stop(t, s)
				t.Cleanup(func() { c.Close() })
			}
			until(t, func() bool { return s.sessions.next.Load() == many }) // all have been let in
			until(t, func() bool { return s.sessions.open.Load() == limit })
		})
	}
}

// dialed connects and says something.
func dialed(t *testing.T, addr, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, text) // it may be cut meanwhile
	return c
}
