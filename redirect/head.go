package redirect

import (
	"bytes"
	"strings"
)

// Limits of a request's head. A visitor's is some 1 KB.
const (
	maxHead    = 16 << 10 // request line and headers together
	maxTarget  = 8 << 10  // the request target alone
	maxHeaders = 100
)

// head is what checkHead finds out about a request.
type head struct {
	refuse int  // status to refuse it with, or 0
	body   bool // a body follows
}

// checkHead judges the head of an HTTP/1 request, up to and with its empty
// line, by RFC 9112 at its strictest: wherever that RFC lets a server be
// lenient, two servers may disagree about where a request ends, and that is
// what smuggling lives on. net/http reads only what passes here.
func checkHead(b []byte) head {
	bad := head{refuse: 400}
	line, rest, ok := bytes.Cut(b, crlf)
	if !ok {
		return bad
	}
	target, http10, ok := checkRequestLine(line)
	if !ok {
		return bad
	}
	var f framing
	for n := 0; ; n++ {
		line, rest, ok = bytes.Cut(rest, crlf)
		switch {
		case !ok:
			return bad
		case len(line) == 0:
			if len(rest) > 0 || !f.valid(target, http10) {
				return bad
			}
			return head{body: f.chunked || f.length}
		case n >= maxHeaders:
			return head{refuse: 431}
		case !f.header(line):
			return bad
		}
	}
}

var crlf = []byte("\r\n")

// checkRequestLine takes apart METHOD SP TARGET SP HTTP/1.x.
func checkRequestLine(line []byte) (target string, http10, ok bool) {
	method, rest, ok1 := bytes.Cut(line, []byte(" "))
	where, version, ok2 := bytes.Cut(rest, []byte(" "))
	if !ok1 || !ok2 || len(method) > 32 || !isToken(method) || !checkTarget(method, where) {
		return "", false, false
	}
	switch string(version) {
	case "HTTP/1.1":
		return string(where), false, true
	case "HTTP/1.0":
		return string(where), true, true
	}
	return "", false, false
}

// checkTarget lets the four forms of RFC 9112, section 3.2, pass.
func checkTarget(method, target []byte) bool {
	if len(target) == 0 || !printable(string(target)) {
		return false
	}
	switch {
	case string(method) == "CONNECT":
		host, ok := splitHost(string(target))
		return ok && (host != "" || target[0] == '[')
	case target[0] == '/':
		return true
	case string(target) == "*":
		return string(method) == "OPTIONS"
	}
	_, absolute := authority(string(target))
	return absolute
}

// printable reports whether a request target is of sane length and holds no
// white space, control characters or fragment.
func printable(target string) bool {
	if len(target) > maxTarget {
		return false
	}
	for i := 0; i < len(target); i++ {
		if c := target[i]; c <= ' ' || c == 0x7f || c == '#' {
			return false
		}
	}
	return true
}

// authority gives the host[:port] of an absolute-form target.
func authority(target string) (string, bool) {
	for _, scheme := range [...]string{"http://", "https://"} {
		if len(target) > len(scheme) && strings.EqualFold(target[:len(scheme)], scheme) {
			rest := target[len(scheme):]
			if end := strings.IndexAny(rest, "/?"); end >= 0 {
				rest = rest[:end]
			}
			return rest, rest != ""
		}
	}
	return "", false
}

// framing collects the headers that decide who is asked and where the request
// ends.
type framing struct {
	host             string
	hosts            int
	length           bool
	lengths, codings int
	chunked          bool
}

// header takes one field line and reports whether it may stand.
func (f *framing) header(line []byte) bool {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || !isToken(name) {
		return false // no colon, white space before it, or a folded line
	}
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	value = bytes.Trim(value, " \t")
	switch {
	case bytes.EqualFold(name, []byte("Host")):
		f.host = string(value)
		f.hosts++
	case bytes.EqualFold(name, []byte("Content-Length")):
		f.lengths++
		return f.contentLength(value)
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		f.codings++
		f.chunked = true
		return bytes.EqualFold(value, []byte("chunked"))
	}
	return true
}

func (f *framing) contentLength(value []byte) bool {
	if len(value) == 0 || len(value) > 18 {
		return false
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
		f.length = f.length || c != '0'
	}
	return true
}

// valid judges the headers together.
func (f *framing) valid(target string, http10 bool) bool {
	if f.hosts > 1 || f.hosts == 0 && !http10 {
		return false
	}
	if f.lengths > 1 || f.codings > 1 || f.lengths > 0 && f.codings > 0 || f.codings > 0 && http10 {
		return false
	}
	host, ok := splitHost(f.host)
	if !ok {
		return false
	}
	if in, absolute := authority(target); absolute {
		named, ok := splitHost(in)
		return ok && (f.hosts == 0 || named == host)
	}
	return true
}

// isToken reports whether b is a token of RFC 9110, section 5.6.2.
func isToken(b []byte) bool {
	for _, c := range b {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			continue
		}
		if !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return len(b) > 0
}
