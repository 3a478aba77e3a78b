package portfolio

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// MarkerName is the owner name of the marker, relative to its zone.
const MarkerName = "_domherre"

// MarkerKey is the marker's place in its zone.
var MarkerKey = Key{MarkerName, "TXT"}

// markerTTL suits every provider's floor; a marker is read from the provider,
// hardly ever from a cache.
const markerTTL = 3600

const (
	markerVersion  = "v=domherre1"
	markerFamily   = "v=domherre"
	markerMaxValue = 255 // octets of a TXT character-string (RFC 1035, section 3.3)
	markerIDLen    = 16  // hex digits
	markerHashLen  = 12  // hex digits
)

// Marker is the content of the TXT RRset at _domherre.<zone>: which portfolio
// manages the zone, and which RRsets in it are its own. The zero Marker stands
// for a zone that nobody has marked.
//
// It is written as one or more TXT values, each of which can be read by itself:
//
//	v=domherre1 p=5f0c1e6a9d3b7788 @:A,AAAA,MX,TXT+3f9a0c11d2e4 www:A
//
// p is MarkerID of the portfolio. The rest are owner names with the types that
// are ours there; octets outside a-z, 0-9 and "-_*@." are written as %XX. Of a
// TXT RRset, which others may share, each value of ours is listed by a hash.
// A value is at most 255 octets long, unless a single entry is longer.
type Marker struct {
	Portfolio string  // MarkerID of the portfolio
	Owned     []Owned // in the order of SortRRsets, without duplicates
}

// Owned is one RRset of ours.
type Owned struct {
	Key
	Values []string // for TXT: hashes of the values that are ours, sorted; else nil, and the whole RRset is ours
}

// MarkerID is the opaque id by which a marker names a portfolio: the zone is
// public, and the campaign's name stays out of it.
func MarkerID(portfolio string) string {
	sum := sha256.Sum256([]byte("domherre portfolio " + portfolio))
	return hex.EncodeToString(sum[:markerIDLen/2])
}

// IsZero reports whether nobody has marked the zone.
func (m Marker) IsZero() bool { return m.Portfolio == "" }

// Equal reports whether m and o say the same.
func (m Marker) Equal(o Marker) bool {
	return m.Portfolio == o.Portfolio && slices.EqualFunc(m.Owned, o.Owned, func(a, b Owned) bool {
		return a.Key == b.Key && slices.Equal(a.Values, b.Values)
	})
}

// Find gives the entry at k.
func (m Marker) Find(k Key) (Owned, bool) {
	i, ok := slices.BinarySearchFunc(m.Owned, k, func(o Owned, k Key) int { return compareKeys(o.Key, k) })
	if !ok {
		return Owned{}, false
	}
	return m.Owned[i], true
}

// union is what holds between two markers: all that either lists.
func (m Marker) union(o Marker) Marker {
	if m.Portfolio == "" {
		m.Portfolio = o.Portfolio
	}
	m.Owned = tidyOwned(slices.Concat(m.Owned, o.Owned))
	return m
}

// RRset is the TXT RRset that says m; m must not be zero.
func (m Marker) RRset() RRset {
	head := markerVersion + " p=" + m.Portfolio
	values := []string{}
	line := head
	flush := func() {
		if line != head {
			values = append(values, line)
		}
		line = head
	}
	for i := 0; i < len(m.Owned); {
		entry, n := markerEntry(m.Owned[i:], markerMaxValue-len(head)-1)
		if len(line)+1+len(entry) > markerMaxValue {
			flush()
		}
		line += " " + entry
		i += n
	}
	flush()
	if len(values) == 0 {
		values = append(values, head)
	}
	slices.Sort(values)
	return RRset{Name: MarkerName, Type: "TXT", TTL: markerTTL, Data: values}
}

// markerEntry writes the first n of owned, all of one name, within room octets
// where that is possible.
func markerEntry(owned []Owned, room int) (entry string, n int) {
	var b strings.Builder
	b.WriteString(escapeOwner(owned[0].Name))
	separator := ":"
	for _, o := range owned {
		item := o.Type
		for _, v := range o.Values {
			item += "+" + v
		}
		if o.Name != owned[0].Name || n > 0 && b.Len()+1+len(item) > room {
			break
		}
		b.WriteString(separator)
		b.WriteString(item)
		separator = ","
		n++
	}
	return b.String(), n
}

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
	for entry := range strings.SplitSeq(rest, " ") {
		if entry == "" {
			continue
		}
		var ok bool
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
	for item := range strings.SplitSeq(items, ",") {
		typ, list, shared := strings.Cut(item, "+")
		if !isType(typ) || shared != (typ == "TXT") {
			return hashes, false
		}
		o := Owned{Key: Key{name, typ}}
		if shared {
			start := len(hashes)
			for h := range strings.SplitSeq(list, "+") {
				if !isHex(h, markerHashLen) {
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

// hashValue is how a marker names one TXT value.
func hashValue(value string) string {
	h := rawHash(value)
	return string(h[:])
}

// ours reports whether the TXT value is one of ours.
func (o *Owned) ours(value string) bool {
	if o == nil || len(o.Values) == 0 {
		return false
	}
	h := rawHash(value)
	for _, v := range o.Values {
		if v == string(h[:]) {
			return true
		}
	}
	return false
}

func rawHash(value string) (h [markerHashLen]byte) {
	var stack [256]byte
	sum := sha256.Sum256(append(stack[:0], value...))
	hex.Encode(h[:], sum[:markerHashLen/2])
	return h
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
