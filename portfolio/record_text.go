package portfolio

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxChunk = 255   // octets of one character-string (RFC 1035, section 3.3)
	maxText  = 65000 // octets of text that still fit in one DNS message
)

// canonicalText gives the canonical form of TXT data as written: the text
// itself, or zone-file form where it starts with a quote.
func canonicalText(s string) (string, *fault) {
	if isPlainText(s) {
		return s, nil
	}
	octets, f := textOctets(s)
	if f != nil {
		return "", f
	}
	return encodeText(octets), nil
}

// isPlainText tells text that is its own canonical form and short enough not
// to be measured.
func isPlainText(s string) bool {
	if len(s) > maxText || strings.HasPrefix(s, `"`) {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '\\' {
			return false
		}
	}
	return true
}

func textOctets(s string) ([]byte, *fault) {
	var octets []byte
	var f *fault
	if strings.HasPrefix(s, `"`) {
		octets, f = unquoteText(s)
	} else {
		octets, f = unescape(nil, s)
	}
	if f == nil && len(octets) > maxText {
		f = &fault{"is longer than a DNS message can carry", "write at most 65000 octets"}
	}
	return octets, f
}

// unquoteText reads zone-file form: character-strings, quoted or not, with
// white space between, joined.
func unquoteText(s string) ([]byte, *fault) {
	var octets []byte
	for s = strings.TrimLeft(s, " \t"); s != ""; s = strings.TrimLeft(s, " \t") {
		token, rest, f := cutCharacterString(s)
		if f != nil {
			return nil, f
		}
		if octets, f = unescape(octets, token); f != nil {
			return nil, f
		}
		s = rest
	}
	return octets, nil
}

// cutCharacterString cuts the first character-string off s, without its
// quotes, its escapes kept.
func cutCharacterString(s string) (token, rest string, f *fault) {
	stop := " \t\""
	quoted := s[0] == '"'
	if quoted {
		s, stop = s[1:], `"`
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
			continue
		}
		if strings.IndexByte(stop, s[i]) < 0 {
			continue
		}
		if quoted {
			return s[:i], s[i+1:], nil
		}
		return s[:i], s[i:], nil
	}
	if quoted {
		return "", "", &fault{"has a quote that is not closed", `close it, or write \" for a text that starts with a quote`}
	}
	return s, "", nil
}

// unescape appends the octets that s stands for: \DDD is an octet in decimal,
// a backslash before anything else is that octet itself (RFC 1035, section 5.1).
func unescape(octets []byte, s string) ([]byte, *fault) {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			octets = append(octets, s[i])
			continue
		}
		i++
		switch {
		case i == len(s):
			return nil, &fault{"ends in a lone backslash", `write \\ for a backslash`}
		case s[i] < '0' || s[i] > '9':
			octets = append(octets, s[i])
		default:
			n, err := strconv.ParseUint(s[i:min(i+3, len(s))], 10, 8)
			if err != nil || i+3 > len(s) {
				return nil, &fault{"has an escape that is no octet", `write \DDD with three digits from 000 to 255, or \\ for a backslash`}
			}
			octets = append(octets, byte(n))
			i += 2
		}
	}
	return octets, nil
}

// encodeText writes octets in the canonical form of RRset.Data.
func encodeText(octets []byte) string {
	var b strings.Builder
	b.Grow(len(octets))
	if len(octets) > 0 && octets[0] == '"' {
		b.WriteByte('\\')
	}
	for i := 0; i < len(octets); {
		r, size := utf8.DecodeRune(octets[i:])
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r == utf8.RuneError && size == 1, !unicode.IsPrint(r):
			for _, o := range octets[i : i+size] {
				writeOctet(&b, o)
			}
		default:
			b.Write(octets[i : i+size])
		}
		i += size
	}
	return b.String()
}

func writeOctet(b *strings.Builder, o byte) {
	b.WriteByte('\\')
	b.WriteByte('0' + o/100)
	b.WriteByte('0' + o/10%10)
	b.WriteByte('0' + o%10)
}

// chunks cuts octets into character-strings, each escaped as miekg/dns wants
// them: at least one, since a TXT record is never empty.
func chunks(octets []byte) []string {
	var out []string
	for {
		n := min(len(octets), maxChunk)
		out = append(out, escapeChunk(octets[:n]))
		if octets = octets[n:]; len(octets) == 0 {
			return out
		}
	}
}

func escapeChunk(octets []byte) string {
	var b strings.Builder
	b.Grow(len(octets))
	for _, o := range octets {
		switch {
		case o == '"' || o == '\\':
			b.WriteByte('\\')
			b.WriteByte(o)
		case o < ' ' || o > '~':
			writeOctet(&b, o)
		default:
			b.WriteByte(o)
		}
	}
	return b.String()
}
