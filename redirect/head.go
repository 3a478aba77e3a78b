package redirect

import (
	"encoding/binary"
	"strings"
	"unsafe"
)

// Limits of a request's head. A visitor's is some 1 KB.
const (
	maxHead    = 16 << 10 // request line and headers together
	maxTarget  = 8 << 10  // the request target alone
	maxHeaders = 100
)

// head is what checkHead finds out about a request. Its strings are views of
// the octets it was given.
type head struct {
	refuse int  // status to refuse it with, or 0
	body   bool // a body follows

	method, target string
	host           string // as splitHost gives it
	agent          string // User-Agent
	closing        bool   // the client asks to close the connection
	odd            bool   // something that only net/http answers rightly
}

// checkHead judges the head of an HTTP/1 request, up to and with its empty
// line, by RFC 9112 at its strictest: wherever that RFC lets a server be
// lenient, two servers may disagree about where a request ends, and that is
// what smuggling lives on. net/http reads only what passes here.
func checkHead(b []byte) head {
	line, rest, ok := cutLine(view(b))
	if !ok {
		return head{refuse: 400}
	}
	var f framing
	if !f.requestLine(line) {
		return head{refuse: 400}
	}
	for n := 0; ; n++ {
		line, rest, ok = cutLine(rest)
		switch {
		case !ok:
			return head{refuse: 400}
		case len(line) == 0:
			if len(rest) > 0 || !f.valid() {
				return head{refuse: 400}
			}
			f.head.body = f.chunked || f.length
			return f.head
		case n >= maxHeaders:
			return head{refuse: 431}
		case !f.header(line):
			return head{refuse: 400}
		}
	}
}

var crlf = []byte("\r\n")

// view gives octets as a string without copying them. It holds as long as they
// don't change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// cutLine cuts at the first line feed, before which a carriage return must be.
func cutLine(s string) (line, rest string, ok bool) {
	i := strings.IndexByte(s, '\n')
	if i < 1 || s[i-1] != '\r' {
		return "", "", false
	}
	return s[:i-1], s[i+1:], true
}

// requestLine takes apart METHOD SP TARGET SP HTTP/1.x.
func (f *framing) requestLine(line string) bool {
	method, rest, ok1 := strings.Cut(line, " ")
	target, version, ok2 := strings.Cut(rest, " ")
	if !ok1 || !ok2 || len(method) > 32 || !isToken(method) || !checkTarget(method, target) {
		return false
	}
	f.method, f.target = method, target
	f.http10 = version == "HTTP/1.0"
	f.odd = f.http10 || target[0] != '/' || method != "GET" && method != "HEAD"
	return f.http10 || version == "HTTP/1.1"
}

// checkTarget lets the four forms of RFC 9112, section 3.2, pass.
func checkTarget(method, target string) bool {
	if len(target) == 0 || !printable(target) {
		return false
	}
	switch {
	case method == "CONNECT":
		host, ok := splitHost(target)
		return ok && (host != "" || target[0] == '[')
	case target[0] == '/':
		return true
	case target == "*":
		return method == "OPTIONS"
	}
	_, absolute := authority(target)
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
	head
	http10           bool
	named            string // value of Host
	hosts            int
	length           bool
	lengths, codings int
	chunked          bool
}

// header takes one field line and reports whether it may stand.
func (f *framing) header(line string) bool {
	name, value, ok := strings.Cut(line, ":")
	if !ok || !isToken(name) {
		return false // no colon, white space before it, or a folded line
	}
	if !visible(value) {
		return false
	}
	value = strings.Trim(value, " \t")
	switch len(name) {
	case len("Host"):
		if strings.EqualFold(name, "Host") {
			f.named = value
			f.hosts++
		}
	case len("Content-Length"):
		if strings.EqualFold(name, "Content-Length") {
			f.lengths++
			f.odd = true
			return f.contentLength(value)
		}
	case len("Transfer-Encoding"):
		if strings.EqualFold(name, "Transfer-Encoding") {
			f.codings++
			f.chunked, f.odd = true, true
			return strings.EqualFold(value, "chunked")
		}
	case len("Connection"):
		f.connection(name, value)
	case len("Expect"), len("Upgrade"):
		f.odd = f.odd || strings.EqualFold(name, "Expect") || strings.EqualFold(name, "Upgrade")
	}
	return true
}

// connection takes a field with a name as long as Connection's.
func (f *framing) connection(name, value string) {
	switch {
	case strings.EqualFold(name, "User-Agent"):
		if f.agent == "" {
			f.agent = value
		}
	case !strings.EqualFold(name, "Connection"), strings.EqualFold(value, "keep-alive"):
	case strings.EqualFold(value, "close"):
		f.closing = true
	default:
		f.odd = true
	}
}

func (f *framing) contentLength(value string) bool {
	if len(value) == 0 || len(value) > 18 {
		return false
	}
	for i := 0; i < len(value); i++ {
		if value[i] < '0' || value[i] > '9' {
			return false
		}
		f.length = f.length || value[i] != '0'
	}
	return true
}

// valid judges the headers together.
func (f *framing) valid() bool {
	if f.hosts > 1 || f.hosts == 0 && !f.http10 {
		return false
	}
	if f.lengths > 1 || f.codings > 1 || f.lengths > 0 && f.codings > 0 || f.codings > 0 && f.http10 {
		return false
	}
	var ok bool
	if f.host, ok = splitHost(f.named); !ok {
		return false
	}
	if in, absolute := authority(f.target); absolute {
		named, ok := splitHost(in)
		return ok && (f.hosts == 0 || named == f.host)
	}
	return true
}

// visible reports whether a field's value holds no control characters but
// tabs. It looks at eight octets at a time, since most of a request is values.
func visible(s string) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; len(s) >= 8; s = s[8:] {
		x := binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(s), 8))
		del := x ^ 0x7f*ones
		if ((x-0x20*ones)&^x|(del-ones)&^del)&high != 0 && !visibleOctets(s[:8]) {
			return false
		}
	}
	return visibleOctets(s)
}

func visibleOctets(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// isToken reports whether s is a token of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokens[s[i]] {
			return false
		}
	}
	return len(s) > 0
}

var tokens = func() (in [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		in[c] = true
	}
	return in
}()
