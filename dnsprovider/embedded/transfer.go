package embedded

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"
)

// transferSize is how many octets of records, before compression, go into one
// message of a transfer.
const transferSize = 24 << 10

// serveTransfer answers AXFR (RFC 5936) and IXFR (RFC 1995), the latter by a
// whole transfer unless nothing has changed. Over UDP an IXFR gets the SOA
// alone, which sends its client to TCP.
func (s *Server) serveTransfer(w dns.ResponseWriter, req *dns.Msg, udp bool) {
	m := replyTo(req)
	q := m.Question[0]
	z, found := s.zoneFor(dns.CanonicalName(q.Name))
	switch {
	case m.Rcode != dns.RcodeSuccess:
	case q.Qclass != dns.ClassINET || !s.mayTransfer(addrOf(w.RemoteAddr())):
		m.Rcode = dns.RcodeRefused
	case found && z == nil:
		m.Rcode = dns.RcodeServerFailure
	case z == nil || dns.CanonicalName(q.Name) != z.apex:
		m.Rcode = dns.RcodeNotAuth
	case q.Qtype == dns.TypeAXFR && udp:
		m.Rcode = dns.RcodeFormatError
	default:
		m.Authoritative = true
		if udp || q.Qtype == dns.TypeIXFR && upToDate(req, z) {
			m.Answer = []dns.RR{z.soa}
			break
		}
		z.transfer(w, m)
		return
	}
	write(w, m, minSize) // none of these is larger
}

func (s *Server) mayTransfer(client netip.Addr) bool {
	return slices.ContainsFunc(s.allow, func(net netip.Prefix) bool { return net.Contains(client) })
}

// upToDate reports whether the client of an IXFR has the zone already.
func upToDate(req *dns.Msg, z *zone) bool {
	if len(req.Ns) == 0 {
		return false
	}
	soa, ok := req.Ns[0].(*dns.SOA)
	return ok && !newer(z.serial, soa.Serial)
}

// transfer sends the whole zone in as many messages as it takes.
func (z *zone) transfer(w dns.ResponseWriter, m *dns.Msg) {
	m.Answer = []dns.RR{z.soa}
	octets := 0
	for _, rr := range z.rrs {
		n := dns.Len(rr)
		if octets += n; octets > transferSize {
			if w.WriteMsg(m) != nil {
				return // the client is gone, or reads nothing
			}
			m.Answer, octets = nil, n
		}
		m.Answer = append(m.Answer, rr)
	}
	m.Answer = append(m.Answer, z.soa)
	_ = w.WriteMsg(m) // as above
}
