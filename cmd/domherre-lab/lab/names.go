package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

const (
	rootServer = "a.root-servers.test."
	delegTTL   = 60 // seconds; short, since the registry changes at run time
)

// Names is the server of the root and of every TLD. All share one listener.
type Names struct {
	registry *Registry
	listener *dnsListener
}

// StartNames serves the root and the TLDs at listen ("127.0.0.1:0").
func StartNames(listen string, registry *Registry) (*Names, error) {
	bound, err := bindDNS(listen)
	if err != nil {
		return nil, fmt.Errorf("lab's name servers: %w", err)
	}
	n := &Names{registry: registry, listener: bound}
	bound.serve(n.serve)
	return n, nil
}

// Addr is where the root and TLD servers answer, by UDP and TCP.
func (n *Names) Addr() netip.AddrPort { return n.listener.addr }

// Close stops the server.
func (n *Names) Close() error { return n.listener.Close() }

// tldServer is the name of a TLD's own name server.
func tldServer(tld string) string { return "a.nic." + tld }

func (n *Names) serve(w dns.ResponseWriter, query *dns.Msg) {
	reply := new(dns.Msg).SetReply(query)
	q := query.Question[0]
	switch {
	case q.Qclass != dns.ClassINET, q.Qtype == dns.TypeAXFR, q.Qtype == dns.TypeIXFR:
		reply.Rcode = dns.RcodeRefused
	default:
		opt := query.IsEdns0()
		n.answer(reply, strings.ToLower(q.Name), q.Qtype, opt != nil && opt.Do())
	}
	send(w, query, reply)
}

// answer fills in a reply from the deepest zone that holds the name. The DS
// RRset of a zone lives in its parent (RFC 4035, section 3.1.4.1).
func (n *Names) answer(reply *dns.Msg, name string, qtype uint16, dnssec bool) {
	zone := zoneOf(name)
	if qtype == dns.TypeDS && name == zone {
		zone = "."
	}
	switch {
	case name == zone:
		n.apex(reply, zone, qtype)
	case zone == ".":
		n.negative(reply, zone, slices.Contains(TLDs(), name))
	default:
		n.below(reply, zone, name, qtype, dnssec)
	}
}

// zoneOf gives the deepest of the lab's zones at or above a name.
func zoneOf(name string) string {
	for _, tld := range TLDs() {
		if dns.IsSubDomain(tld, name) {
			return tld
		}
	}
	return "."
}

// apex answers for the zone's own name.
func (n *Names) apex(reply *dns.Msg, zone string, qtype uint16) {
	reply.Authoritative = true
	switch qtype {
	case dns.TypeSOA:
		reply.Answer = []dns.RR{n.soa(zone)}
	case dns.TypeNS:
		reply.Answer = []dns.RR{ns(zone, serverOf(zone))}
		reply.Extra = n.addresses(serverOf(zone), dns.TypeA, dns.TypeAAAA)
	default:
		n.negative(reply, zone, true)
	}
}

func serverOf(zone string) string {
	if zone == "." {
		return rootServer
	}
	return tldServer(zone)
}

// below answers for a name under a TLD: a host of the TLD's own, a referral,
// or nothing.
func (n *Names) below(reply *dns.Msg, tld, name string, qtype uint16, dnssec bool) {
	labels := dns.SplitDomainName(name)
	sld := strings.Join(labels[len(labels)-2:], ".") + "."
	if exists, here := n.host(name); exists && !n.registry.ordered(sld) {
		reply.Authoritative = true
		if here {
			reply.Answer = n.addresses(name, qtype)
		}
		if len(reply.Answer) == 0 {
			n.negative(reply, tld, true)
		}
		return
	}
	reg, ok := n.registry.Lookup(sld)
	if !ok || reg.Held() || len(reg.Nameservers) == 0 {
		n.negative(reply, tld, false)
		return
	}
	if qtype == dns.TypeDS && name == sld {
		reply.Authoritative = true
		if reply.Answer = dsRecords(reg); len(reply.Answer) == 0 {
			n.negative(reply, tld, true)
		}
		return
	}
	n.refer(reply, tld, reg, dnssec)
}

// refer answers with the delegation of a registered name. Glue is given for
// name servers under the same TLD only; others a resolver looks up.
func (n *Names) refer(reply *dns.Msg, tld string, reg Registration, dnssec bool) {
	for _, server := range reg.Nameservers {
		reply.Ns = append(reply.Ns, ns(reg.Name, server.Name))
		if dns.IsSubDomain(tld, server.Name) {
			reply.Extra = append(reply.Extra, n.addresses(server.Name, dns.TypeA, dns.TypeAAAA)...)
		}
	}
	if dnssec {
		reply.Ns = append(reply.Ns, dsRecords(reg)...)
	}
}

// negative answers NODATA, or NXDOMAIN where the name doesn't exist, with the
// SOA that RFC 2308 asks for.
func (n *Names) negative(reply *dns.Msg, zone string, exists bool) {
	reply.Authoritative = true
	reply.Ns = []dns.RR{n.soa(zone)}
	if !exists {
		reply.Rcode = dns.RcodeNameError
	}
}

// host tells whether a name exists among the hosts that live in the TLD zones
// themselves (the name servers), and whether it is one, not just above one.
func (n *Names) host(name string) (exists, here bool) {
	for _, host := range n.hostNames(name) {
		exists = true
		here = here || host == name
	}
	return exists, here
}

// hostNames gives the hosts at or below a name.
func (n *Names) hostNames(name string) []string {
	found := n.registry.hostsUnder(name)
	for _, own := range append([]string{rootServer}, serversOfTLDs()...) {
		if dns.IsSubDomain(name, own) {
			found = append(found, own)
		}
	}
	return found
}

func serversOfTLDs() []string {
	names := TLDs()
	for i, tld := range names {
		names[i] = tldServer(tld)
	}
	return names
}

// addresses gives a host's address records of the types asked for.
func (n *Names) addresses(host string, types ...uint16) []dns.RR {
	at, ok := n.registry.Address(host)
	if !ok {
		if !slices.Contains(append(serversOfTLDs(), rootServer), host) {
			return nil
		}
		at = n.Addr()
	}
	addr := at.Addr().Unmap()
	var rrs []dns.RR
	for _, t := range types {
		header := dns.RR_Header{Name: host, Rrtype: t, Class: dns.ClassINET, Ttl: delegTTL}
		switch {
		case t == dns.TypeA && addr.Is4():
			rrs = append(rrs, &dns.A{Hdr: header, A: addr.AsSlice()})
		case t == dns.TypeAAAA && addr.Is6():
			rrs = append(rrs, &dns.AAAA{Hdr: header, AAAA: addr.AsSlice()})
		}
	}
	return rrs
}

func (n *Names) soa(zone string) dns.RR {
	return &dns.SOA{
		Hdr:     dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: delegTTL},
		Ns:      serverOf(zone),
		Mbox:    "hostmaster." + serverOf(zone),
		Serial:  n.registry.Serial(),
		Refresh: 1800, Retry: 900, Expire: 604800,
		Minttl: 1, // a name that is registered next must not stay denied
	}
}

func ns(owner, server string) dns.RR {
	return &dns.NS{
		Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: delegTTL},
		Ns:  server,
	}
}

func dsRecords(reg Registration) []dns.RR {
	var rrs []dns.RR
	for _, ds := range reg.DS {
		rr := dns.Copy(ds)
		*rr.Header() = dns.RR_Header{Name: reg.Name, Rrtype: dns.TypeDS, Class: dns.ClassINET, Ttl: delegTTL}
		rrs = append(rrs, rr)
	}
	return rrs
}
