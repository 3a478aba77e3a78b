package redirect

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"

	"github.com/quic-go/quic-go"
)

// TestQUICCrowd: beyond the limit an old connection goes for every new one, and
// nothing is left when all have gone.
func TestQUICCrowd(t *testing.T) {
	t.Parallel()
	s := start(t, mustTable(t, testSites()...), Options{TLS: certs(testCert(t, "kopasex.se"))})
	s.guests.limit = 20
	addr := startHTTP3(t, s)
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tr := &quic.Transport{Conn: udp}
	defer func() {
		if err := errors.Join(tr.Close(), udp.Close()); err != nil {
			t.Error(err)
		}
	}()
	to, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	var last *quic.Conn
	for range 3 * s.guests.limit {
		cfg := &tls.Config{ServerName: "kopasex.se", InsecureSkipVerify: true, NextProtos: []string{"h3"}}
		if last, err = tr.Dial(context.Background(), to, cfg, nil); err != nil {
			t.Fatal(err)
		}
	}
	until(t, func() bool { return s.guests.open.Load() <= s.guests.limit })
	if last.Context().Err() != nil {
		t.Errorf("the latest one was closed: %v", context.Cause(last.Context()))
	}
	if resp, _ := via(t, client3(t, addr), "GET", "https://kopasex.se/", ""); resp.StatusCode != 302 {
		t.Errorf("got %d", resp.StatusCode)
	}
	until(t, func() bool { return s.greetings.now.Load() == 0 })
}

// TestGreetings: handshakes that nobody finishes are bounded, and those who
// begin many must prove where they are.
func TestGreetings(t *testing.T) {
	t.Parallel()
	var g greetings
	ctx, cancel := context.WithCancel(context.Background())
	for i := range maxGreetings {
		if g.prove(nil) != (i >= unproven) {
			t.Fatalf("with %d under way: %v", i, g.prove(nil))
		}
		if _, err := g.admit(ctx, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.admit(ctx, nil); !errors.Is(err, errGreetings) {
		t.Errorf("beyond the limit: %v", err)
	}
	cancel()
	until(t, func() bool { return g.now.Load() == 0 })
}
