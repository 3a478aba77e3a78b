package portfolio

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// Name is a registrable domain name: one label below a public suffix
// (RFC 9499). It is held as lower-case A-labels (RFC 5890) without a trailing
// dot and is comparable, so it can key a map. The zero Name is no name.
type Name struct{ ascii string }

// NameError says why a string is not a name, and what to write instead.
type NameError struct {
	Input  string // as written
	Reason string // "is a public suffix, not a domain"
	Hint   string // what to write instead; may be empty
}

func (e *NameError) Error() string { return fmt.Sprintf("%q %s", e.Input, e.Reason) }

// ASCII gives the A-label form, "xn--kpasex-wxa.example".
func (n Name) ASCII() string { return n.ascii }

// FQDN gives the A-label form with the trailing dot.
func (n Name) FQDN() string { return n.ascii + "." }

// Unicode gives the U-label form, "köpasex.example".
func (n Name) Unicode() string { return unicodeOf(n.ascii) }

// unicodeOf decodes the A-labels of a name that was checked before.
func unicodeOf(ascii string) string {
	if !strings.Contains(ascii, "xn--") {
		return ascii
	}
	u, err := idna.Punycode.ToUnicode(ascii)
	if err != nil {
		return ascii
	}
	return u
}

// String shows both forms where they differ: "köpasex.example (xn--…)".
func (n Name) String() string {
	if u := n.Unicode(); u != n.ascii {
		return u + " (" + n.ascii + ")"
	}
	return n.ascii
}

// Compare orders names by their A-labels.
func (n Name) Compare(m Name) int { return strings.Compare(n.ascii, m.ascii) }

// IsZero reports whether n is no name.
func (n Name) IsZero() bool { return n.ascii == "" }

// Host gives the absolute host name, without a trailing dot, of an owner name
// relative to n: "@" is n itself, "www" is www.n.
func (n Name) Host(owner string) string {
	if owner == "@" {
		return n.ascii
	}
	return owner + "." + n.ascii
}

// Relative gives the owner name of host relative to n ("@" for n itself) and
// whether host lies at or below n, at a label boundary: "notkopasex.se" does
// not lie below "kopasex.se". host is ASCII and may end in a dot.
func (n Name) Relative(host string) (string, bool) {
	host = lowerASCII(strings.TrimSuffix(host, "."))
	if n.IsZero() {
		return "", false
	}
	if host == n.ascii {
		return "@", true
	}
	owner, ok := strings.CutSuffix(host, "."+n.ascii)
	if !ok || owner == "" {
		return "", false
	}
	// A dot behind an odd number of backslashes belongs to its label.
	escapes := len(owner) - len(strings.TrimRight(owner, `\`))
	if escapes%2 == 1 {
		return "", false
	}
	return owner, true
}

// MarshalText writes the A-label form; the zero Name is empty.
func (n Name) MarshalText() ([]byte, error) { return []byte(n.ascii), nil }

// UnmarshalText reads what MarshalText wrote. It checks the form only, not the
// list of public suffixes nor the registries' tables: those change, and what
// was stored under an older one must stay readable. For what people wrote use
// ParseName.
func (n *Name) UnmarshalText(b []byte) error {
	s := string(b)
	if s != "" && !isPlainHost(s) {
		return &NameError{Input: s, Reason: "is not a name in lower-case A-labels"}
	}
	n.ascii = s
	return nil
}
