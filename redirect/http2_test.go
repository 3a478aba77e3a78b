package redirect

import (
	"bytes"
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2 asks with exactly these header fields and gives the status, or "reset"
// where the server refuses the stream.
func h2(t *testing.T, addr string, fields ...string) string {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{ServerName: "kopasex.se", InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		if err := enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			t.Fatal(err)
		}
	}
	framer := http2.NewFramer(c, c)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := errors.Join(framer.WriteSettings(), framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true,
	})); err != nil {
		t.Fatal(err)
	}
	for {
		f, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			return f.PseudoValue("status")
		case *http2.RSTStreamFrame:
			return "reset"
		case *http2.GoAwayFrame:
			if f.ErrCode != http2.ErrCodeNo {
				return "reset"
			}
		}
	}
}

func TestHTTP2Requests(t *testing.T) {
	t.Parallel()
	s := start(t, mustTable(t, testSites()...), Options{TLS: certs(testCert(t, "kopasex.se"))})
	get := func(more ...string) []string { return append([]string{":method", "GET", ":scheme", "https"}, more...) }
	for _, c := range []struct {
		fields []string
		want   string
	}{
		{get(":path", "/", ":authority", "kopasex.se"), "302"},
		{get(":path", "/", ":authority", "kopasex.se", "host", "KOPASEX.se."), "302"},
		{get(":path", "/", "host", "kopasex.se"), "302"},
		{get(":path", "/", ":authority", "kopasex.se", "host", "wild.example"), "400"},
		{get(":path", "/", ":authority", "user@kopasex.se"), "reset"},
		{get(":path", "/", ":authority", "wild.example"), "421"},
		{get(":path", "/", ":authority", "köpasex.example"), "400"},
		{get(":path", "/", ":authority", ""), "421"},
		{get(":path", "/a#b", ":authority", "kopasex.se"), "400"},
		{get(":path", "/a b", ":authority", "kopasex.se"), "400"},
		{get(":path", "a", ":authority", "kopasex.se"), "reset"},
		{get(":path", "/\r\n", ":authority", "kopasex.se"), "reset"},
		{get(":path", "/\x00", ":authority", "kopasex.se"), "reset"},
		{get(":path", "/", ":authority", "kopasex.se", "transfer-encoding", "chunked"), "reset"},
		{get(":path", "/", ":authority", "kopasex.se", "connection", "close"), "reset"},
		{get(":path", "/", ":authority", "kopasex.se", "x", "a\r\nb: c"), "reset"},
		{[]string{":method", "CONNECT", ":authority", "kopasex.se:443"}, "405"},
		{[]string{":method", "OPTIONS", ":scheme", "https", ":path", "*", ":authority", "kopasex.se"}, "204"},
	} {
		if got := h2(t, s.secure, c.fields...); got != c.want {
			t.Errorf("%q: got %s, want %s", c.fields, got, c.want)
		}
	}
}
