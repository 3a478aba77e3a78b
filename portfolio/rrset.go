package portfolio

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/miekg/dns"
)

// Records gives the RRset's records with absolute owner names, texts cut into
// character-strings of at most 255 octets.
func (s RRset) Records(zone Name) ([]dns.RR, error) {
	t, f := parseType(s.Type)
	if f != nil {
		return nil, &RecordError{Name: s.Name, Type: s.Type, Reason: f.reason, Hint: f.hint}
	}
	header := dns.RR_Header{Name: zone.Host(s.Name) + ".", Rrtype: t.code, Class: dns.ClassINET, Ttl: s.TTL}
	rrs := make([]dns.RR, len(s.Data))
	for i, data := range s.Data {
		rr, f := recordOf(t, data)
		if f != nil {
			return nil, &RecordError{Name: s.Name, Type: s.Type, Data: data, Reason: f.reason, Hint: f.hint}
		}
		*rr.Header() = header
		rrs[i] = rr
	}
	return rrs, nil
}

// recordOf reads canonical data.
func recordOf(t rrtype, data string) (dns.RR, *fault) {
	switch t.code {
	case dns.TypeA, dns.TypeAAAA:
		addr, f := parseAddress(t, data)
		if f != nil {
			return nil, f
		}
		if t.code == dns.TypeA {
			return &dns.A{A: addr.AsSlice()}, nil
		}
		return &dns.AAAA{AAAA: addr.AsSlice()}, nil
	case dns.TypeTXT, dns.TypeSPF:
		octets, f := textOctets(data)
		if f != nil {
			return nil, f
		}
		if t.code == dns.TypeSPF {
			return &dns.SPF{Txt: chunks(octets)}, nil
		}
		return &dns.TXT{Txt: chunks(octets)}, nil
	}
	return parseData(t, data, ".")
}

// RRsetsOf groups records into canonical RRsets in SortRRsets order. Of
// differing TTLs within one RRset the lowest stands (RFC 2181, section 5.2).
// The SOA is left out, and so is what a signing server keeps: RRSIG, NSEC,
// NSEC3, NSEC3PARAM, DNSKEY, CDS, CDNSKEY.
func RRsetsOf(zone Name, rrs []dns.RR) ([]RRset, error) {
	index := make(map[Key]int)
	sets := []RRset{}
	for _, rr := range rrs {
		code := rr.Header().Rrtype
		if code == dns.TypeSOA || keptByServer(code) {
			continue
		}
		s, err := rrsetOf(zone, rr)
		if err != nil {
			return nil, err
		}
		i, seen := index[s.Key()]
		if !seen {
			index[s.Key()] = len(sets)
			sets = append(sets, s)
			continue
		}
		sets[i].TTL = min(sets[i].TTL, s.TTL)
		sets[i].Data = append(sets[i].Data, s.Data...)
	}
	for i := range sets {
		sets[i].tidy()
	}
	SortRRsets(sets)
	return sets, nil
}

// rrsetOf gives the RRset of one record.
func rrsetOf(zone Name, rr dns.RR) (RRset, error) {
	h := rr.Header()
	typ := typeName(h.Rrtype)
	fail := func(reason string) (RRset, error) {
		return RRset{}, &RecordError{Name: h.Name, Type: typ, Reason: reason}
	}
	if h.Class != dns.ClassINET {
		return fail(fmt.Sprintf("is of class %s, not IN", dns.ClassToString[h.Class]))
	}
	if isMeta(h.Rrtype) {
		return fail("is of a type that zones don't hold")
	}
	owner, f := canonicalOwner(zone, dns.Fqdn(h.Name))
	if f != nil {
		return fail(f.reason)
	}
	data, err := wireData(rr)
	if err != nil {
		return fail("can't be read: " + err.Error())
	}
	ttl := h.Ttl
	if ttl > MaxTTL {
		ttl = 0 // RFC 2181, section 8
	}
	return RRset{Name: owner, Type: typ, TTL: ttl, Data: []string{data}}, nil
}

func wireData(rr dns.RR) (string, error) {
	var chunks []string
	switch rr := rr.(type) {
	case *dns.TXT:
		chunks = rr.Txt
	case *dns.SPF:
		chunks = rr.Txt
	case *dns.A:
		if addr, ok := netip.AddrFromSlice(rr.A.To4()); ok {
			return addr.String(), nil
		}
		return "", errors.New("no IPv4 address")
	case *dns.AAAA:
		if addr, ok := netip.AddrFromSlice(rr.AAAA); ok && addr.Is6() {
			return addr.String(), nil
		}
		return "", errors.New("no IPv6 address")
	default:
		return dataOf(rr)
	}
	var octets []byte
	for _, chunk := range chunks {
		var f *fault
		if octets, f = unescape(octets, chunk); f != nil {
			return "", fmt.Errorf("the text %s", f.reason)
		}
	}
	return encodeText(octets), nil
}
