package embedded

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/miekg/dns"
)

// zone is a zone as it is served. It never changes; a newer one takes its place.
type zone struct {
	apex     string // lower case, with the trailing dot
	labels   int    // of apex
	serial   uint32
	soa      *dns.SOA
	negative *dns.SOA         // the SOA with the TTL for negative answers (RFC 2308, section 3)
	nodes    map[string]*node // by name, in lower case; empty non-terminals too
	rrs      []dns.RR         // all but the SOA, for transfers
	changes  []delta          // that led here, oldest first
}

// node is a name of the zone.
type node struct {
	name string
	sets map[uint16][]dns.RR // by type; empty for an empty non-terminal
	wild *node               // "*" right below, if there
	cut  bool                // a delegation: NS below the apex
}

// maxRRset is how many octets an RRset may have, so that any answer fits into
// a message over TCP.
const maxRRset = 48 << 10

// newZone prepares a zone for serving.
func newZone(s *stored) (*zone, error) {
	z := &zone{apex: s.Zone.FQDN(), serial: s.Serial, nodes: make(map[string]*node, len(s.RRsets)), changes: s.Changes}
	z.labels = dns.CountLabel(z.apex)
	z.soa = &dns.SOA{
		Hdr: dns.RR_Header{Name: z.apex, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: soaTTL},
		Ns:  s.Nameservers[0].Name, Mbox: s.Contact, Serial: s.Serial,
		Refresh: soaRefresh, Retry: soaRetry, Expire: soaExpire, Minttl: soaMinimum,
	}
	z.negative = dns.Copy(z.soa).(*dns.SOA)
	z.negative.Hdr.Ttl = min(soaTTL, soaMinimum)
	for _, set := range s.observed().RRsets {
		rrs, err := set.Records(s.Zone)
		if err != nil {
			return nil, err
		}
		octets := 0
		for _, rr := range rrs {
			octets += dns.Len(rr)
		}
		if octets > maxRRset {
			return nil, fmt.Errorf("%s %s has %d octets of records; no more than %d can be served", set.Name, set.Type, octets, maxRRset)
		}
		z.add(rrs)
	}
	z.add([]dns.RR{z.soa})
	z.rrs = z.rrs[:len(z.rrs)-1] // transfers put the SOA around the rest
	z.addGlue(s.Nameservers)
	return z, nil
}

// add adds an RRset.
func (z *zone) add(rrs []dns.RR) {
	h := rrs[0].Header()
	n := z.node(h.Name)
	n.sets[h.Rrtype] = rrs
	n.cut = n.cut || h.Rrtype == dns.TypeNS && h.Name != z.apex
	z.rrs = append(z.rrs, rrs...)
}

// node gives the node of a name, and makes it and those above it where they
// are missing.
func (z *zone) node(name string) *node {
	if n := z.nodes[name]; n != nil {
		return n
	}
	n := &node{name: name, sets: map[uint16][]dns.RR{}}
	z.nodes[name] = n
	if name == z.apex {
		return n
	}
	next, _ := dns.NextLabel(name, 0)
	above := z.node(name[next:])
	if name[:next] == "*." {
		above.wild = n
	}
	return n
}

// addGlue gives addresses to name servers in the zone that have none there.
func (z *zone) addGlue(nameservers []Nameserver) {
	for _, ns := range nameservers {
		if !dns.IsSubDomain(z.apex, ns.Name) {
			continue
		}
		if n := z.nodes[ns.Name]; n != nil && (n.sets[dns.TypeA] != nil || n.sets[dns.TypeAAAA] != nil || n.sets[dns.TypeCNAME] != nil) {
			continue
		}
		byType := map[uint16][]dns.RR{}
		for _, addr := range ns.Addrs {
			rr := addressRR(ns.Name, addr.Unmap())
			byType[rr.Header().Rrtype] = append(byType[rr.Header().Rrtype], rr)
		}
		for _, rrs := range byType {
			z.add(rrs)
		}
	}
}

func addressRR(name string, addr netip.Addr) dns.RR {
	h := dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: nsTTL}
	if addr.Is4() {
		return &dns.A{Hdr: h, A: net.IP(addr.AsSlice())}
	}
	h.Rrtype = dns.TypeAAAA
	return &dns.AAAA{Hdr: h, AAAA: net.IP(addr.AsSlice())}
}

// find descends from the apex towards name, which is in lower case and lies in
// the zone. It gives the delegation on the way if there is one, else the node
// of name itself, else of the wildcard that stands for it (RFC 4592, section
// 3.3), else nil; synthesised tells the wildcard.
//
// A question for the DS of a delegation is answered above it (RFC 4035,
// section 3.1.4.1), so atCut says whether a delegation at name itself counts.
func (z *zone) find(name string, atCut bool) (cut, match *node, synthesised bool) {
	offsets := dns.Split(name)
	encloser := z.nodes[z.apex]
	for i := len(offsets) - z.labels - 1; i >= 0; i-- {
		n := z.nodes[name[offsets[i]:]]
		if n == nil {
			return nil, encloser.wild, encloser.wild != nil
		}
		if n.cut && (i > 0 || atCut) {
			return n, nil, false
		}
		encloser = n
	}
	return nil, encloser, false
}
