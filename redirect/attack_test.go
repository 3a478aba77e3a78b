package redirect

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// piped gives a session on a pipe, served from now on, and the client's end.
func piped(s *Server) net.Conn {
	server, client := net.Pipe()
	c := &session{Conn: server, socket: server, s: s, from: &listener{server: s}}
	c.shard = s.sessions.add(c)
	go c.serve()
	return client
}

// TestSlowClients: whoever keeps the server waiting is cut off, each after the
// time that is his, and nothing is left of him.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	const request = "GET / HTTP/1.1\r\nHost: kopasex.se\r\n\r\n"
	for name, c := range map[string]struct {
		do  func(net.Conn) // until it is cut off
		max time.Duration
	}{
		"silent": {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, idleTimeout},
		"silent after a request": {func(c net.Conn) {
			_, _ = io.WriteString(c, request)
			_, _ = io.Copy(io.Discard, c)
		}, idleTimeout},
		"drips a head": {func(c net.Conn) {
			for _, err := io.WriteString(c, "GET"); err == nil; _, err = c.Write([]byte("x")) {
				time.Sleep(time.Second)
			}
		}, headTimeout + time.Second},
		"drips a head behind a request": {func(c net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, c) }()
			for _, err := io.WriteString(c, request+"GET"); err == nil; _, err = c.Write([]byte("x")) {
				time.Sleep(time.Second)
			}
		}, headTimeout + time.Second},
		"never reads": {func(c net.Conn) {
			for _, err := io.WriteString(c, request); err == nil; _, err = io.WriteString(c, request) {
			}
		}, answerTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := NewServer(mustTable(t, testSites()...), Options{})
				client := piped(s)
				begun := time.Now()
				c.do(client)
				if took := time.Since(begun); took > c.max || took < c.max/2 {
					t.Errorf("cut off after %v, want %v", took, c.max)
				}
				client.Close()
				synctest.Wait()
				if n := s.sessions.open.Load(); n != 0 {
					t.Errorf("%d sessions are left", n)
				}
				s.cancel()
			})
		})
	}
}

// TestCrowd: beyond the limit, an idle connection goes for every new one, so
// that a visitor always gets in; and when the crowd leaves, nothing remains.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const limit = 20
	s := start(t, mustTable(t, testSites()...), Options{MaxConnections: limit, TLS: certs(testCert(t, "kopasex.se"))})
	var crowd []net.Conn
	for i := range 10 * limit {
		c, err := net.Dial("tcp", []string{s.plain, s.secure}[i%2])
		if err != nil {
			t.Fatal(err)
		}
		crowd = append(crowd, c)
		if i%20 == 0 {
			if resp, _ := via(t, client(t, s.secure, nil), "GET", "https://kopasex.se/", ""); resp.StatusCode != 302 {
				t.Errorf("got %d", resp.StatusCode)
			}
		}
	}
	until(t, func() bool { return s.sessions.open.Load() <= limit })
	for _, c := range crowd {
		c.Close()
	}
	until(t, func() bool { return s.sessions.open.Load() <= limit/2 }) // those of the clients above, at most
}

// until waits for a condition, which comes true soon or never.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatal("it never came true")
		}
		time.Sleep(time.Millisecond)
	}
}

// flooder is an HTTP/2 client that can do anything.
type flooder struct {
	*http2.Framer
	block []byte // of a GET
	next  uint32
}

func (f *flooder) headers(end bool) error {
	f.next += 2
	return f.WriteHeaders(http2.HeadersFrameParam{StreamID: f.next - 2, BlockFragment: f.block, EndHeaders: true, EndStream: end})
}

// TestHTTP2Floods: floods end with ENHANCE_YOUR_CALM, before long.
func TestHTTP2Floods(t *testing.T) {
	t.Parallel()
	s := start(t, mustTable(t, testSites()...), Options{TLS: certs(testCert(t, "kopasex.se"))})
	for name, flood := range map[string]func(f *flooder, i int) error{
		"rapid reset": func(f *flooder, _ int) error {
			return errors.Join(f.headers(true), f.WriteRSTStream(f.next-2, http2.ErrCodeCancel))
		},
		"rapid reset of bodies": func(f *flooder, _ int) error {
			return errors.Join(f.headers(false), f.WriteRSTStream(f.next-2, http2.ErrCodeCancel))
		},
		"made you reset": func(f *flooder, _ int) error {
			return errors.Join(f.headers(false), f.WriteWindowUpdate(f.next-2, 1<<31-1))
		},
		"CONTINUATION": func(f *flooder, i int) error {
			if i == 0 {
				f.next += 2
				return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.block})
			}
			return f.WriteContinuation(1, false, nil)
		},
		"pings":          func(f *flooder, _ int) error { return f.WritePing(false, [8]byte{}) },
		"settings":       func(f *flooder, _ int) error { return f.WriteSettings() },
		"priorities":     func(f *flooder, _ int) error { return f.WritePriority(1, http2.PriorityParam{StreamDep: 3}) },
		"unknown frames": func(f *flooder, _ int) error { return f.WriteRawFrame(0x42, 0, 1, nil) },
		"empty data": func(f *flooder, i int) error {
			if i == 0 {
				return f.headers(false)
			}
			return f.WriteData(1, false, nil)
		},
		"streams that never end": func(f *flooder, _ int) error { return f.headers(false) },
		"malformed requests": func(f *flooder, _ int) error {
			f.block = []byte{0x82}
			return f.headers(true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc, err := tls.Dial("tcp", s.secure, &tls.Config{ServerName: "kopasex.se", InsecureSkipVerify: true, NextProtos: []string{"h2"}})
			if err != nil {
				t.Fatal(err)
			}
			defer tc.Close()
			if err := tc.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- calmed(tc) }()
			f := &flooder{Framer: http2.NewFramer(tc, nil), block: getBlock(t), next: 1}
			_, err = io.WriteString(tc, http2.ClientPreface)
			for i, err := 0, errors.Join(err, f.WriteSettings()); err == nil; i++ {
				if err = flood(f, i); i > 100000 {
					t.Fatal("it goes on")
				}
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	if resp, _ := via(t, client(t, s.secure, nil), "GET", "https://kopasex.se/", ""); resp.StatusCode != 302 {
		t.Errorf("afterwards: %d", resp.StatusCode)
	}
}

func getBlock(t *testing.T) []byte {
	var b strings.Builder
	e := hpack.NewEncoder(&b)
	for _, h := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "kopasex.se"}, {":path", "/"}} {
		if err := e.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}); err != nil {
			t.Fatal(err)
		}
	}
	return []byte(b.String())
}

// calmed reads until the connection ends, which a GOAWAY must have said.
func calmed(c net.Conn) error {
	f := http2.NewFramer(nil, c)
	for {
		frame, err := f.ReadFrame()
		switch g := frame.(type) {
		case nil:
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return err
			}
			return nil // the reset overtook it
		case *http2.GoAwayFrame:
			if g.ErrCode != http2.ErrCodeEnhanceYourCalm {
				return fmt.Errorf("told %v", g.ErrCode)
			}
			return nil
		}
	}
}
