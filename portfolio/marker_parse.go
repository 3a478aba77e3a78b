package portfolio

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// MarkerError says that the TXT RRset at _domherre is no marker that this
// version can read.
type MarkerError struct {
	Value  string // the value at fault, as found
	Reason string
}

func (e *MarkerError) Error() string {
	return fmt.Sprintf("the marker %q can't be read: %s", e.Value, e.Reason)
}

// ParseMarker reads the TXT values at _domherre, in any order. Several values
// of one portfolio add up; those of two portfolios are an error. The error is
// a *MarkerError.
func ParseMarker(values []string) (Marker, error) {
	var m Marker
	for _, value := range values {
		if err := m.parseValue(value); err != nil {
			return Marker{}, err
		}
	}
	m.Owned = tidyOwned(m.Owned)
	return m, nil
}

func (m *Marker) parseValue(value string) error {
	fail := func(reason string) error { return &MarkerError{Value: value, Reason: reason} }
	version, rest, _ := strings.Cut(value, " ")
	switch {
	case !strings.HasPrefix(version, markerFamily):
		return fail("it is not from domherre")
	case version != markerVersion:
		return fail("it is from another version of domherre")
	}
	id, rest, _ := strings.Cut(rest, " ")
	id, ok := strings.CutPrefix(id, "p=")
	if !ok || !isHex(id, markerIDLen) {
		return fail("it names no portfolio")
	}
	if m.Portfolio != "" && m.Portfolio != id {
		return fail("it stands beside the marker of another portfolio, " + m.Portfolio)
	}
	m.Portfolio = id
	if m.Owned == nil && rest != "" {
		m.Owned = make([]Owned, 0, 1+strings.Count(rest, ",")+strings.Count(rest, " "))
	}
	hashes := make([]string, 0, strings.Count(rest, "+"))
	for rest != "" {
		var entry string
		if entry, rest, _ = strings.Cut(rest, " "); entry == "" {
			continue
		}
		if hashes, ok = m.parseEntry(entry, hashes); !ok {
			return fail(fmt.Sprintf("%q is no entry of a marker", entry))
		}
	}
	return nil
}

// parseEntry adds one owner name with its types. The hashes of all entries
// share one slice, which it gives back grown.
func (m *Marker) parseEntry(entry string, hashes []string) ([]string, bool) {
	escaped, items, ok := strings.Cut(entry, ":")
	name, good := unescapeOwner(escaped)
	if !ok || !good {
		return hashes, false
	}
	for more := true; more; {
		var item string
		item, items, more = strings.Cut(items, ",")
		typ, list, shared := strings.Cut(item, "+")
		if !isType(typ) || shared != (typ == "TXT") {
			return hashes, false
		}
		o := Owned{Key: Key{name, typ}}
		if shared {
			start := len(hashes)
			for another := true; another; {
				var h string
				if h, list, another = strings.Cut(list, "+"); !isHex(h, markerHashLen) {
					return hashes, false
				}
				hashes = append(hashes, h)
			}
			o.Values = slices.Clip(hashes[start:])
		}
		m.Owned = append(m.Owned, o)
	}
	return hashes, true
}

// tidyOwned sorts and merges entries of one key; owned may be changed.
func tidyOwned(owned []Owned) []Owned {
	ordered := slices.IsSortedFunc(owned, func(a, b Owned) int {
		return max(compareKeys(a.Key, b.Key)*2+1, -1) // equal keys count as unsorted
	})
	if ordered && !slices.ContainsFunc(owned, func(o Owned) bool { return len(o.Values) > 1 }) {
		return owned
	}
	slices.SortStableFunc(owned, func(a, b Owned) int { return compareKeys(a.Key, b.Key) })
	out := owned[:0]
	for _, o := range owned {
		if n := len(out); n > 0 && out[n-1].Key == o.Key {
			o.Values = slices.Concat(out[n-1].Values, o.Values)
			out = out[:n-1]
		}
		if len(o.Values) > 1 {
			o.Values = slices.Compact(slices.Sorted(slices.Values(o.Values)))
		}
		out = append(out, o)
	}
	return out
}

func isHex(s string, length int) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == length
}

func isType(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != ""
}

func plainOwnerByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-_*@.", c) >= 0
}

func escapeOwner(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; plainOwnerByte(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// unescapeOwner takes only what escapeOwner writes, so that a name has one spelling.
func unescapeOwner(s string) (name string, ok bool) {
	if strings.IndexByte(s, '%') < 0 {
		for i := range len(s) {
			if !plainOwnerByte(s[i]) {
				return "", false
			}
		}
		return s, s != ""
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) {
				return "", false
			}
			raw, err := hex.DecodeString(s[i+1 : i+3])
			if err != nil {
				return "", false
			}
			c, i = raw[0], i+2
		}
		b.WriteByte(c)
	}
	return b.String(), escapeOwner(b.String()) == s
}
