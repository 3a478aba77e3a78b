package redirect

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

// frame is a frame of HTTP/2.
type frame struct {
	length  int
	kind    http2.FrameType
	flags   http2.Flags
	stream  uint32
	payload []byte
}

func readFrame(b []byte) frame {
	return frame{
		length: int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
		kind:   http2.FrameType(b[3]), flags: http2.Flags(b[4]),
		stream: binary.BigEndian.Uint32(b[5:9]) & maxWindow,
	}
}

// take acts on one frame.
func (h *h2conn) take(f frame) (fatal http2.ErrCode) {
	if !h.settings && (f.kind != http2.FrameSettings || f.flags.Has(http2.FlagSettingsAck)) {
		return http2.ErrCodeProtocol
	}
	if (h.block.stream != 0) != (f.kind == http2.FrameContinuation) {
		return http2.ErrCodeProtocol
	}
	switch f.kind {
	case http2.FrameHeaders:
		return h.headers(f)
	case http2.FrameContinuation:
		return h.continuation(f)
	case http2.FrameData:
		return h.data(f)
	}
	if h.noise++; h.noise > maxNoise+noisePerRequest*h.asked {
		return http2.ErrCodeEnhanceYourCalm
	}
	switch f.kind {
	case http2.FrameSettings:
		return h.peerSettings(f)
	case http2.FramePing:
		return h.ping(f)
	case http2.FrameWindowUpdate:
		return h.windowUpdate(f)
	case http2.FrameRSTStream:
		return h.rstStream(f)
	case http2.FramePriority:
		return h.priority(f)
	case http2.FramePushPromise:
		return http2.ErrCodeProtocol
	case http2.FrameGoAway:
		if f.stream != 0 {
			return http2.ErrCodeProtocol
		}
	}
	return http2.ErrCodeNo // of kinds that we don't know, none is an error
}

func (h *h2conn) ping(f frame) (fatal http2.ErrCode) {
	switch {
	case f.stream != 0:
		return http2.ErrCodeProtocol
	case f.length != 8:
		return http2.ErrCodeFrameSize
	case !f.flags.Has(http2.FlagPingAck):
		h.start(http2.FramePing, http2.FlagPingAck, 0, 8)
		h.out = append(h.out, f.payload...)
	}
	return http2.ErrCodeNo
}

func (h *h2conn) rstStream(f frame) (fatal http2.ErrCode) {
	switch {
	case f.length != 4:
		return http2.ErrCodeFrameSize
	case h.idle(f.stream):
		return http2.ErrCodeProtocol
	}
	delete(h.streams, f.stream)
	h.noise += resetNoise - 1
	return http2.ErrCodeNo
}

func (h *h2conn) priority(f frame) (fatal http2.ErrCode) {
	switch {
	case f.stream == 0:
		return http2.ErrCodeProtocol
	case f.length != 5:
		h.resetStream(f.stream, http2.ErrCodeFrameSize)
	case binary.BigEndian.Uint32(f.payload)&maxWindow == f.stream:
		h.resetStream(f.stream, http2.ErrCodeProtocol)
	}
	return http2.ErrCodeNo
}

// idle reports whether a stream was never opened. The connection itself is none.
func (h *h2conn) idle(stream uint32) bool { return stream == 0 || stream > h.last || stream%2 == 0 }
