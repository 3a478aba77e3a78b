package redirect

import (
	"encoding/binary"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// HTTP/2 (RFC 9113) as far as a redirector needs it. Every request is answered
// in the goroutine of its connection as soon as it is whole, so a stream costs
// nothing before and after, and what a client may keep waiting is bounded.

const (
	frameHead  = 9
	maxFrame   = 16 << 10 // the smallest that the RFC allows to announce
	maxStreams = 128      // at once, of those that wait for the client
	maxWindow  = 1<<31 - 1
	firstRoom  = 1<<16 - 1 // initial window, of connection and streams
	giveBack   = 1 << 14   // so much was received when the window is opened again
	maxBody    = 32 << 10  // of a request; then it is answered without the rest

	// maxNoise is how many frames that ask for nothing a client may send, and
	// noisePerRequest how many more for every request. A reset weighs resetNoise.
	maxNoise        = 512
	noisePerRequest = 4
	resetNoise      = 8
)

// frames holds one frame, and what came with it.
type frames [frameHead + maxFrame + 4<<10]byte

var framePool = sync.Pool{New: func() any { return new(frames) }}

// h2conn is a session that speaks HTTP/2.
type h2conn struct {
	*session
	in     *frames // nil while the connection is idle
	filled int
	room   *frames // what out is in, unless it has outgrown it
	out    []byte

	decoder *hpack.Decoder
	request h2request // of the header block that is being decoded
	block   h2block
	streams map[uint32]*h2stream // that wait for the client
	last    uint32               // the highest stream that was opened
	skipped [2]uint32            // streams below it that never were, the latest
	reset   [16]uint32           // streams that we have reset, the latest
	resets  int

	window   int64 // of the connection, for our bodies
	initial  int64 // of new streams
	received int   // octets of bodies that the client wasn't given back yet
	resize   bool  // the next block must set the table's size
	leaving  atomic.Bool
	over     bool // the client was told

	preface  bool // the client has introduced itself
	settings bool
	asked    int // requests
	noise    int
}

// h2stream is a request whose end hasn't come, or an answer that the client has
// no room for.
type h2stream struct {
	request *h2request // nil once it is answered
	body    int64      // so much came
	window  int64
	rest    []byte // of the answer
}

// serveHTTP2 answers until the connection ends.
func (c *session) serveHTTP2() {
	h := &h2conn{session: c, window: firstRoom, initial: firstRoom}
	h.decoder = hpack.NewDecoder(4096, h.field)
	h.decoder.SetMaxStringLength(maxHead)
	c.http2.Store(h)
	defer h.release()
	h.obtain()
	h.settingsFrame()
	if h.send() == nil && c.allow(time.Now()) == nil {
		c.serveBy(h.step)
	}
	h.farewell(http2.ErrCodeNo)
}

// release gives the buffers back that hold nothing.
func (h *h2conn) release() {
	if h.in != nil && h.filled == 0 {
		framePool.Put(h.in)
		h.in = nil
	}
	if h.room != nil && len(h.out) == 0 {
		framePool.Put(h.room)
		h.room, h.out = nil, nil
	}
}

// send writes what is to be sent, whole frames always.
func (h *h2conn) send() error {
	if len(h.out) == 0 {
		return nil
	}
	_, err := h.Write(h.out)
	h.out = h.room[:0]
	return err
}

// farewell ends the connection, and tells which requests were answered.
func (h *h2conn) farewell(code http2.ErrCode) {
	if h.over {
		return
	}
	h.over = true
	h.obtain()
	h.out = append(h.out, goAway(h.last, code)...)
	_ = h.send() // the client may have gone
}

func goAway(last uint32, code http2.ErrCode) []byte {
	b := make([]byte, frameHead, frameHead+8)
	putFrameHead(b, http2.FrameGoAway, 0, 0, 8)
	b = binary.BigEndian.AppendUint32(b, last)
	return binary.BigEndian.AppendUint32(b, uint32(code))
}

// leave tells an idle client that the server is about to stop; one that is
// busy is told behind its answers.
func (c *session) leave() {
	h := c.http2.Load()
	if h == nil || !c.state.CompareAndSwap(stateIdle, stateBusy) && !c.state.CompareAndSwap(stateNew, stateBusy) {
		return
	}
	go func() {
		if !h.leaving.Swap(true) && c.SetWriteDeadline(time.Now().Add(drainTime)) == nil {
			c.peer.aside.Store(true)
			_, _ = c.Write(goAway(maxWindow, http2.ErrCodeNo)) // the client may have gone
			c.peer.aside.Store(false)
		}
		c.rest()
	}()
}

// step answers what there is to be read, and reports whether the connection is
// over.
func (h *h2conn) step() bool {
	for turns := 0; ; turns++ {
		if h.filled == 0 && len(h.streams) == 0 && !h.rest() {
			return true
		}
		h.obtain()
		n, err := h.read(h.in[h.filled:])
		switch {
		case n == 0 && err == errLater:
			h.release()
			return false
		case n == 0, !h.begin():
			return true
		}
		h.filled += n
		if !h.burst() {
			return true
		}
		if turns > manyTurns {
			runtime.Gosched()
		}
	}
}

// burst answers what was read. It is false at the end.
func (h *h2conn) burst() bool {
	asked := h.asked
	used, fatal := h.takeAll()
	if fatal != http2.ErrCodeNo {
		h.farewell(fatal)
		return false
	}
	h.filled = copy(h.in[:], h.in[used:h.filled])
	if h.s.draining.Load() && !h.leaving.Swap(true) {
		h.out = append(h.out, goAway(maxWindow, http2.ErrCodeNo)...)
	}
	return h.send() == nil && h.keepTime(asked != h.asked || used > 0 && len(h.streams) == 0)
}

// obtain gets the buffers that aren't there.
func (h *h2conn) obtain() {
	if h.in == nil {
		h.in = framePool.Get().(*frames)
	}
	if h.room == nil {
		h.room = framePool.Get().(*frames)
		h.out = h.room[:0]
	}
}

// keepTime gives a client that keeps us waiting in the middle of something a
// while to go on.
func (h *h2conn) keepTime(progress bool) bool {
	waiting := h.filled > 0 || len(h.streams) > 0
	now := time.Now()
	switch {
	case !waiting:
		h.begun = time.Time{}
		return h.allow(now) == nil
	case h.begun.IsZero() || progress && now.Sub(h.begun) > requestTimeout/4:
		h.begun = now
		h.writeBy = now.Add(answerTimeout)
		return h.hurry(now.Add(requestTimeout)) == nil && h.SetWriteDeadline(h.writeBy) == nil
	}
	return true
}

// takeAll takes the frames at the front of what was read.
func (h *h2conn) takeAll() (used int, fatal http2.ErrCode) {
	if !h.preface {
		n := min(h.filled, len(http2.ClientPreface))
		if string(h.in[:n]) != http2.ClientPreface[:n] {
			return 0, http2.ErrCodeProtocol
		}
		if n < len(http2.ClientPreface) {
			return 0, http2.ErrCodeNo
		}
		h.preface, used = true, n
	}
	for h.filled-used >= frameHead {
		f := readFrame(h.in[used:h.filled])
		if f.length > maxFrame {
			return used, http2.ErrCodeFrameSize
		}
		if h.filled-used < frameHead+f.length {
			return used, http2.ErrCodeNo
		}
		f.payload = h.in[used+frameHead : used+frameHead+f.length]
		if fatal := h.take(f); fatal != http2.ErrCodeNo {
			return used, fatal
		}
		used += frameHead + f.length
		if len(h.out) > maxFrame && h.send() != nil {
			return used, http2.ErrCodeInternal
		}
	}
	return used, http2.ErrCodeNo
}
