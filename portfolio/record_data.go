package portfolio

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// relativeOrigin marks, while data is read, the names that were written
// without a trailing dot. Its one octet is a control character, which nobody
// writes in a name.
const relativeOrigin = `\001.`

// canonicalData gives the canonical form of one value as written.
func canonicalData(zone Name, t rrtype, s string) (string, *fault) {
	if t.isText() {
		return canonicalText(s)
	}
	s = strings.Trim(s, " \t")
	if t.code == dns.TypeA || t.code == dns.TypeAAAA {
		if !strings.HasPrefix(s, `\#`) {
			addr, f := parseAddress(t, s)
			if f != nil {
				return "", f
			}
			return addr.String(), nil
		}
	}
	s, f := cleanData(s)
	if f != nil {
		return "", f
	}
	rr, f := parseData(t, s, relativeOrigin)
	if f != nil {
		return "", f
	}
	f = eachName(rr, func(name string) (string, *fault) { return absoluteTarget(zone, name) })
	if f != nil {
		return "", f
	}
	data, err := dataOf(rr)
	if err != nil {
		return "", dataFault(t, err)
	}
	return data, nil
}

func parseAddress(t rrtype, s string) (netip.Addr, *fault) {
	addr, err := netip.ParseAddr(s)
	switch {
	case err != nil || addr.Zone() != "":
		if t.code == dns.TypeA {
			return addr, &fault{"is not an IPv4 address", "write it like 192.0.2.10"}
		}
		return addr, &fault{"is not an IPv6 address", "write it like 2001:db8::10"}
	case addr.Is4() && t.code == dns.TypeAAAA:
		return addr, &fault{"is an IPv4 address", "write it under type A"}
	case addr.Is6() && t.code == dns.TypeA:
		return addr, &fault{"is an IPv6 address", "write it under type AAAA"}
	}
	return addr, nil
}

// cleanData refuses what would end the data early in a zone file, and turns
// names with U-labels into A-labels.
func cleanData(s string) (string, *fault) {
	plain := true
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' && c != '\t' || c == 0x7f:
			return "", &fault{fmt.Sprintf("has the control character U+%04X", c), "write each value on one line"}
		case c == ';' || c == '"' || c == '\\' || c > '~':
			plain = false
		}
	}
	if plain {
		return s, nil
	}
	var b strings.Builder
	for s != "" {
		n, f := nextPart(s)
		if f != nil {
			return "", f
		}
		part := s[:n]
		if part[0] != '"' && !isASCII(part) && !strings.Contains(part, "=") {
			if part, f = hostASCII(part); f != nil {
				return "", f
			}
		}
		b.WriteString(part)
		s = s[n:]
	}
	return b.String(), nil
}

// nextPart gives the length of the first part of s: white space, a quoted
// string with its quotes, or what stands between them.
func nextPart(s string) (int, *fault) {
	if s[0] == '"' {
		token, _, f := cutCharacterString(s)
		return len(token) + 2, f
	}
	blank := s[0] == ' ' || s[0] == '\t'
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case (c == ' ' || c == '\t') != blank, c == '"':
			return i, nil
		case c == ';':
			return 0, &fault{"has a semicolon outside quotes, which starts a comment", `write it in quotes, like 0 issue ";"`}
		case c == '\\':
			i++
		}
	}
	return len(s), nil
}

// parseData reads data of one record; its owner is the root.
func parseData(t rrtype, s, origin string) (dns.RR, *fault) {
	line := ". 0 IN " + t.name + " " + s + "\n"
	zp := dns.NewZoneParser(strings.NewReader(line), origin, "")
	rr, ok := zp.Next()
	if err := zp.Err(); err != nil {
		return nil, dataFault(t, err)
	}
	if !ok || rr.Header().Rrtype != t.code {
		return nil, dataFault(t, errors.New("no data"))
	}
	if strings.HasPrefix(s, `\#`) {
		escapeOctets(rr)
	}
	return rr, nil
}

func dataFault(t rrtype, err error) *fault {
	detail := strings.TrimPrefix(err.Error(), "dns: ")
	detail, _, _ = strings.Cut(detail, " at line: ")
	f := &fault{reason: fmt.Sprintf("is no data of type %s (%s)", t.name, detail)}
	if example := t.example(); example != "" {
		f.hint = "write it like " + example
	}
	return f
}

// absoluteTarget makes a name that was read with relativeOrigin absolute.
func absoluteTarget(zone Name, name string) (string, *fault) {
	if name == relativeOrigin {
		return zone.FQDN(), nil
	}
	written, relative := strings.CutSuffix(name, "."+relativeOrigin)
	if !relative {
		return name, nil
	}
	if !strings.Contains(written, ".") {
		return "", &fault{
			fmt.Sprintf("has the target %q without a dot", written),
			fmt.Sprintf("write %s.%s, or %s. for a top-level domain", written, zone.FQDN(), written),
		}
	}
	return written + ".", nil
}
