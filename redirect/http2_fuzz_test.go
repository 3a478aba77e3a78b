package redirect

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// duplex is a connection that gives bytes, and keeps what is written.
type duplex struct {
	net.Conn
	io.Reader
	io.Writer
}

func (d duplex) Read(p []byte) (int, error)       { return d.Reader.Read(p) }
func (d duplex) Write(p []byte) (int, error)      { return d.Writer.Write(p) }
func (d duplex) SetReadDeadline(time.Time) error  { return nil }
func (d duplex) SetWriteDeadline(time.Time) error { return nil }
func (d duplex) Close() error                     { return nil }

// said is what an HTTP/2 client would understand of the answer to a stream of
// octets.
func said(t *testing.T, s *Server, from io.Reader) []string {
	var out bytes.Buffer
	c := &session{Conn: duplex{Reader: from, Writer: &out}, s: s, peer: &peer{sni: "keeps.example"}}
	c.serveHTTP2()
	f := http2.NewFramer(io.Discard, &out)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.ReadMetaHeaders.SetMaxDynamicTableSize(0) // ours says that it uses none
	var all []string
	for {
		frame, err := f.ReadFrame()
		switch g := frame.(type) {
		case nil:
			if err != io.EOF {
				t.Fatalf("what was written is no HTTP/2: %v", err)
			}
			return all
		case *http2.MetaHeadersFrame:
			all = append(all, g.PseudoValue("status"))
			for _, h := range g.RegularFields() {
				if h.Name == "location" {
					checkLocation(t, h.Value)
					all = append(all, h.Value)
				}
			}
		}
	}
}

// FuzzHTTP2 sends anything behind the preface: it is answered with HTTP/2, the
// same in one piece or many, and leads to where the table says.
func FuzzHTTP2(f *testing.F) {
	var stream bytes.Buffer
	fr := http2.NewFramer(&stream, nil)
	enc := func(fields ...string) []byte {
		var b bytes.Buffer
		e := hpack.NewEncoder(&b)
		for i := 0; i < len(fields); i += 2 {
			_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}) // to memory
		}
		return b.Bytes()
	}
	for i, path := range []string{"/", "/a?b=c", "//evil.example/%2e%2e", "/%0d%0a", "/.well-known/security.txt", "*"} {
		for j, method := range []string{"GET", "HEAD", "POST", "CONNECT", "OPTIONS"} {
			stream.Reset()
			id := uint32(1 + 2*i + 2*j)
			block := enc(":method", method, ":scheme", "https", ":authority", "keeps.example", ":path", path, "user-agent", "x")
			_ = fr.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(10 * i)})
			_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block[:3], EndStream: j%2 == 0})
			_ = fr.WriteContinuation(id, true, block[3:])
			_ = fr.WriteData(id, true, []byte("body"))
			_ = fr.WriteWindowUpdate(id, 5)
			_ = fr.WriteWindowUpdate(0, 5)
			f.Add(bytes.Clone(stream.Bytes()))
		}
	}
	o := testOptions()
	s := NewServer(mustTable(f, testSites()...), o)
	f.Fuzz(func(t *testing.T, b []byte) {
		b = append([]byte(http2.ClientPreface), b...)
		whole := said(t, s, bytes.NewReader(b))
		pieces := said(t, s, iotest.OneByteReader(bytes.NewReader(b)))
		if len(whole) != len(pieces) {
			t.Fatalf("in one piece %q, in many %q", whole, pieces)
		}
	})
}
