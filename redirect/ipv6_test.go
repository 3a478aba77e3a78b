package redirect

import (
	"net"
	"testing"
)

func TestIPv6(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	s := start(t, mustTable(t, testSites()...), Options{})
	done := make(chan error, 1)
	go func() { done <- s.ServeHTTP(l) }()
	for _, host := range []string{"kopasex.se", "[::1]"} {
		got := answers(t, raw(t, l.Addr().String(), "GET / HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n"), "GET")[0]
		if want := map[string]int{"kopasex.se": 302, "[::1]": 404}[host]; got.StatusCode != want {
			t.Errorf("%s: got %d", host, got.StatusCode)
		}
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
