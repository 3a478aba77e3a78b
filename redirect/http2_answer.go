package redirect

import (
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/http2"
)

// answerStream answers a request that is whole.
func (h *h2conn) answerStream(stream uint32, r *h2request) {
	h.asked++
	if s := h.streams[stream]; s != nil {
		s.request = nil
	}
	if r.tooLarge {
		h.reply(stream, r, reply{answer: h.s.common.tooLarge})
		return
	}
	named := r.authority
	if named == "" && len(r.named) > 0 {
		named = r.named[0]
	}
	var ok bool
	r.host, ok = splitHost(named)
	r.target = r.path
	if ok && len(r.named) == 0 && (r.method == http.MethodGet || r.method == http.MethodHead) && r.path[0] == '/' && printable(r.path) {
		if a, ok := h.s.quick(&r.head, h.peer); ok {
			h.reply(stream, r, a)
			return
		}
	}
	h.askHandler(stream, r, named)
}

// askHandler has the handler that net/http uses answer.
func (h *h2conn) askHandler(stream uint32, r *h2request, named string) {
	req := &http.Request{
		Method: r.method, Host: named, RequestURI: r.path, Body: http.NoBody, Header: http.Header{"User-Agent": {r.agent}},
		Proto: "HTTP/2.0", ProtoMajor: 2,
	}
	if len(r.named) > 0 {
		req.Header["Host"] = r.named
	}
	var err error
	switch {
	case r.method == http.MethodConnect:
		req.URL, req.RequestURI = &url.URL{Host: named}, named
	case r.path == "*":
		req.URL = &url.URL{Path: "*"}
	default:
		req.URL, err = url.ParseRequestURI(r.path)
	}
	if err != nil {
		h.resetStream(stream, http2.ErrCodeProtocol)
		return
	}
	rec := &recorder{header: http.Header{}}
	h.s.secure.Handler.ServeHTTP(rec, req.WithContext(context.WithValue(h.s.ctx, peerKey{}, h.peer)))
	h.reply(stream, r, rec.reply())
}

// recorder keeps what a handler answers.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return len(p), nil
}

func (r *recorder) WriteString(s string) (int, error) { return r.Write([]byte(s)) }

var _ io.StringWriter = (*recorder)(nil)

func (r *recorder) reply() reply {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	if len(r.body) > 0 && r.header["Content-Type"] == nil { // as net/http does
		r.header.Set("Content-Type", http.DetectContentType(r.body))
	}
	var fields []field
	for name, values := range r.header {
		for _, v := range values {
			fields = append(fields, field{name, v})
		}
	}
	return reply{answer: sealed(r.status, string(r.body), fields)}
}

// reply writes an answer, or as much of it as the client has room for.
func (h *h2conn) reply(stream uint32, r *h2request, a reply) {
	body := a.body
	if r.method == http.MethodHead {
		body = nil
	}
	h.blockFrames(stream, len(body) == 0, a)
	if len(body) == 0 {
		delete(h.streams, stream)
		return
	}
	s := h.streams[stream]
	if s == nil && int64(len(body)) <= min(h.window, h.initial, maxFrame) {
		h.window -= int64(len(body))
		h.start(http2.FrameData, http2.FlagDataEndStream, stream, len(body))
		h.out = append(h.out, body...)
		return
	}
	if s == nil {
		h.await(stream)
		if s = h.streams[stream]; s == nil {
			return
		}
		s.request = nil
	}
	s.rest = body
	h.sendRest(stream, s)
}

// blockFrames writes the header block of an answer.
func (h *h2conn) blockFrames(stream uint32, end bool, a reply) {
	start := len(h.out)
	h.out = append(h.out, make([]byte, frameHead)...)
	if h.resize {
		h.resize = false
		h.out = append(h.out, 0x20) // a table of size 0 (RFC 7541, section 6.3)
	}
	h.out = a.appendBlock(h.out, h.s.clock.date(time.Now()))
	flags := http2.FlagHeadersEndHeaders
	if end {
		flags |= http2.FlagHeadersEndStream
	}
	size := len(h.out) - start - frameHead
	if size <= maxFrame {
		putFrameHead(h.out[start:], http2.FrameHeaders, flags, stream, size)
		return
	}
	block := string(h.out[start+frameHead:])
	h.out = h.out[:start]
	kind := http2.FrameHeaders
	for ; len(block) > maxFrame; block = block[maxFrame:] {
		h.start(kind, flags&^http2.FlagHeadersEndHeaders, stream, maxFrame)
		h.out = append(h.out, block[:maxFrame]...)
		kind, flags = http2.FrameContinuation, http2.FlagContinuationEndHeaders
	}
	h.start(kind, flags, stream, len(block))
	h.out = append(h.out, block...)
}

// sendRests goes on with all answers that waited for room.
func (h *h2conn) sendRests() {
	for id, s := range h.streams {
		if h.window <= 0 {
			return
		}
		h.sendRest(id, s)
	}
}

// sendRest sends as much of an answer as there is room for.
func (h *h2conn) sendRest(stream uint32, s *h2stream) {
	for len(s.rest) > 0 {
		n := min(int64(len(s.rest)), h.window, s.window, maxFrame)
		if n <= 0 {
			return
		}
		h.window -= n
		s.window -= n
		var flags http2.Flags
		if int(n) == len(s.rest) {
			flags = http2.FlagDataEndStream
			delete(h.streams, stream)
		}
		h.start(http2.FrameData, flags, stream, int(n))
		h.out = append(h.out, s.rest[:n]...)
		s.rest = s.rest[n:]
	}
}

// settingsFrame tells the client what we can bear.
func (h *h2conn) settingsFrame() {
	list := []http2.Setting{{ID: http2.SettingMaxConcurrentStreams, Val: maxStreams}, {ID: http2.SettingMaxHeaderListSize, Val: maxHead}}
	h.start(http2.FrameSettings, 0, 0, 6*len(list))
	for _, s := range list {
		h.out = binary.BigEndian.AppendUint16(h.out, uint16(s.ID))
		h.out = binary.BigEndian.AppendUint32(h.out, s.Val)
	}
}

func (h *h2conn) resetStream(stream uint32, code http2.ErrCode) {
	delete(h.streams, stream)
	h.reset[h.resets%len(h.reset)] = stream
	h.resets++
	h.noise++
	h.start(http2.FrameRSTStream, 0, stream, 4)
	h.out = binary.BigEndian.AppendUint32(h.out, uint32(code))
}

// begin2 writes the head of a frame.
func (h *h2conn) start(kind http2.FrameType, flags http2.Flags, stream uint32, length int) {
	n := len(h.out)
	h.out = append(h.out, make([]byte, frameHead)...)
	putFrameHead(h.out[n:], kind, flags, stream, length)
}

func putFrameHead(b []byte, kind http2.FrameType, flags http2.Flags, stream uint32, length int) {
	b[0], b[1], b[2] = byte(length>>16), byte(length>>8), byte(length)
	b[3], b[4] = byte(kind), byte(flags)
	binary.BigEndian.PutUint32(b[5:], stream)
}
