package embedded

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// ListZones gives all zones, sorted.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	names, err := p.list(ctx)
	if err != nil {
		return nil, err
	}
	zones := make([]libdns.Zone, len(names))
	for i, name := range names {
		zones[i].Name = name.FQDN()
	}
	return zones, nil
}

// GetRecords gives all records of the zone but its SOA. A zone that isn't
// there is a zoneio.NoZone error.
func (p *Provider) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	name, err := parseZone(zone)
	if err != nil {
		return nil, err
	}
	z, err := p.ReadZone(ctx, name)
	if err != nil {
		return nil, err
	}
	if z.Missing {
		return nil, zoneio.As(zoneio.NoZone, fmt.Errorf("there is no zone %s", name))
	}
	return records(name, z.RRsets)
}

func records(name portfolio.Name, sets []portfolio.RRset) ([]libdns.Record, error) {
	recs := []libdns.Record{}
	for _, set := range sets {
		more, err := zoneio.Records(name, set)
		if err != nil {
			return nil, err
		}
		recs = append(recs, more...)
	}
	return recs, nil
}

// AppendRecords adds records to the zone, atomically, and creates the zone
// where it is missing. It gives the records as they stand then: one that was
// there already is given too, and one that joins others gets their TTL, since
// the records of an RRset share it (RFC 2181, section 5.2). A CNAME beside
// other records is refused.
func (p *Provider) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return p.put(ctx, zone, recs, func(old, added portfolio.RRset) portfolio.RRset {
		added.TTL = old.TTL
		added.Data = slices.Concat(old.Data, added.Data)
		return added
	})
}

// SetRecords replaces every RRset of which the input has a record, atomically,
// and creates the zone where it is missing. Of differing TTLs within one RRset
// the lowest stands. A CNAME beside other records is refused.
func (p *Provider) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return p.put(ctx, zone, recs, func(_, set portfolio.RRset) portfolio.RRset { return set })
}

// put stores the RRsets of recs, each merged with what stands at its place,
// and gives the records as they stand then.
func (p *Provider) put(ctx context.Context, zone string, recs []libdns.Record,
	merge func(old, given portfolio.RRset) portfolio.RRset,
) ([]libdns.Record, error) {
	name, err := parseZone(zone)
	if err != nil {
		return nil, err
	}
	given, err := rrsets(name, recs)
	if err != nil || len(given) == 0 {
		return nil, err
	}
	err = p.change(ctx, name, func(now portfolio.Zone) ([]portfolio.RRset, error) {
		sets := index(now.RRsets)
		for i, set := range given {
			old, was := sets[set.Key()]
			merged := set
			if was {
				merged = merge(old, set)
			}
			given[i].TTL = merged.TTL
			if sets[set.Key()], err = portfolio.NewRRset(name, merged.Name, merged.Type, merged.TTL, merged.Data); err != nil {
				return nil, err
			}
		}
		return sorted(sets), checkNames(sets)
	})
	if err != nil {
		return nil, err
	}
	return records(name, given)
}

// rrsets groups the records that a caller gave; unlike zoneio.RRsets it
// refuses what it can't hold.
func rrsets(name portfolio.Name, recs []libdns.Record) ([]portfolio.RRset, error) {
	for _, rec := range recs {
		r := rec.RR()
		code, ok := zoneio.TypeCode(r.Type)
		if !ok {
			return nil, zoneio.As(zoneio.Unsupported, fmt.Errorf("zone %s: %s has the type %q, which is no DNS type", name, r.Name, r.Type))
		}
		if madeHere(code) {
			return nil, zoneio.As(zoneio.Unsupported, fmt.Errorf("zone %s: %s %s can't be set; the embedded server makes it itself or has none", name, r.Name, r.Type))
		}
	}
	sets, err := zoneio.RRsets(name, recs)
	if err != nil {
		return nil, fmt.Errorf("zone %s: %w", name, err)
	}
	return sets, nil
}

// DeleteRecords deletes the records that match the input, atomically, and
// gives those that it deleted. An empty type, TTL or data matches any. In a
// zone that isn't there nothing matches.
func (p *Provider) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	name, err := parseZone(zone)
	if err != nil {
		return nil, err
	}
	patterns := make([]pattern, len(recs))
	for i, rec := range recs {
		if patterns[i], err = newPattern(name, rec.RR()); err != nil {
			return nil, fmt.Errorf("zone %s: %w", name, err)
		}
	}
	var gone []portfolio.RRset
	err = p.change(ctx, name, func(now portfolio.Zone) ([]portfolio.RRset, error) {
		gone = nil
		var stay []portfolio.RRset
		for _, set := range now.RRsets {
			kept, matched := split(set, patterns)
			if len(matched.Data) > 0 {
				gone = append(gone, matched)
			}
			if len(kept.Data) > 0 {
				stay = append(stay, kept)
			}
		}
		return stay, nil
	})
	if err != nil {
		return nil, err
	}
	return records(name, gone)
}

// split parts an RRset into what no pattern matches and what one does.
func split(set portfolio.RRset, patterns []pattern) (kept, matched portfolio.RRset) {
	kept, matched = set, set
	kept.Data, matched.Data = nil, nil
	for _, data := range set.Data {
		if slices.ContainsFunc(patterns, func(p pattern) bool { return p.matches(set, data) }) {
			matched.Data = append(matched.Data, data)
		} else {
			kept.Data = append(kept.Data, data)
		}
	}
	return kept, matched
}

// pattern is what a record given to DeleteRecords means.
type pattern struct {
	name, typ, data string // canonical; "" for any typ, any data
	ttl             time.Duration
}

func newPattern(name portfolio.Name, r libdns.RR) (pattern, error) {
	fqdn := zoneio.AbsoluteName(r.Name, name.FQDN())
	owner, ok := name.Relative(fqdn)
	if !ok {
		return pattern{}, fmt.Errorf("%s lies outside it", r.Name)
	}
	p := pattern{name: owner, ttl: r.TTL.Truncate(time.Second)}
	if r.Type == "" {
		if r.Data != "" {
			return pattern{}, fmt.Errorf("%s has data but no type", r.Name)
		}
		return p, nil
	}
	code, ok := zoneio.TypeCode(r.Type)
	if !ok {
		return pattern{}, fmt.Errorf("%s has the type %q, which is no DNS type", r.Name, r.Type)
	}
	p.typ = dns.Type(code).String()
	if r.Data == "" {
		return p, nil
	}
	rr, err := zoneio.ToRR(name.FQDN(), r)
	if err != nil {
		return pattern{}, err
	}
	sets, err := portfolio.RRsetsOf(name, []dns.RR{rr})
	if err != nil || len(sets) == 0 {
		return p, err
	}
	p.data = sets[0].Data[0]
	return p, nil
}

func (p pattern) matches(set portfolio.RRset, data string) bool {
	return p.name == set.Name && (p.typ == "" || p.typ == set.Type) &&
		(p.ttl == 0 || p.ttl == time.Duration(set.TTL)*time.Second) && (p.data == "" || p.data == data)
}

// madeHere tells the types that no caller can set.
func madeHere(code uint16) bool {
	switch code {
	case dns.TypeSOA, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3, dns.TypeNSEC3PARAM,
		dns.TypeDNSKEY, dns.TypeCDS, dns.TypeCDNSKEY:
		return true
	}
	return false
}
