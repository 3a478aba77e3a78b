package redirect

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// source is a connection that gives bytes and then ends.
type source struct {
	net.Conn
	io.Reader
}

func (s source) Read(p []byte) (int, error)      { return s.Reader.Read(p) }
func (s source) SetReadDeadline(time.Time) error { return nil }

// TestConnHandsOnWholeHeads feeds a stream in pieces of any size and reads it
// with buffers of any size: what comes out is the same always.
func TestConnHandsOnWholeHeads(t *testing.T) {
	t.Parallel()
	const one, two = "GET /1 HTTP/1.1\r\nHost: a.se\r\n\r\n", "GET /2 HTTP/1.1\r\nHost: a.se\r\n\r\n"
	const post = "POST / HTTP/1.1\r\nHost: a.se\r\nContent-Length: 300\r\n\r\n"
	for stream, want := range map[string]string{
		one:                              one,
		one + two:                        one + two,
		one + "GET /2 HTTP":              one,
		one + "BAD\r\n\r\n" + two:        one + string(refused400),
		one + "\n" + two:                 one + string(refused400),
		strings.Repeat(one, 300):         strings.Repeat(one, 300),
		one + post + "BAD\n\n" + two:     one + post + "BAD\n\n" + two,
		strings.Repeat("x", 3*maxTarget): string(refused400),
		one[:17] + strings.Repeat("X: y\r\n", 9e3): string(refused431),
	} {
		for name, pieces := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader,
			"halves": iotest.HalfReader, "with the end": iotest.DataErrReader,
		} {
			for _, size := range []int{1, 7, len(refused400), 4096} {
				c := &conn{Conn: source{Reader: pieces(strings.NewReader(stream))}, timeout: time.Hour}
				var got bytes.Buffer
				if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{c}, make([]byte, size)); err != nil {
					t.Fatal(err)
				}
				if got.String() != want {
					t.Errorf("%.40q in %s by %d: got %.200q, want %.200q", stream, name, size, got.String(), want)
				}
			}
		}
	}
}

func FuzzConn(f *testing.F) {
	for _, c := range smuggling {
		if len(c.request) < 500 {
			f.Add([]byte(c.request), uint8(7))
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		c := &conn{Conn: source{Reader: bytes.NewReader(stream)}, timeout: time.Hour}
		small := &conn{Conn: source{Reader: iotest.OneByteReader(bytes.NewReader(stream))}, timeout: time.Hour}
		var a, b bytes.Buffer
		_, err1 := io.CopyBuffer(struct{ io.Writer }{&a}, struct{ io.Reader }{c}, make([]byte, int(size)+1))
		_, err2 := io.Copy(&b, struct{ io.Reader }{small})
		if err1 != nil || err2 != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Fatalf("%q and %q (%v, %v)", a.Bytes(), b.Bytes(), err1, err2)
		}
		if len(a.Bytes()) > 0 && !bytes.HasPrefix(stream, a.Bytes()) && !bytes.HasSuffix(a.Bytes(), refused400) && !bytes.HasSuffix(a.Bytes(), refused431) {
			t.Fatalf("%q isn't what came in", a.Bytes())
		}
	})
}

// TestHeadDeadline: a head must be whole some time after its first byte, also
// when net/http waits without a limit or with a longer one.
func TestHeadDeadline(t *testing.T) {
	t.Parallel()
	for name, external := range map[string]time.Duration{"no limit": 0, "longer": time.Hour, "shorter": time.Second} {
		synctest.Test(t, func(t *testing.T) {
			server, client := net.Pipe()
			defer client.Close()
			c := &conn{Conn: server, timeout: 10 * time.Second, closed: func() {}}
			if external > 0 {
				if err := c.SetReadDeadline(time.Now().Add(external)); err != nil {
					t.Fatal(err)
				}
			}
			dripped := make(chan struct{})
			defer func() { <-dripped }()
			defer c.Close()
			go func() { // drips a byte a second, for ever
				defer close(dripped)
				for _, err := client.Write([]byte("G")); err == nil; _, err = client.Write([]byte("x")) {
					time.Sleep(time.Second)
				}
			}()
			begun := time.Now()
			_, err := c.Read(make([]byte, 1))
			want := 10 * time.Second
			if external > 0 {
				want = min(want, external)
			}
			if took := time.Since(begun); !errors.Is(err, os.ErrDeadlineExceeded) || took != want {
				t.Errorf("%s: %v after %v, want a timeout after %v", name, err, took, want)
			}
		})
	}
}

// TestAbortedRead: net/http stops a read under way by a deadline in the past,
// which a head that begins at the same time must not undo.
func TestAbortedRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		defer client.Close()
		c := &conn{Conn: server, timeout: 10 * time.Second, closed: func() {}}
		defer c.Close()
		go func() {
			_, _ = client.Write([]byte("GET / HT"))
			time.Sleep(time.Second)
			_ = c.SetReadDeadline(time.Unix(1, 0))
			time.Sleep(time.Second)
			_ = c.SetReadDeadline(time.Time{})
			_, _ = client.Write([]byte("TP/1.1\r\nHost: a.se\r\n\r\n"))
		}()
		p := make([]byte, 100)
		if _, err := c.Read(p); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		time.Sleep(1500 * time.Millisecond)
		n, err := c.Read(p)
		if err != nil || string(p[:n]) != "GET / HTTP/1.1\r\nHost: a.se\r\n\r\n" {
			t.Errorf("the rest: %q, %v", p[:n], err)
		}
	})
}
