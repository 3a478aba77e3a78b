package redirect

import (
	"bytes"
	"net/url"
	"runtime"
	"strings"
	"time"
)

// Most requests are a GET that has no body and leads to an answer made
// beforehand. They are answered here; whatever is unusual is handed to net/http
// with all that was read of it, on a conn that judges it by the same checkHead.

// verdict is what is to be done after as many requests as were whole.
type verdict int

const (
	goOn    verdict = iota // wait for the next request
	partial                // the rest of a head is missing
	unusual                // net/http's
	finish                 // close the connection
)

// serveHTTP1 answers until the connection ends, or net/http takes over.
func (c *session) serveHTTP1() {
	if c.allow(time.Now()) != nil {
		return
	}
	c.serveBy(c.step)
	if c.then == unusual {
		c.handOver()
	}
}

// step answers what there is to be read, and reports whether the connection is
// over.
func (c *session) step() bool {
	for turns := 0; ; turns++ {
		if c.filled == 0 && !c.rest() {
			return true
		}
		if c.in == nil {
			c.in = buffers.Get().(*buffer)
		}
		n, err := c.read(c.in[c.filled:])
		switch {
		case n == 0 && err == errLater:
			if c.filled == 0 {
				c.free()
			}
			return false
		case n == 0, !c.begin():
			return true
		}
		c.filled += n
		if !c.burst(time.Now()) {
			return true
		}
		if turns > manyTurns {
			runtime.Gosched()
		}
	}
}

// burst answers what was read, and reports whether the connection goes on here.
func (c *session) burst(now time.Time) bool {
	used, then := c.answerAll(now)
	if c.flush() != nil {
		return false
	}
	c.filled = copy(c.in[:], c.in[used:c.filled])
	switch c.then = then; then {
	case goOn:
		c.begun = time.Time{}
		return c.allow(now) == nil
	case partial:
		if c.begun.IsZero() || used > 0 { // of this head
			c.begun = now
			return c.hurry(now.Add(headTimeout)) == nil
		}
		return true
	}
	return false
}

// answerAll answers the requests at the front of what was read, and tells how
// many octets they took.
func (c *session) answerAll(now time.Time) (used int, then verdict) {
	date := c.s.clock.date(now)
	for used < c.filled {
		rest := c.in[used:c.filled]
		end := bytes.Index(rest, blankLine) + len(blankLine)
		if end < len(blankLine) {
			return used, c.unfinished(rest)
		}
		h := checkHead(rest[:end])
		if h.refuse != 0 || h.odd || h.closing && end < len(rest) {
			return used, unusual
		}
		r, ok := c.s.quick(&h, c.peer)
		if !ok {
			return used, unusual
		}
		closing := h.closing || c.s.draining.Load() && end == len(rest)
		c.room()
		c.queued = r.appendHTTP1(c.queued, date, h.method == "HEAD", closing)
		used += end
		if closing {
			return used, finish
		}
		if len(c.queued) > len(c.out)*3/4 && c.flush() != nil {
			return used, finish
		}
	}
	return used, goOn
}

var blankLine = []byte("\r\n\r\n")

// unfinished judges the beginning of a head: one that conn would refuse, or
// that doesn't fit here, is not waited for.
func (c *session) unfinished(head []byte) verdict {
	if _, _, refuse := findEnd(head, 0); refuse != 0 || len(head) == len(c.in) {
		return unusual
	}
	return partial
}

// quick decides on a GET or HEAD whose head is good, and reports whether it
// could.
func (s *Server) quick(h *head, p *peer) (reply, bool) {
	if len(h.target) > 1 && (h.target[1] == '.' || h.target[1] == '%') || h.host == "" {
		return reply{}, false // perhaps one of the well-known paths
	}
	if !escaped(h.target) {
		return reply{}, false
	}
	e, no := s.place(p, h.host)
	if no != nil {
		return reply{answer: no}, true
	}
	path, query := "", ""
	if e.keeps() {
		u, err := url.ParseRequestURI(strings.Clone(h.target))
		if err != nil {
			return reply{}, false
		}
		path, query = e.kept(u)
	}
	return s.lead(e, p, h.host, true, path, query, h.agent), true
}

// escaped reports whether each percent sign of a target's path begins an
// escape. net/http refuses the others.
func escaped(target string) bool {
	path, _, _ := strings.Cut(target, "?")
	for {
		i := strings.IndexByte(path, '%')
		if i < 0 {
			return true
		}
		if len(path) < i+3 || !isHex(path[i+1]) || !isHex(path[i+2]) {
			return false
		}
		path = path[i+3:]
	}
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
