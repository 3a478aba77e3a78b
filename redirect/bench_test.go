package redirect

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// sink is a ResponseWriter that costs nothing, so that what is measured is the
// handler's own.
type sink struct{ h http.Header }

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

// bare is the least that net/http can be asked to redirect with.
var bare = http.RedirectHandler(frontend, http.StatusFound)

func BenchmarkHandler(b *testing.B) {
	s := NewServer(mustTable(b, append(manySites(1000), testSites()...)...), Options{Visited: func(string, int, string) {}, Trusted: func(string) bool { return false }})
	visit := httptest.NewRequest("GET", "http://kopasex.se/", nil)
	onTLS := visit.WithContext(context.WithValue(visit.Context(), peerKey{}, &peer{sni: "kopasex.se"}))
	keeps := httptest.NewRequest("GET", "http://keeps.example/a/b?c=d", nil)
	for _, c := range []struct {
		name string
		h    http.Handler
		r    *http.Request
	}{
		{"bare", bare, visit}, {"plain", s.plain.Handler, visit}, {"secure", s.secure.Handler, onTLS}, {"kept path", s.plain.Handler, keeps},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := &sink{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.h)
				c.h.ServeHTTP(w, c.r)
			}
		})
	}
}

// BenchmarkKeepAlive asks over one connection, one request at a time; it
// includes the client's share, which is small and the same for all.
func BenchmarkKeepAlive(b *testing.B) {
	s := start(b, mustTable(b, append(manySites(1000), testSites()...)...), Options{TLS: certs(testCert(b, "kopasex.se")), Visited: func(string, int, string) {}})
	ref := httptest.NewServer(bare)
	b.Cleanup(ref.Close)
	for _, c := range []struct {
		name string
		dial func() (net.Conn, error)
	}{
		{"bare", func() (net.Conn, error) { return net.Dial("tcp", ref.Listener.Addr().String()) }},
		{"plain", func() (net.Conn, error) { return net.Dial("tcp", s.plain) }},
		{"secure", func() (net.Conn, error) { return dialTLS(b, s.secure, "", "kopasex.se"), nil }},
	} {
		b.Run(c.name, func(b *testing.B) {
			conn, err := c.dial()
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Time{}); err != nil {
				b.Fatal(err)
			}
			r := bufio.NewReader(conn)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: kopasex.se\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"); err != nil {
					b.Fatal(err)
				}
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestFastPathDoesNotAllocate asks on a session whose buffers are there.
func TestFastPathDoesNotAllocate(t *testing.T) {
	counted := 0
	o := testOptions()
	o.Visited = func(_ string, _ int, agent string) { counted += 1 + len(agent) }
	s := NewServer(mustTable(t, testSites()...), o)
	for _, host := range []string{"kopasex.se", "a.wild.example", "trusted.example", "paused.example", "other.example"} {
		for name, p := range map[string]*peer{"plain": nil, "secure": {sni: host}} {
			c := &session{s: s, peer: p, in: new(buffer)}
			c.filled = copy(c.in[:], "GET /a HTTP/1.1\r\nHost: "+host+"\r\nUser-Agent: test\r\n\r\n")
			now := time.Now()
			if n := testing.AllocsPerRun(100, func() {
				if used, then := c.answerAll(now); used != c.filled || then != goOn {
					t.Fatalf("%s, %s: used %d of %d, %d", name, host, used, c.filled, then)
				}
				c.queued = c.out[:0]
			}); n > 0 && (host != "a.wild.example" || p != nil) { // whose name the callback may keep
				t.Errorf("%s, %s: %v allocations", name, host, n)
			}
		}
	}
	if counted == 0 {
		t.Error("nothing was counted")
	}
}
