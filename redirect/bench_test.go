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
	s := NewServer(mustTable(b, append(manySites(1000), testSites()...)...), Options{Redirected: func(string, int) {}, Trusted: func(string) bool { return false }})
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
	s := start(b, mustTable(b, append(manySites(1000), testSites()...)...), Options{TLS: certs(testCert(b, "kopasex.se")), Redirected: func(string, int) {}})
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

func TestHandlerDoesNotAllocate(t *testing.T) {
	s := NewServer(mustTable(t, testSites()...), Options{Redirected: func(string, int) {}})
	r := httptest.NewRequest("GET", "http://kopasex.se/", nil)
	onTLS := r.WithContext(context.WithValue(r.Context(), peerKey{}, &peer{sni: "kopasex.se"}))
	w := &sink{make(http.Header, 16)}
	for name, ask := range map[string]func(){
		"plain":  func() { clear(w.h); s.answerPlain(w, r) },
		"secure": func() { clear(w.h); s.answerSecure(w, onTLS) },
	} {
		if n := testing.AllocsPerRun(100, ask); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
