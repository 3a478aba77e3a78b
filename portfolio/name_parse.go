package portfolio

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

const (
	maxLabel = 63  // octets (RFC 1035, section 2.3.4)
	maxName  = 253 // characters without the trailing dot, which is 255 octets
)

// fault is a reason and a hint on their way into a NameError or RecordError.
type fault struct{ reason, hint string }

// ParseName reads a registrable domain name in either form, in any case, with
// or without a trailing dot.
//
// It takes what IDNA 2008 takes for look-up after the mapping of UTS 46, less
// what that mapping hides or confuses: emoji, mixed scripts, invisible and
// full-width characters, and, below .se and .nu, letters that the registry
// doesn't register. The error is a *NameError.
func ParseName(s string) (Name, error) {
	ascii, f := parseName(s)
	if f != nil {
		return Name{}, &NameError{Input: s, Reason: f.reason, Hint: f.hint}
	}
	return Name{ascii}, nil
}

func parseName(s string) (string, *fault) {
	ascii, f := parseHost(s)
	if f != nil {
		return "", f
	}
	if f := checkRegistrable(ascii); f != nil {
		return "", f
	}
	return ascii, checkRegistry(ascii)
}

// parseHost reads a host name of any depth into lower-case A-labels.
func parseHost(s string) (string, *fault) {
	host := strings.TrimSuffix(s, ".")
	if !isPlainHost(host) || strings.Contains(host, "xn--") {
		if f := checkKind(s); f != nil {
			return "", f
		}
		var f *fault
		if host, f = hostLabels(host); f != nil {
			return "", f
		}
	}
	top := host[strings.LastIndexByte(host, '.')+1:]
	if strings.Trim(top, "0123456789") == "" {
		if isAddress(host) {
			return "", &fault{"is an IP address", exampleHint}
		}
		return "", &fault{"ends in a number, which no top-level domain does", exampleHint}
	}
	return host, nil
}

const exampleHint = "write a name such as kopasex.se"

// isPlainHost tells dotted lower-case LDH labels, which need no conversion.
func isPlainHost(s string) bool {
	if len(s) > maxName {
		return false
	}
	start := 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == '.' {
			if !isPlainLabel(s[start:i]) {
				return false
			}
			start = i + 1
		}
	}
	return true
}

func isPlainLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	if len(s) > 3 && s[2:4] == "--" && s[:2] != "xn" {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// checkKind refuses what is another kind of thing than a name, before its
// characters are looked at.
func checkKind(s string) *fault {
	switch {
	case s == "" || s == ".":
		return &fault{"is empty", exampleHint}
	case !utf8.ValidString(s):
		return &fault{"is not valid UTF-8", "save the file as UTF-8"}
	case isAddress(s):
		return &fault{"is an IP address", exampleHint}
	case strings.Contains(s, "://"):
		return &fault{"is a URL", suggestion(s)}
	case strings.Contains(s, "@"):
		return &fault{"is an e-mail address", suggestion(s)}
	case strings.ContainsAny(s, `/\?#`):
		return &fault{"is a URL", suggestion(s)}
	case strings.Contains(s, ":"):
		return &fault{"has a port", suggestion(s)}
	case strings.HasPrefix(s, "*."):
		return &fault{"is a wildcard", suggestion(s) + `; "*" is added by dns.hosts`}
	}
	return nil
}

func isAddress(s string) bool {
	s = strings.TrimSuffix(s, ".")
	bare := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	if _, err := netip.ParseAddr(bare); err == nil {
		return true
	}
	if _, err := netip.ParseAddrPort(s); err == nil {
		return true
	}
	_, err := netip.ParsePrefix(s)
	return err == nil
}

// suggestion says which domain to write instead of a URL, an address or the
// like.
func suggestion(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	s = strings.TrimLeft(s, "/")
	if i := strings.IndexAny(s, `/\?#`); i >= 0 {
		s = s[:i]
	}
	s = s[strings.LastIndexByte(s, '@')+1:]
	s, _, _ = strings.Cut(s, ":")
	s = strings.TrimPrefix(strings.TrimSuffix(s, "."), "*.")
	ascii, f := hostLabels(s)
	if f != nil {
		return exampleHint
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(ascii)
	if err != nil {
		return exampleHint
	}
	return "write " + unicodeOf(domain)
}

// hostLabels turns a dotted name, without its trailing dot, into A-labels.
func hostLabels(s string) (string, *fault) {
	labels := strings.Split(s, ".")
	for i, label := range labels {
		if label == "" {
			return "", &fault{"has an empty label", "write one dot between labels, none before or behind them"}
		}
		var f *fault
		if labels[i], f = aLabel(label); f != nil {
			return "", f
		}
	}
	name := strings.Join(labels, ".")
	if len(name) > maxName {
		return "", &fault{fmt.Sprintf("has %d characters in its A-label form, more than %d", len(name), maxName), "shorten it"}
	}
	// Right-to-left labels have rules that hold for the name as a whole.
	if whole, err := idna.Lookup.ToASCII(name); err != nil || whole != name {
		return "", idnaFault(err)
	}
	return name, nil
}

// checkRegistrable wants exactly one label more than the public suffix.
func checkRegistrable(ascii string) *fault {
	suffix, icann := publicsuffix.PublicSuffix(ascii)
	switch {
	case suffix == ascii && !icann && !strings.Contains(ascii, "."):
		return &fault{"has no top-level domain", "write the whole name, such as " + unicodeOf(ascii) + ".se"}
	case suffix == ascii:
		return &fault{"is a public suffix, not a domain", "write a name below it, such as kopasex." + unicodeOf(ascii)}
	}
	above := strings.TrimSuffix(ascii, "."+suffix)
	i := strings.LastIndexByte(above, '.')
	if i < 0 {
		return nil
	}
	owner, domain := above[:i], unicodeOf(ascii[i+1:])
	f := &fault{reason: "is a host of " + domain}
	if owner == "www" {
		f.hint = "write " + domain + "; www is added by dns.hosts"
	} else {
		f.hint = fmt.Sprintf("write %s and list %q in its dns.hosts", domain, unicodeOf(owner))
	}
	return f
}
