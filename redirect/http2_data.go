package redirect

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

// data takes a piece of a body, which nobody reads.
func (h *h2conn) data(f frame) (fatal http2.ErrCode) {
	if h.idle(f.stream) {
		return http2.ErrCodeProtocol
	}
	body, ok := unpadded(f)
	if !ok {
		return http2.ErrCodeProtocol
	}
	if len(body) == 0 {
		h.noise++
	}
	if h.received += f.length; h.received > firstRoom {
		return http2.ErrCodeFlowControl
	}
	if h.received >= giveBack {
		h.start(http2.FrameWindowUpdate, 0, 0, 4)
		h.out = binary.BigEndian.AppendUint32(h.out, uint32(h.received))
		h.received = 0
	}
	s := h.streams[f.stream]
	if s == nil || s.request == nil {
		return h.strayData(f.stream)
	}
	s.body += int64(len(body))
	ended := f.flags.Has(http2.FlagDataEndStream)
	switch r := s.request; {
	case r.length >= 0 && (s.body > r.length || ended && s.body != r.length):
		h.resetStream(f.stream, http2.ErrCodeProtocol)
	case ended:
		h.answerStream(f.stream, r)
	case s.body > maxBody:
		h.answerStream(f.stream, r)
		if h.streams[f.stream] == nil {
			h.resetStream(f.stream, http2.ErrCodeNo) // what is still to come is of no use
		}
	}
	return h.calm()
}

// strayData is data of a stream that has ended. On one that we have reset, it
// was under way already.
func (h *h2conn) strayData(stream uint32) (fatal http2.ErrCode) {
	for _, id := range h.reset {
		if id == stream {
			h.noise++
			return h.calm()
		}
	}
	h.resetStream(stream, http2.ErrCodeStreamClosed)
	return h.calm()
}

// calm reports a client that sends much which asks for nothing.
func (h *h2conn) calm() http2.ErrCode {
	if h.noise > maxNoise+noisePerRequest*h.asked {
		return http2.ErrCodeEnhanceYourCalm
	}
	return http2.ErrCodeNo
}

// unpadded gives a frame's payload without its padding.
func unpadded(f frame) ([]byte, bool) {
	if !f.flags.Has(http2.FlagDataPadded) { // the same bit for HEADERS
		return f.payload, true
	}
	if f.length == 0 || int(f.payload[0]) >= f.length {
		return nil, false
	}
	return f.payload[1 : f.length-int(f.payload[0])], true
}

func (h *h2conn) windowUpdate(f frame) (fatal http2.ErrCode) {
	if f.length != 4 {
		return http2.ErrCodeFrameSize
	}
	more := int64(binary.BigEndian.Uint32(f.payload) & maxWindow)
	if f.stream != 0 {
		return h.streamUpdate(f.stream, more)
	}
	h.window += more
	switch {
	case more == 0:
		return http2.ErrCodeProtocol
	case h.window > maxWindow:
		return http2.ErrCodeFlowControl
	}
	h.sendRests()
	return http2.ErrCodeNo
}

func (h *h2conn) streamUpdate(stream uint32, more int64) (fatal http2.ErrCode) {
	s := h.streams[stream]
	switch {
	case h.idle(stream):
		return http2.ErrCodeProtocol
	case more == 0:
		h.resetStream(stream, http2.ErrCodeProtocol)
	case s == nil: // answered already
	case s.window+more > maxWindow:
		h.resetStream(stream, http2.ErrCodeFlowControl)
	default:
		s.window += more
		h.sendRest(stream, s)
	}
	return http2.ErrCodeNo
}

// peerSettings takes what the client can bear.
func (h *h2conn) peerSettings(f frame) (fatal http2.ErrCode) {
	ack := f.flags.Has(http2.FlagSettingsAck)
	switch {
	case f.stream != 0:
		return http2.ErrCodeProtocol
	case f.length%6 != 0, ack && f.length > 0:
		return http2.ErrCodeFrameSize
	case ack:
		return http2.ErrCodeNo
	}
	h.settings = true
	for p := f.payload; len(p) > 0; p = p[6:] {
		if fatal := h.setting(http2.SettingID(binary.BigEndian.Uint16(p)), binary.BigEndian.Uint32(p[2:])); fatal != http2.ErrCodeNo {
			return fatal
		}
	}
	h.start(http2.FrameSettings, http2.FlagSettingsAck, 0, 0)
	h.sendRests()
	return http2.ErrCodeNo
}

func (h *h2conn) setting(id http2.SettingID, value uint32) (fatal http2.ErrCode) {
	switch id {
	case http2.SettingEnablePush:
		if value > 1 {
			return http2.ErrCodeProtocol
		}
	case http2.SettingMaxFrameSize:
		if value < maxFrame || value > 1<<24-1 {
			return http2.ErrCodeProtocol
		}
	case http2.SettingHeaderTableSize:
		h.resize = true // we use none, and say so
	case http2.SettingInitialWindowSize:
		if value > maxWindow {
			return http2.ErrCodeFlowControl
		}
		grown := int64(value) - h.initial
		h.initial = int64(value)
		for _, s := range h.streams {
			if s.window += grown; s.window > maxWindow {
				return http2.ErrCodeFlowControl
			}
		}
	}
	return http2.ErrCodeNo
}
