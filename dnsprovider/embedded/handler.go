package embedded

import (
	"net"
	"net/netip"

	"github.com/miekg/dns"
)

const (
	// ednsSize is the largest message over UDP that we send or ask for: what
	// passes the Internet without fragments (RFC 9715).
	ednsSize = 1232
	minSize  = 512 // RFC 1035, section 2.3.4; also for clients that offer less (RFC 6891, section 6.2.3)
)

// accept refuses, before the rest of a message is read, what is no single
// question.
func accept(h dns.Header) dns.MsgAcceptAction {
	const response, opcodeShift, opcodeMask = 1 << 15, 11, 0xf
	switch {
	case h.Bits&response != 0:
		return dns.MsgIgnore // or two servers could answer each other forever
	case h.Bits>>opcodeShift&opcodeMask != dns.OpcodeQuery:
		return dns.MsgRejectNotImplemented
	case h.Qdcount != 1 || h.Ancount > 0 || h.Nscount > 1 || h.Arcount > 2: // the SOA of an IXFR; OPT and TSIG
		return dns.MsgReject
	}
	return dns.MsgAccept
}

// ServeDNS answers one question.
func (s *Server) ServeDNS(w dns.ResponseWriter, req *dns.Msg) {
	_, udp := w.LocalAddr().(*net.UDPAddr)
	sig := signatureOf(w, req)
	if len(req.Question) != 1 { // the library takes a message that ends after its header
		m := new(dns.Msg).SetRcodeFormatError(req)
		sig.write(w, m, minSize)
		return
	}
	if q := req.Question[0]; q.Qtype == dns.TypeAXFR || q.Qtype == dns.TypeIXFR {
		s.serveTransfer(w, req, sig, udp)
		return
	}
	size := dns.MaxMsgSize
	if udp {
		size = sizeFor(req)
	}
	sig.write(w, s.reply(req, sig, addrOf(w.RemoteAddr())), size)
}

// reply makes the reply to a question that asks for no transfer.
func (s *Server) reply(req *dns.Msg, sig *signature, client netip.Addr) *dns.Msg {
	m := replyTo(req, sig)
	q := m.Question[0]
	switch {
	case m.Rcode != dns.RcodeSuccess: // EDNS or the signature was at fault
	case q.Qtype == dns.TypeOPT || q.Qtype == dns.TypeNone:
		m.Rcode = dns.RcodeFormatError
	case q.Qtype >= 128 && q.Qtype < dns.TypeANY: // asks for no data (RFC 6895, section 3.1)
		m.Rcode = dns.RcodeNotImplemented
	case q.Qclass != dns.ClassINET:
		m.Rcode = dns.RcodeRefused
	default:
		z, found := s.zoneFor(dns.CanonicalName(q.Name))
		switch {
		case z != nil && z.apex == s.catalog.apex && !s.secondaries.may(client, sig != nil):
			m.Rcode = dns.RcodeRefused
		case z != nil:
			z.answer(m, q)
		case found:
			m.Rcode = dns.RcodeServerFailure
		default:
			m.Rcode = dns.RcodeRefused
		}
	}
	return m
}

// replyTo begins the reply to req: its question in its own case, and EDNS
// where it has that (RFC 6891). Rcode says what is wrong with its EDNS or its
// signature.
func replyTo(req *dns.Msg, sig *signature) *dns.Msg {
	m := &dns.Msg{Compress: true, Question: req.Question}
	m.Id, m.Response, m.Opcode = req.Id, true, req.Opcode
	m.RecursionDesired = req.RecursionDesired
	var opts []*dns.OPT
	for _, rr := range req.Extra {
		switch rr := rr.(type) {
		case *dns.OPT:
			opts = append(opts, rr)
		case *dns.TSIG:
			if sig == nil || sig.of != rr { // it must be the last (RFC 8945, section 5.1)
				m.Rcode = dns.RcodeFormatError
			}
		}
	}
	if sig != nil && sig.fault != 0 {
		m.Rcode = dns.RcodeNotAuth
	}
	if len(opts) == 0 {
		return m
	}
	ours := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
	ours.SetUDPSize(ednsSize)
	if opts[0].Do() {
		ours.SetDo()
	}
	m.Extra = append(m.Extra, ours)
	switch {
	case len(opts) > 1 || opts[0].Hdr.Name != ".":
		m.Rcode = dns.RcodeFormatError
	case opts[0].Version() != 0:
		m.Rcode = dns.RcodeBadVers
	}
	return m
}

// sizeFor gives how many octets a reply over UDP may have.
func sizeFor(req *dns.Msg) int {
	opt := req.IsEdns0()
	if opt == nil {
		return minSize
	}
	return min(max(int(opt.UDPSize()), minSize), ednsSize)
}

// fit cuts a reply down to size octets and packs it.
func fit(m *dns.Msg, size int) ([]byte, error) {
	wire, err := m.Pack()
	if err == nil && len(wire) > size && len(m.Answer) > 0 && len(m.Extra) > 1 {
		m.Extra = onlyOPT(m.Extra)
		wire, err = m.Pack()
	}
	if err == nil && len(wire) > size {
		m.Truncated = true
		m.Answer, m.Ns, m.Extra = nil, nil, onlyOPT(m.Extra)
		wire, err = m.Pack()
	}
	if err != nil {
		m.Rcode = dns.RcodeServerFailure
		m.Answer, m.Ns, m.Extra = nil, nil, onlyOPT(m.Extra)
		wire, err = m.Pack()
	}
	return wire, err
}

func onlyOPT(extra []dns.RR) []dns.RR {
	for _, rr := range extra {
		if _, ok := rr.(*dns.OPT); ok {
			return []dns.RR{rr}
		}
	}
	return nil
}

// addrOf gives the client's address.
func addrOf(a net.Addr) netip.Addr {
	switch a := a.(type) {
	case *net.UDPAddr:
		return a.AddrPort().Addr().Unmap().WithZone("")
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
