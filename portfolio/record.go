package portfolio

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Key names an RRset within a zone.
type Key struct {
	Name string // owner name relative to the zone: "@", "www", "*", "_dmarc"
	Type string // "A", "TXT", …
}

// RRset is the unit of all comparison: all records of one owner name and type.
// Values come from NewRRset, which makes them canonical, so that two spellings
// of one record are equal.
type RRset struct {
	Name string   `json:"name"` // as Key.Name: lower-case A-labels relative to the zone
	Type string   `json:"type"`
	TTL  uint32   `json:"ttl"`  // seconds
	Data []string `json:"data"` // canonical RDATA, sorted, without duplicates
}

// Key gives the RRset's place in its zone.
func (s RRset) Key() Key { return Key{s.Name, s.Type} }

func (s RRset) equal(o RRset) bool {
	return s.Name == o.Name && s.Type == o.Type && s.TTL == o.TTL && slices.Equal(s.Data, o.Data)
}

// Zone is what a provider holds for one domain.
type Zone struct {
	Name    Name
	Missing bool    // the provider has no such zone
	RRsets  []RRset // canonical, in SortRRsets order, without the SOA
	Serial  uint32  // of the SOA; 0 where the provider doesn't tell
}

// MaxTTL is the longest time to live, in seconds (RFC 2181, section 8).
const MaxTTL = 1<<31 - 1

// RecordError says why a record can't be, and what to write instead.
type RecordError struct {
	Name   string // owner name, as written
	Type   string // as written
	Data   string // the value at fault; empty where the fault lies elsewhere
	Reason string // "is not an IPv4 address"
	Hint   string // what to write instead; may be empty
}

func (e *RecordError) Error() string {
	if e.Data == "" {
		return fmt.Sprintf("record %s %s %s", e.Name, e.Type, e.Reason)
	}
	return fmt.Sprintf("record %s %s: %q %s", e.Name, e.Type, e.Data, e.Reason)
}

// NewRRset makes the canonical RRset of name (relative to zone, or absolute
// with a trailing dot) and typ, which may be written in any case or as TYPEnnn
// (RFC 3597).
//
// data is RDATA in presentation form (RFC 1035, section 5.1), with one
// exception: TXT and SPF data is the text itself, see RRset. Names in it are
// absolute, with or without a trailing dot; "@" is the zone; U-labels become
// A-labels. The error is a *RecordError.
func NewRRset(zone Name, name, typ string, ttl uint32, data []string) (RRset, error) {
	fail := func(value string, f *fault) (RRset, error) {
		return RRset{}, &RecordError{Name: name, Type: typ, Data: value, Reason: f.reason, Hint: f.hint}
	}
	t, f := parseType(typ)
	if f != nil {
		return fail("", f)
	}
	owner, f := canonicalOwner(zone, name)
	if f != nil {
		return fail("", f)
	}
	if ttl > MaxTTL {
		return fail("", &fault{fmt.Sprintf("has a TTL of %d seconds", ttl), "write at most 2147483647 seconds"})
	}
	if len(data) == 0 {
		return fail("", &fault{"has no data", "write at least one value"})
	}
	set := RRset{Name: owner, Type: t.name, TTL: ttl, Data: make([]string, len(data))}
	for i, value := range data {
		if set.Data[i], f = canonicalData(zone, t, value); f != nil {
			return fail(value, f)
		}
	}
	set.tidy()
	if t.single() && len(set.Data) > 1 {
		return fail("", &fault{"has more than one value", "keep one; a name has at most one " + t.name})
	}
	return set, nil
}

// tidy sorts the data and drops duplicates.
func (s *RRset) tidy() {
	slices.Sort(s.Data)
	s.Data = slices.Compact(s.Data)
}

// SortRRsets sorts in place: the apex first, then by name, then by type.
func SortRRsets(sets []RRset) { slices.SortFunc(sets, compareRRsets) }

func compareRRsets(a, b RRset) int { return compareKeys(a.Key(), b.Key()) }

func compareOwners(a, b string) int {
	if a == b {
		return 0
	}
	if a == "@" {
		return -1
	}
	if b == "@" {
		return 1
	}
	return strings.Compare(a, b)
}

// Find gives the RRset at k.
func (z Zone) Find(k Key) (RRset, bool) {
	for _, s := range z.RRsets {
		if s.Name == k.Name && s.Type == k.Type {
			return s, true
		}
	}
	return RRset{}, false
}

// Digest is "sha256:…" over the zone's content: equal exactly for zones with
// the same records. The serial isn't part of it, since signing moves it while
// the records stay.
func (z Zone) Digest() string {
	var stack [2048]byte // a usual zone fits
	b := appendString(stack[:0], z.Name.ascii)
	if z.Missing {
		b = appendNumber(b, 1)
	} else {
		b = appendNumber(b, 0)
	}
	b = appendNumber(b, len(z.RRsets))
	for i := range z.RRsets {
		s := &z.RRsets[i]
		b = appendString(b, s.Name)
		b = appendString(b, s.Type)
		b = appendNumber(b, int(s.TTL))
		b = appendNumber(b, len(s.Data))
		for _, d := range s.Data {
			b = appendString(b, d)
		}
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// appendString puts the length first, so that no two lists give the same bytes.
func appendString(b []byte, s string) []byte {
	return append(appendNumber(b, len(s)), s...)
}

func appendNumber(b []byte, n int) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(n))
}
