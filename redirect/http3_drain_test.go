package redirect

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// TestHTTP3Drains stops the server while clients ask by HTTP/3: each is told to
// go, and whatever was asked before that is answered.
func TestHTTP3Drains(t *testing.T) {
	t.Parallel()
	for range 3 {
		server := NewServer(mustTable(t, testSites()...), Options{TLS: certs(testCert(t, "kopasex.se"))})
		udp, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- server.ServeHTTP3(udp) }()
		answered := make(chan struct{}, 1000)
		var clients sync.WaitGroup
		for range 8 {
			c := client3(t, udp.LocalAddr().String())
			c.Transport.(*http3.Transport).QUICConfig = &quic.Config{HandshakeIdleTimeout: time.Second}
			clients.Go(func() {
				for {
					resp, err := c.Get("https://kopasex.se/")
					if err != nil {
						if !gone(err) {
							t.Errorf("a request was lost: %v", err)
						}
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if resp.StatusCode != http.StatusFound {
						t.Errorf("got %d", resp.StatusCode)
					}
					select {
					case answered <- struct{}{}:
					default:
					}
				}
			})
		}
		for range 200 {
			<-answered
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := errors.Join(server.Shutdown(ctx), <-served); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		cancel()
		clients.Wait()
	}
}

// gone reports whether there was no connection any more, or none yet that the
// server had taken. Any other error is a loss.
func gone(err error) bool {
	var refused *quic.TransportError
	return errors.Is(err, errNobody) || errors.As(err, &refused) && refused.ErrorCode == quic.ConnectionRefused
}
