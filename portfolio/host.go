package portfolio

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// ParseHost reads the name of a host, such as a frontend's or a name server's,
// in either form and any case, into lower-case A-labels without a trailing
// dot: "www.xn--duavgr-0xa.se". The error is a *NameError.
func ParseHost(s string) (string, error) {
	host, f := parseHost(s)
	if f == nil && !strings.Contains(host, ".") && host != "localhost" {
		f = &fault{"has no dot", "write the whole name, such as " + unicodeOf(host) + ".kopasex.se"}
	}
	if f != nil {
		return "", &NameError{Input: s, Reason: f.reason, Hint: f.hint}
	}
	return host, nil
}

// ParseOwner reads an owner name relative to a zone, in either form and any
// case, into lower-case A-labels: "@" for the zone itself, "www", "*",
// "*.lab", "_dmarc". The error is a *NameError.
func ParseOwner(s string) (string, error) {
	owner, f := parseOwner(s)
	if f != nil {
		return "", &NameError{Input: s, Reason: f.reason, Hint: f.hint}
	}
	return owner, nil
}

func parseOwner(s string) (string, *fault) {
	switch {
	case s == "@":
		return s, nil
	case s == "":
		return "", &fault{"is empty", `write "@" for the domain itself`}
	case strings.HasSuffix(s, "."):
		return "", &fault{"ends in a dot", `write it relative to the domain, such as "www"`}
	}
	labels := strings.Split(s, ".")
	for i, label := range labels {
		if label == "*" && i == 0 {
			continue
		}
		var f *fault
		if labels[i], f = ownerLabel(label); f != nil {
			return "", f
		}
	}
	owner := strings.Join(labels, ".")
	if len(owner) > maxName {
		return "", &fault{fmt.Sprintf("has %d characters in its A-label form, more than %d", len(owner), maxName), "shorten it"}
	}
	return owner, nil
}

// ownerLabel is aLabel plus underscores, which name no host.
func ownerLabel(label string) (string, *fault) {
	switch {
	case label == "":
		return "", &fault{"has an empty label", "write one dot between labels, none before or behind them"}
	case strings.Contains(label, "*"):
		return "", &fault{`contains "*" where it is no wildcard`, `write "*" as the whole first label, such as "*" or "*.lab"`}
	case !strings.Contains(label, "_"):
		return aLabel(label)
	}
	for _, r := range label {
		if r == '_' {
			continue
		}
		if r >= 0x80 {
			return "", &fault{fmt.Sprintf("has a label with an underscore and %s", shown(r)), "write a to z, digits and hyphens beside an underscore"}
		}
		if f := checkRune(r); f != nil {
			return "", f
		}
	}
	if len(label) > maxLabel {
		return "", labelTooLong()
	}
	return lowerASCII(label), nil
}

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
		name = ownerASCII(name)
	}
	if !dns.IsFqdn(name) {
		name += "." + zone.FQDN()
	}
	name, f := wireName(name)
	if f != nil {
		return "", f
	}
	owner, ok := zone.Relative(name)
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
	if !dns.IsFqdn(name) {
		return "", &fault{fmt.Sprintf("has the relative name %q", name), "write it whole, with a trailing dot"}
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

// ownerASCII turns U-labels into A-labels, those too that no one may register:
// a provider that shows names in Unicode may show any.
func ownerASCII(name string) string {
	labels := strings.Split(name, ".")
	for i, label := range labels {
		if isASCII(label) || len(label) > maxLabel*utf8.UTFMax {
			continue
		}
		if ascii, f := aLabel(label); f == nil {
			labels[i] = ascii
		} else if ascii, err := idna.Punycode.ToASCII(norm.NFC.String(strings.ToLower(label))); err == nil {
			labels[i] = ascii
		}
	}
	return strings.Join(labels, ".")
}

// hostASCII turns the U-labels of a name into A-labels and leaves other labels
// as they are.
func hostASCII(name string) (string, *fault) {
	labels := strings.Split(name, ".")
	for i, label := range labels {
		if isASCII(label) {
			continue
		}
		var f *fault
		if labels[i], f = aLabel(label); f != nil {
			return "", f
		}
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
