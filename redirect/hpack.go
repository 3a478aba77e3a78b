package redirect

import (
	"strings"

	"golang.org/x/net/http2/hpack"
)

// Header blocks of answers are written without the dynamic table (RFC 7541),
// so that the same octets are right on every connection.

// staticNames are the places of names in HPACK's static table (RFC 7541,
// appendix A) that answers use.
var staticNames = map[string]byte{
	"allow": 22, "cache-control": 24, "content-length": 28, "content-type": 31,
	"location": 46, "strict-transport-security": 56,
}

const (
	staticStatus = 8
	staticDate   = 33
)

// appendStatus appends the field :status.
func appendStatus(b []byte, code string) []byte {
	return appendString(append(b, staticStatus), code)
}

// appendField appends a literal field that isn't to be indexed.
func appendField(b []byte, name, value string) []byte {
	name = strings.ToLower(name)
	if i, ok := staticNames[name]; ok {
		b = appendName(b, i)
	} else {
		b = appendString(append(b, 0), name)
	}
	return appendString(b, value)
}

// appendName appends a place in the static table, from 15 up, as the name of a
// literal field.
func appendName(b []byte, i byte) []byte { return append(b, 0x0f, i-15) }

// appendString appends a string in Huffman's code or as it is, whichever is
// shorter.
func appendString(b []byte, s string) []byte {
	if n := hpack.HuffmanEncodeLength(s); n < uint64(len(s)) {
		return hpack.AppendHuffmanString(appendLength(b, 0x80, int(n)), s)
	}
	return appendPlain(b, s)
}

// appendPlain appends a string as it is, which is quicker.
func appendPlain(b []byte, s string) []byte {
	return append(appendLength(b, 0, len(s)), s...)
}

// appendLength appends an integer with a prefix of seven bits.
func appendLength(b []byte, first byte, n int) []byte {
	if n < 0x7f {
		return append(b, first|byte(n))
	}
	b = append(b, first|0x7f)
	for n -= 0x7f; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// appendBlock writes the header block of a reply.
func (a reply) appendBlock(b []byte, date string) []byte {
	b = append(b, a.block...)
	b = appendPlain(appendName(b, staticDate), date)
	if a.location != "" {
		b = appendPlain(appendName(b, staticNames["location"]), a.location)
	}
	if a.hsts != "" {
		b = appendPlain(appendName(b, staticNames["strict-transport-security"]), a.hsts)
	}
	if a.altSvc != "" {
		b = appendPlain(appendPlain(append(b, 0), "alt-svc"), a.altSvc)
	}
	return b
}
