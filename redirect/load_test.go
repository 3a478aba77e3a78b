package redirect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestSwapUnderLoad changes the table 200 times, with domains that come and go,
// while clients ask without a pause for one that stays.
func TestSwapUnderLoad(t *testing.T) {
	t.Parallel()
	stays := Site{Domain: "kopasex.se", Hosts: []string{"kopasex.se"}, Target: frontend}
	s := start(t, mustTable(t, stays), Options{TLS: certs(testCert(t, "kopasex.se"))})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answered := make(chan struct{})
	var clients sync.WaitGroup
	for by, c := range map[string]*http.Client{"http": client(t, s.plain, nil), "https": client(t, s.secure, nil), "https by QUIC": client3(t, startHTTP3(t, s))} {
		scheme, _, _ := strings.Cut(by, " ")
		for range 2 {
			clients.Go(func() {
				for ctx.Err() == nil {
					resp, _ := via(t, c, "GET", scheme+"://kopasex.se/", "")
					if resp.StatusCode != 302 || resp.Header.Get("Location") != frontend {
						t.Errorf("got %d to %q", resp.StatusCode, resp.Header.Get("Location"))
					}
					select {
					case answered <- struct{}{}:
					case <-ctx.Done():
					}
				}
			})
		}
	}
	for i := range 200 {
		<-answered
		s.Swap(mustTable(t, append(manySites(i%50), stays)...))
		<-answered
	}
	cancel()
	clients.Wait()
}

// accepted remembers the clients whose connections a listener took.
type accepted struct {
	*net.TCPListener
	clients *sync.Map
}

func (a accepted) Accept() (net.Conn, error) {
	c, err := a.TCPListener.Accept()
	if err == nil {
		a.clients.Store(c.RemoteAddr().String(), true)
	}
	return c, err
}

// TestShutdownUnderLoad stops the server while clients ask. Every request on a
// connection that the server took is answered; whoever comes later is refused.
func TestShutdownUnderLoad(t *testing.T) {
	t.Parallel()
	for range 5 {
		server := NewServer(mustTable(t, testSites()...), Options{TLS: certs(testCert(t, "kopasex.se"))})
		var took sync.Map
		serve := func(f func(net.Listener) error) string {
			return listen(t, func(l net.Listener) error { return f(accepted{l.(*net.TCPListener), &took}) })
		}
		plain, secure := serve(server.ServeHTTP), serve(server.ServeHTTPS)
		answered := make(chan struct{}, 1000)
		var clients sync.WaitGroup
		for scheme, addr := range map[string]string{"http": plain, "https": secure} {
			for _, h2 := range []bool{false, true} {
				c := client(t, addr, nil)
				c.Transport.(*http.Transport).ForceAttemptHTTP2 = h2
				for range 2 {
					clients.Go(func() {
						for {
							resp, err := c.Get(scheme + "://kopasex.se/")
							if err != nil {
								if lost(err, &took) {
									t.Errorf("%s, HTTP/2 %v: a request was lost: %v", scheme, h2, err)
								}
								return
							}
							_, _ = io.Copy(io.Discard, resp.Body)
							resp.Body.Close()
							select {
							case answered <- struct{}{}:
							default:
							}
						}
					})
				}
			}
		}
		for range 200 {
			<-answered
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		cancel()
		clients.Wait()
	}
}

// lost tells an error on a connection that the server took from that of one
// which was refused, or still in the kernel's backlog when the listener closed.
func lost(err error, took *sync.Map) bool {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op == "dial" {
		return op == nil
	}
	_, ours := took.Load(op.Source.String())
	return ours
}

// TestShutdownWaitsForAnswers holds an answer back across a Shutdown.
func TestShutdownWaitsForAnswers(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	server := NewServer(mustTable(t, testSites()...), Options{Visited: func(string, int, string) {
		close(arrived)
		<-release
	}})
	addr := listen(t, server.ServeHTTP)
	got := make(chan string)
	go func() { got <- raw(t, addr, "GET / HTTP/1.1\r\nHost: kopasex.se\r\n\r\n") }()
	<-arrived
	stopped := make(chan error)
	go func() { stopped <- server.Shutdown(context.Background()) }()
	for { // until it has stopped listening
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		c.Close()
	}
	close(release)
	if resp := answers(t, <-got, "GET")[0]; resp.StatusCode != 302 {
		t.Errorf("got %d", resp.StatusCode)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if err := server.ServeHTTP(&failing{}); err != nil {
		t.Errorf("serving after Shutdown: %v", err)
	}
}

// TestShutdownGivesUp: with a context that ends, Shutdown returns and cuts off.
func TestShutdownGivesUp(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	server := NewServer(mustTable(t, testSites()...), Options{Visited: func(string, int, string) {
		close(arrived)
		<-release
	}})
	addr := listen(t, server.ServeHTTP)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: kopasex.se\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-arrived
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(release)
}

// failing is a listener that runs out of descriptors, then is closed.
type failing struct {
	net.Listener
	errs chan error
}

func (f *failing) Accept() (net.Conn, error) { return nil, <-f.errs }
func (f *failing) Close() error              { return nil }
func (f *failing) Addr() net.Addr            { return &net.TCPAddr{} }

func TestAcceptErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		server := NewServer(mustTable(t, testSites()...), Options{Log: textLog(&log)})
		l := &failing{errs: make(chan error)}
		served := make(chan error)
		go func() { served <- server.ServeHTTP(l) }()
		for range 10 {
			l.errs <- fmt.Errorf("accept: %w", syscall.EMFILE)
		}
		l.errs <- net.ErrClosed
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v", err)
		}
		if !strings.Contains(log.String(), "too many open files") {
			t.Errorf("logged %q", log.String())
		}
	})
}

// TestIdleAndSlowConnections: thousands that say nothing, and dozens that drip,
// don't keep an honest client waiting.
func TestIdleAndSlowConnections(t *testing.T) {
	t.Parallel()
	s := start(t, mustTable(t, testSites()...), Options{TLS: certs(testCert(t, "kopasex.se"))})
	for i := range 400 {
		addr := []string{s.plain, s.secure}[i%2]
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if i%4 > 1 {
			if _, err := io.WriteString(c, "GET / HTT"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for scheme, addr := range map[string]string{"http": s.plain, "https": s.secure} {
		begun := time.Now()
		resp, _ := via(t, client(t, addr, nil), "GET", scheme+"://kopasex.se/", "")
		if took := time.Since(begun); resp.StatusCode != 302 || took > time.Second {
			t.Errorf("%s: %d after %v", scheme, resp.StatusCode, took)
		}
	}
}
