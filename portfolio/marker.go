package portfolio

import (
	"crypto/sha256"
	"encoding/hex"
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
	return m.Portfolio == o.Portfolio && slices.EqualFunc(m.Owned, o.Owned, Owned.equal)
}

func (o Owned) equal(p Owned) bool { return o.Key == p.Key && slices.Equal(o.Values, p.Values) }

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
