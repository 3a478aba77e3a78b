package embedded

import (
	"slices"

	"github.com/miekg/dns"
)

// maxAliases bounds how many CNAMEs an answer follows.
const maxAliases = 16

// answer fills m, the reply to q, from the zone (RFC 1034, section 4.3.2).
func (z *zone) answer(m *dns.Msg, q dns.Question) {
	m.Authoritative = true
	name, asked := dns.CanonicalName(q.Name), q.Name
	for range maxAliases {
		cut, n, synthesised := z.find(name, q.Qtype != dns.TypeDS)
		switch {
		case cut != nil:
			z.refer(m, cut)
			return
		case n == nil:
			m.Rcode = dns.RcodeNameError // of the last name in a chain (RFC 6604)
			m.Ns = append(m.Ns, z.negative)
			return
		case q.Qtype == dns.TypeANY && len(n.sets) > 0:
			m.Answer = append(m.Answer, anyAnswer(asked))
			return
		}
		rename := synthesised || asked != n.name
		if rrs := n.sets[q.Qtype]; rrs != nil {
			m.Answer = append(m.Answer, owned(rrs, asked, rename)...)
			if q.Qtype == dns.TypeNS {
				m.Extra = append(m.Extra, z.glue(rrs)...)
			}
			return
		}
		aliases := n.sets[dns.TypeCNAME]
		if aliases == nil {
			m.Ns = append(m.Ns, z.negative)
			return
		}
		m.Answer = append(m.Answer, owned(aliases, asked, rename)...)
		asked = aliases[0].(*dns.CNAME).Target
		name = dns.CanonicalName(asked)
		if !dns.IsSubDomain(z.apex, name) || loops(m.Answer, name) {
			return
		}
	}
}

// loops reports whether name was the owner of a CNAME before.
func loops(chain []dns.RR, name string) bool {
	return slices.ContainsFunc(chain, func(rr dns.RR) bool { return dns.CanonicalName(rr.Header().Name) == name })
}

// refer leads to the name servers that a part of the zone is delegated to,
// with all their addresses that lie in the zone (RFC 9471).
func (z *zone) refer(m *dns.Msg, cut *node) {
	m.Authoritative = len(m.Answer) > 0 // of the CNAMEs before
	ns := cut.sets[dns.TypeNS]
	m.Ns = append(m.Ns, ns...)
	m.Extra = append(m.Extra, z.glue(ns)...)
}

// glue gives the addresses in the zone of the name servers ns.
func (z *zone) glue(ns []dns.RR) []dns.RR {
	var addrs []dns.RR
	for _, rr := range ns {
		if n := z.nodes[rr.(*dns.NS).Ns]; n != nil {
			addrs = append(addrs, n.sets[dns.TypeA]...)
			addrs = append(addrs, n.sets[dns.TypeAAAA]...)
		}
	}
	return addrs
}

// owned gives rrs with the owner name as it was asked: in its case, and in
// place of a wildcard's.
func owned(rrs []dns.RR, name string, rename bool) []dns.RR {
	if !rename {
		return rrs
	}
	renamed := make([]dns.RR, len(rrs))
	for i, rr := range rrs {
		renamed[i] = dns.Copy(rr)
		renamed[i].Header().Name = name
	}
	return renamed
}

// anyAnswer is the answer to questions for all types at once, which serve
// little but amplification (RFC 8482, section 4.2).
func anyAnswer(name string) dns.RR {
	return &dns.HINFO{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeHINFO, Class: dns.ClassINET, Ttl: soaTTL}, Cpu: "RFC8482"}
}
