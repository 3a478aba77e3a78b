package redirect

import (
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// slowly serves a listener by net/http alone.
type slowly struct {
	net.Listener
	s *Server
}

func (l slowly) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.s.vetted(c, nil), nil
}

// pair is one table served twice: by the fast path, and by net/http alone.
func pair(t testing.TB) (fast, slow string) {
	fast = start(t, mustTable(t, testSites()...), testOptions()).plain
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(mustTable(t, testSites()...), testOptions())
	go func() { _ = s.plain.Serve(slowly{l, s}) }() // ends with Close
	t.Cleanup(func() { s.plain.Close() })
	return fast, l.Addr().String()
}

// exchanged sends a stream, closes that side, and gives all that came back in
// a form that doesn't depend on the time or on the order of fields.
func exchanged(t *testing.T, addr, stream string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, stream) // may be refused before it is all sent
	_ = c.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(c)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatalf("%v after %q to %q", err, got, stream)
	}
	var all, block []string
	for line := range strings.Lines(string(got)) {
		switch {
		case strings.HasPrefix(line, "HTTP/1.1 "):
			block = []string{line}
		case block != nil && line == "\r\n":
			slices.Sort(block[1:])
			all = append(append(all, block...), line)
			block = nil
		case block != nil && strings.HasPrefix(line, "Date: "):
		case block != nil:
			block = append(block, line)
		default:
			all = append(all, line)
		}
	}
	return strings.Join(all, "")
}

// FuzzFastPath: whatever comes in, the fast path answers as net/http does.
func FuzzFastPath(f *testing.F) {
	for _, c := range smuggling {
		if len(c.request) < 5000 {
			f.Add(c.request)
		}
	}
	for _, r := range canaryRequests() {
		f.Add(r)
	}
	for _, target := range []string{"/", "/a?b", "/%zz", "/%41", "/%", "/?%", "/.well-known/security.txt", "/%2ewell-known/security.txt", "//a", "/..", "/a%2fb/../c?d=%0a", "/.well-known/acme-challenge/token"} {
		for _, host := range []string{"kopasex.se", "KEEPS.example.:80", "a.trusted.example", "a.wild.example", "paused.example", "other", "", "192.0.2.1", "[::1]"} {
			f.Add("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\nHEAD " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
		}
	}
	fast, slow := pair(f)
	f.Fuzz(func(t *testing.T, stream string) {
		a, b := exchanged(t, fast, stream), exchanged(t, slow, stream)
		if a != b {
			t.Fatalf("%q\nfast: %q\nslow: %q", stream, a, b)
		}
	})
}
