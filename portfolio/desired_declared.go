package portfolio

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// declared lets the entry's own records win over the derived ones.
func (b *builder) declared() {
	for _, s := range mergeRRsets(b.d.DNS.Records) {
		if reason := notForRecords(s.Key()); reason != "" {
			b.fail("dns.records: %s %s %s", s.Name, s.Type, reason)
			return
		}
		if b.unsupported(s.Type, s.Data) {
			continue
		}
		s.TTL = b.f.TTL(cmp.Or(s.TTL, b.ttl))
		b.override(Want{RRset: s, Class: ClassDeclared})
	}
	b.keep = slices.DeleteFunc(b.keep, func(k Key) bool { return b.find(k) != nil })
}

// override puts w in the place of what was derived at its key.
func (b *builder) override(w Want) {
	if w.Type == "CNAME" && !slices.Contains(b.d.DNS.Hosts, w.Name) {
		// The alias answers for the mail lock too, say at "*".
		b.wants = slices.DeleteFunc(b.wants, func(x Want) bool { return x.Name == w.Name && x.Class == ClassMail })
	}
	derived := b.find(w.Key())
	if derived == nil {
		b.wants = append(b.wants, w)
		return
	}
	if w.Type == "TXT" {
		w.Lock = slices.DeleteFunc(slices.Clone(derived.Lock), func(v string) bool {
			return slices.ContainsFunc(w.Data, func(own string) bool { return sameSinglePolicy(w.Name, own, v) })
		})
		w.Data = sortedSet(slices.Concat(w.Lock, w.Data))
	}
	*derived = w
}

// mergeRRsets folds RRsets of one key into the first of them.
func mergeRRsets(sets []RRset) []RRset {
	var out []RRset
	for _, s := range sets {
		i := slices.IndexFunc(out, func(o RRset) bool { return o.Key() == s.Key() })
		if i < 0 {
			out = append(out, s)
			continue
		}
		out[i].TTL = cmp.Or(out[i].TTL, s.TTL)
		out[i].Data = sortedSet(slices.Concat(out[i].Data, s.Data))
	}
	return out
}

// notForRecords says why an entry can't declare records at k.
func notForRecords(k Key) string {
	switch {
	case k.Type == "SOA":
		return "is the provider's own: take it out"
	case k.Name == MarkerName || strings.HasSuffix(k.Name, "."+MarkerName):
		return "is where domherre marks what it manages: take it out"
	}
	return ""
}

// contradiction finds what no zone can hold: a CNAME beside other records of
// its name (RFC 2181, section 10.1), or at the apex.
func contradiction(zone Name, wants []Want) error {
	for i, w := range wants {
		if w.Type != "CNAME" {
			continue
		}
		if w.Name == "@" {
			return fmt.Errorf("%s: a CNAME can't stand at the apex, where the zone has its SOA and NS: declare A and AAAA records instead", zone)
		}
		if len(w.Data) > 1 {
			return fmt.Errorf("%s: %s has %d CNAMEs: keep one", zone, w.Name, len(w.Data))
		}
		for _, j := range []int{i - 1, i + 1} {
			if j >= 0 && j < len(wants) && wants[j].Name == w.Name {
				return fmt.Errorf("%s: %s can't have a CNAME and %s at once: take the CNAME out of dns.records, or %s out of %s",
					zone, w.Name, wants[j].Type, w.Name, wants[j].Class.source())
			}
		}
	}
	return nil
}

// source is where the config asks for an RRset of the class.
func (c Class) source() string {
	if c == ClassDeclared {
		return "the other dns.records"
	}
	return "dns.hosts"
}
