package embedded

import (
	"github.com/miekg/dns"
)

// transferSize is how many octets of records, before compression, go into one
// message of a transfer.
const transferSize = 24 << 10

// serveTransfer answers AXFR (RFC 5936) and IXFR (RFC 1995), the latter by a
// whole transfer where the changes since aren't known. Over UDP an IXFR gets
// the SOA alone, which sends its client to TCP.
func (s *Server) serveTransfer(w dns.ResponseWriter, req *dns.Msg, sig *signature, udp bool) {
	m := replyTo(req, sig)
	q := m.Question[0]
	z, found := s.zoneFor(dns.CanonicalName(q.Name))
	switch {
	case m.Rcode != dns.RcodeSuccess:
	case q.Qclass != dns.ClassINET || !s.secondaries.may(addrOf(w.RemoteAddr()), sig != nil):
		m.Rcode = dns.RcodeRefused
	case found && z == nil:
		m.Rcode = dns.RcodeServerFailure
	case z == nil || dns.CanonicalName(q.Name) != z.apex:
		m.Rcode = dns.RcodeNotAuth
	case q.Qtype == dns.TypeAXFR && udp:
		m.Rcode = dns.RcodeFormatError
	default:
		m.Authoritative = true
		rrs, changed := z.asked(req)
		if udp || !changed {
			m.Answer = []dns.RR{z.soa}
			break
		}
		sig.transfer(w, m, z.soa, rrs)
		return
	}
	sig.write(w, m, minSize) // none of these is larger
}

// asked gives what a transfer says between its two SOAs; changed is false where
// the client of an IXFR has the zone already.
func (z *zone) asked(req *dns.Msg) (rrs []dns.RR, changed bool) {
	if req.Question[0].Qtype != dns.TypeIXFR || len(req.Ns) == 0 {
		return z.rrs, true
	}
	soa, ok := req.Ns[0].(*dns.SOA)
	if !ok {
		return z.rrs, true
	}
	if !newer(z.serial, soa.Serial) {
		return nil, false
	}
	if rrs, known := z.since(soa.Serial); known {
		return rrs, true
	}
	return z.rrs, true
}

// transfer sends records between two SOAs, in as many messages as it takes.
func (sig *signature) transfer(w dns.ResponseWriter, m *dns.Msg, soa dns.RR, rrs []dns.RR) {
	m.Answer = []dns.RR{soa}
	octets := 0
	for _, rr := range rrs {
		n := dns.Len(rr)
		if octets += n; octets > transferSize {
			if sig.send(w, m) != nil {
				return // the client is gone, or reads nothing
			}
			m.Answer, octets = nil, n
		}
		m.Answer = append(m.Answer, rr)
	}
	m.Answer = append(m.Answer, soa)
	_ = sig.send(w, m) // as above
}
