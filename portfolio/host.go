package portfolio

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"
)

// canonicalOwner gives an owner name relative to zone. It bears with whatever
// a zone may hold (RFC 2181, section 11), unlike ParseOwner.
func canonicalOwner(zone Name, name string) (string, *fault) {
	if name == "" {
		return "", &fault{"has no name", `write "@" for the domain itself`}
	}
	if name == "@" {
		return name, nil
	}
	if !isASCII(name) {
		var f *fault
		if name, f = hostASCII(name); f != nil {
			return "", f
		}
	}
	absolute := name
	if !dns.IsFqdn(name) {
		absolute = name + "." + zone.FQDN()
	}
	absolute, f := wireName(absolute)
	if f != nil {
		return "", f
	}
	owner, ok := zone.Relative(absolute)
	if !ok {
		return "", &fault{fmt.Sprintf("lies outside the zone %s", zone), "write the name relative to the zone"}
	}
	return owner, nil
}

// wireName gives the absolute name in lower case with canonical escapes.
func wireName(name string) (string, *fault) {
	if isPlainName(name) && len(name) <= 254 {
		return name, nil
	}
	var wire [256]byte
	n, err := dns.PackDomainName(name, wire[:], 0, nil, false)
	if err != nil || n > 255 {
		return "", &fault{"has a name with an empty label, one over 63 octets, or over 255 octets in all", "shorten it"}
	}
	name, _, err = dns.UnpackDomainName(wire[:n], 0)
	if err != nil {
		return "", &fault{"has a name that can't be written: " + err.Error(), ""}
	}
	return lowerASCII(name), nil
}

// isPlainName tells absolute names that are canonical as they stand.
func isPlainName(name string) bool {
	label := 0
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.':
			if label == 0 || label > 63 {
				return false
			}
			label = 0
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '*':
			label++
		default:
			return false
		}
	}
	return label == 0 && name != ""
}

// hostASCII turns the U-labels of a name into A-labels and leaves other labels
// as they are.
func hostASCII(name string) (string, *fault) {
	labels := strings.Split(name, ".")
	for i, label := range labels {
		if isASCII(label) {
			continue
		}
		ascii, err := idna.Lookup.ToASCII(label)
		if err != nil || strings.Contains(ascii, ".") {
			return "", &fault{fmt.Sprintf("has the label %q, which is no label of a domain name", label), "write text in quotes"}
		}
		labels[i] = ascii
	}
	return strings.Join(labels, "."), nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// lowerASCII lower-cases A to Z only: names compare that way (RFC 4343), and
// Unicode's rules would make the Kelvin sign a k.
func lowerASCII(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
