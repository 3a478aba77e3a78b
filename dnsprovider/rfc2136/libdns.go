package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
	"domherre/dnsprovider/zoneio"
)

// GetRecords gives all records of the zone but its SOA and what DNSSEC adds.
func (p *Provider) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	rrs, err := p.transfer(ctx, zone)
	if err != nil {
		return nil, err
	}
	return records(zone, rrs)
}

func (p *Provider) transfer(ctx context.Context, zone string) ([]dns.RR, error) {
	rrs, err := p.client.Transfer(ctx, p.server, zone)
	if err != nil {
		missing, failure := p.refusal(ctx, zone, err)
		if missing {
			failure = p.explain("update", zone, err)
		}
		return nil, failure
	}
	return slices.DeleteFunc(rrs, keptByServer), nil
}

func keptByServer(rr dns.RR) bool {
	switch rr.Header().Rrtype {
	case dns.TypeSOA, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3, dns.TypeNSEC3PARAM,
		dns.TypeDNSKEY, dns.TypeCDS, dns.TypeCDNSKEY:
		return true
	}
	return false
}

// AppendRecords adds records by one atomic message, which fails where one of
// them would come to stand beside a CNAME.
func (p *Provider) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	rrs, err := toRRs(zone, recs)
	if err != nil || len(rrs) == 0 {
		return nil, err
	}
	m := new(dns.Msg)
	m.SetUpdate(dns.Fqdn(zone))
	for _, rr := range rrs {
		if rr.Header().Rrtype == dns.TypeCNAME {
			m.NameNotUsed([]dns.RR{rr})
		} else {
			m.RRsetNotUsed([]dns.RR{aliasAt(rr)})
		}
	}
	m.Insert(rrs)
	if err := p.sendLoose(ctx, m); err != nil {
		return nil, err
	}
	return records(zone, rrs)
}

// SetRecords replaces every RRset of which the input has a record, by one
// atomic message.
func (p *Provider) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	rrs, err := toRRs(zone, recs)
	if err != nil || len(rrs) == 0 {
		return nil, err
	}
	held, err := p.transfer(ctx, zone)
	if err != nil {
		return nil, err
	}
	m := new(dns.Msg)
	m.SetUpdate(dns.Fqdn(zone))
	for _, rr := range rrs {
		for _, other := range held {
			if sameName(rr, other) && !sameRRset(rr, other) && (isCNAME(rr) || isCNAME(other)) {
				return nil, fmt.Errorf("%s has records of type %s; delete them before setting %s", rr.Header().Name,
					dns.TypeToString[other.Header().Rrtype], dns.TypeToString[rr.Header().Rrtype])
			}
		}
	}
	apex := dns.CanonicalName(zone)
	isApexNS := func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeNS && rr.Header().Name == apex }
	for _, rr := range rrs {
		if !isApexNS(rr) {
			m.RemoveRRset([]dns.RR{rr})
		}
	}
	m.Insert(rrs)
	for _, old := range held {
		replaced := isApexNS(old) && slices.ContainsFunc(rrs, isApexNS)
		if replaced && !slices.ContainsFunc(rrs, func(rr dns.RR) bool { return dns.IsDuplicate(rr, old) }) {
			m.Remove([]dns.RR{old})
		}
	}
	if err := p.sendLoose(ctx, m); err != nil {
		return nil, err
	}
	return records(zone, rrs)
}

// DeleteRecords deletes the records that match the input by one atomic
// message; an empty type, TTL or data matches any.
func (p *Provider) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	if len(recs) == 0 {
		return nil, nil
	}
	held, err := p.transfer(ctx, zone)
	if err != nil {
		return nil, err
	}
	var gone []dns.RR
	for _, rec := range recs {
		for _, rr := range held {
			matches, err := zoneio.Matches(zone, rec.RR(), rr)
			if err != nil {
				return nil, err
			}
			if matches && !slices.Contains(gone, rr) {
				gone = append(gone, rr)
			}
		}
	}
	if len(gone) == 0 {
		return nil, nil
	}
	deleted, err := records(zone, gone)
	if err != nil {
		return nil, err
	}
	m := new(dns.Msg)
	m.SetUpdate(dns.Fqdn(zone))
	m.Remove(gone)
	return deleted, p.sendLoose(ctx, m)
}

// sendLoose sends a message of the libdns interfaces, where a prerequisite
// that fails means a CNAME in the way.
func (p *Provider) sendLoose(ctx context.Context, m *dns.Msg) error {
	answer, err := p.client.ExchangeTCP(ctx, p.server, m)
	if err == nil {
		switch answer.Rcode {
		case dns.RcodeSuccess:
			return nil
		case dns.RcodeYXDomain, dns.RcodeYXRrset:
			return errors.New("a name has a CNAME, or other records where a CNAME shall go; delete them first")
		}
		err = &dnsclient.RcodeError{Rcode: answer.Rcode, Signed: answer.IsTsig() != nil}
	}
	return p.explain("update", m.Question[0].Name, err)
}

func toRRs(zone string, recs []libdns.Record) ([]dns.RR, error) {
	rrs := make([]dns.RR, len(recs))
	var err error
	for i, rec := range recs {
		if rrs[i], err = zoneio.ToRR(zone, rec); err != nil {
			return nil, err
		}
	}
	return rrs, nil
}

func records(zone string, rrs []dns.RR) ([]libdns.Record, error) {
	recs := make([]libdns.Record, len(rrs))
	var err error
	for i, rr := range rrs {
		if recs[i], err = zoneio.FromRR(zone, rr); err != nil {
			return nil, err
		}
	}
	return recs, nil
}

func aliasAt(rr dns.RR) dns.RR {
	return &dns.ANY{Hdr: dns.RR_Header{Name: rr.Header().Name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET}}
}

func isCNAME(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeCNAME }

func sameName(a, b dns.RR) bool {
	return dns.CanonicalName(a.Header().Name) == dns.CanonicalName(b.Header().Name)
}

func sameRRset(a, b dns.RR) bool {
	return sameName(a, b) && a.Header().Rrtype == b.Header().Rrtype
}
