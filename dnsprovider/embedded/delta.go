package embedded

import (
	"fmt"

	"github.com/miekg/dns"
)

// maxDeltas bounds how far back a zone's changes are kept. They also never have
// more records than the zone, beyond which a whole transfer is shorter.
const maxDeltas = 32

// delta is what made one serial of a zone into the next, as it was served, for
// incremental transfers (RFC 1995).
type delta struct {
	Serial uint32   `json:"serial"` // before
	SOA    string   `json:"soa"`    // before
	Gone   []string `json:"gone,omitempty"`
	New    []string `json:"new,omitempty"`
}

// deltas gives the changes that lead to next: those before old, and that from
// old to next.
func deltas(before []delta, old, next *zone) []delta {
	d := delta{Serial: old.serial, SOA: old.soa.String()}
	d.Gone, d.New = missingFrom(old.rrs, next.rrs), missingFrom(next.rrs, old.rrs)
	kept := append(before[:len(before):len(before)], d)
	records := 0
	for i := len(kept) - 1; i >= 0; i-- {
		records += len(kept[i].Gone) + len(kept[i].New) + 2
		if records > len(next.rrs) || len(kept)-i > maxDeltas {
			return kept[i+1:]
		}
	}
	return kept
}

// missingFrom gives the records that aren't among others.
func missingFrom(rrs, others []dns.RR) []string {
	there := make(map[string]bool, len(others))
	for _, rr := range others {
		there[rr.String()] = true
	}
	var out []string
	for _, rr := range rrs {
		if text := rr.String(); !there[text] {
			out = append(out, text)
		}
	}
	return out
}

// since gives what an incremental transfer from serial on says between its two
// SOAs; false where the changes from there aren't known.
func (z *zone) since(serial uint32) ([]dns.RR, bool) {
	for i, d := range z.changes {
		if d.Serial != serial {
			continue
		}
		rrs, err := z.sequence(z.changes[i:])
		return rrs, err == nil
	}
	return nil, false
}

// sequence is, for each change, the SOA before, what went, the SOA after, and
// what came (RFC 1995, section 4).
func (z *zone) sequence(changes []delta) ([]dns.RR, error) {
	var rrs []dns.RR
	for i, d := range changes {
		after := z.soa.String()
		if i+1 < len(changes) {
			after = changes[i+1].SOA
		}
		for _, part := range [][]string{{d.SOA}, d.Gone, {after}, d.New} {
			for _, text := range part {
				rr, err := dns.NewRR(text)
				if err != nil {
					return nil, fmt.Errorf("a change of zone %s can't be read: %w", z.apex, err)
				}
				rrs = append(rrs, rr)
			}
		}
	}
	return rrs, nil
}
