package redirect

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2block is a header block of which not all frames have come.
type h2block struct {
	stream   uint32 // 0: none
	end      bool   // no body follows
	reset    bool   // the stream depends on itself
	octets   []byte // nil where one frame has it all
	pieces   int
	trailers bool
}

func (h *h2conn) headers(f frame) (fatal http2.ErrCode) {
	if f.stream%2 == 0 {
		return http2.ErrCodeProtocol
	}
	b := h2block{stream: f.stream, end: f.flags.Has(http2.FlagHeadersEndStream)}
	if fatal := h.open(&b); fatal != http2.ErrCodeNo {
		return fatal
	}
	payload, ok := unpadded(f)
	if f.flags.Has(http2.FlagHeadersPriority) && ok {
		if ok = len(payload) >= 5; ok {
			b.reset = binary.BigEndian.Uint32(payload)&maxWindow == f.stream
			payload = payload[5:]
		}
	}
	if !ok {
		return http2.ErrCodeProtocol
	}
	h.block = b
	if f.flags.Has(http2.FlagHeadersEndHeaders) {
		return h.whole(payload)
	}
	h.block.octets = bytes.Clone(payload)
	return http2.ErrCodeNo
}

// open judges whether a stream may begin, or end with trailers.
func (h *h2conn) open(b *h2block) (fatal http2.ErrCode) {
	if b.stream > h.last {
		if b.stream > h.last+2 {
			h.skipped = [2]uint32{h.last + 1, b.stream - 1}
		}
		h.last = b.stream
		return http2.ErrCodeNo
	}
	s := h.streams[b.stream]
	switch {
	case s != nil && s.request != nil && b.end:
		b.trailers = true
		return http2.ErrCodeNo
	case s != nil && s.request != nil, b.stream >= h.skipped[0] && b.stream <= h.skipped[1]:
		return http2.ErrCodeProtocol
	}
	return http2.ErrCodeStreamClosed
}

func (h *h2conn) continuation(f frame) (fatal http2.ErrCode) {
	b := &h.block
	if f.stream != b.stream {
		return http2.ErrCodeProtocol
	}
	b.octets = append(b.octets, f.payload...)
	if b.pieces++; len(b.octets) > maxHead || b.pieces > maxPieces {
		return http2.ErrCodeEnhanceYourCalm
	}
	if f.flags.Has(http2.FlagContinuationEndHeaders) {
		return h.whole(b.octets)
	}
	return http2.ErrCodeNo
}

const maxPieces = 16 // CONTINUATION frames of a header block

// whole decodes a header block and answers the request unless a body follows.
func (h *h2conn) whole(block []byte) (fatal http2.ErrCode) {
	b := h.block
	h.block = h2block{}
	if len(block) > maxHead {
		return http2.ErrCodeEnhanceYourCalm
	}
	h.request = h2request{length: -1, trailers: b.trailers}
	h.decoder.SetEmitEnabled(true)
	if _, err := h.decoder.Write(block); err != nil {
		return http2.ErrCodeCompression
	}
	if h.decoder.Close() != nil {
		return http2.ErrCodeCompression
	}
	r := &h.request
	switch {
	case b.trailers:
		return h.trailers(b.stream, r)
	case b.reset, !r.wellFormed():
		h.asked++
		h.noise += resetNoise
		h.resetStream(b.stream, http2.ErrCodeProtocol)
	case b.end && r.length > 0:
		h.asked++
		h.resetStream(b.stream, http2.ErrCodeProtocol)
	case b.end:
		h.answerStream(b.stream, r)
	default:
		h.await(b.stream)
	}
	return h.calm()
}

// await keeps a request until its body has come.
func (h *h2conn) await(stream uint32) {
	kept := 0
	for _, s := range h.streams {
		if s.request != nil {
			kept += s.request.size
		}
	}
	if len(h.streams) >= maxStreams || kept > maxHead {
		h.noise += resetNoise
		h.resetStream(stream, http2.ErrCodeRefusedStream)
		return
	}
	if h.streams == nil {
		h.streams = map[uint32]*h2stream{}
	}
	r := h.request
	h.streams[stream] = &h2stream{request: &r, window: h.initial}
}

// trailers end a body, and say nothing that matters.
func (h *h2conn) trailers(stream uint32, r *h2request) (fatal http2.ErrCode) {
	s := h.streams[stream]
	if r.malformed || s.request.length >= 0 && s.body != s.request.length {
		h.resetStream(stream, http2.ErrCodeProtocol)
		return h.calm()
	}
	h.answerStream(stream, s.request)
	return h.calm()
}

// h2request is what a header block says.
type h2request struct {
	head
	scheme, path, authority string
	named                   []string // values of Host
	length                  int64    // of the body, or -1
	size, fields            int
	seen                    [4]bool // of the pseudo-header fields
	regular                 bool    // the pseudo-header fields are over
	malformed               bool
	tooLarge                bool
	trailers                bool
}

var pseudo = []string{":method", ":scheme", ":path", ":authority"}

// field is called for each field of a block in turn.
func (h *h2conn) field(f hpack.HeaderField) {
	r := &h.request
	r.size += len(f.Name) + len(f.Value) + 32
	if r.fields++; r.fields > maxHeaders+len(pseudo) || r.size > maxHead {
		r.tooLarge = true
		h.decoder.SetEmitEnabled(false) // the table must go on to be kept
		return
	}
	if !strings.HasPrefix(f.Name, ":") {
		r.regular = true
		r.malformed = r.malformed || !lowerToken(f.Name) || !visible(f.Value) || !r.header(f.Name, f.Value)
		return
	}
	i := slices.Index(pseudo, f.Name)
	if i < 0 || r.regular || r.trailers || r.seen[i] || !visible(f.Value) {
		r.malformed = true
		return
	}
	r.seen[i] = true
	*[]*string{&r.method, &r.scheme, &r.path, &r.authority}[i] = f.Value
}

// header takes a regular field and reports whether it may stand.
func (r *h2request) header(name, value string) bool {
	switch name {
	case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
		return false // RFC 9113, section 8.2.2
	case "te":
		return value == "trailers"
	case "host":
		r.named = append(r.named, value)
	case "user-agent":
		if r.agent == "" {
			r.agent = value
		}
	case "content-length":
		var f framing
		if r.length >= 0 || !f.contentLength(value) {
			return false
		}
		r.length = 0
		for _, c := range value {
			r.length = 10*r.length + int64(c-'0')
		}
	}
	return true
}

// wellFormed judges the fields together (RFC 9113, section 8.3.1).
func (r *h2request) wellFormed() bool {
	switch {
	case r.tooLarge:
		return true // and answered with that
	case r.malformed, r.method == "", !isToken(r.method), strings.Contains(r.authority, "@"):
		return false
	case r.method == "CONNECT":
		return !r.seen[1] && !r.seen[2] && r.authority != ""
	case r.scheme != "https" && r.scheme != "http":
		return false
	case r.path == "*":
		return true
	}
	return strings.HasPrefix(r.path, "/") && escaped(r.path)
}

func lowerToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !tokens[c] || c >= 'A' && c <= 'Z' {
			return false
		}
	}
	return len(s) > 0
}
