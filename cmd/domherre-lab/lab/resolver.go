package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	queryTimeout   = 1500 * time.Millisecond // of one question to one server
	resolveTimeout = 5 * time.Second         // of one client's question
	maxSteps       = 32                      // referrals, aliases and name server look-ups of one question
)

// ResolverOptions says where the resolver starts from.
type ResolverOptions struct {
	Listen string         // "127.0.0.1:0"
	Root   netip.AddrPort // a root server

	// Address gives the port of a name server, which no DNS record can. A
	// name server that it doesn't know is looked up and asked at port 53.
	Address func(nameserver string) (netip.AddrPort, bool)
}

// Resolver is a recursive resolver: it iterates from the root by referrals,
// follows aliases, and caches nothing, so that a change shows at once. Names
// with DS records that fit no key of their zone are refused as bogus.
type Resolver struct {
	root     netip.AddrPort
	address  func(string) (netip.AddrPort, bool)
	listener *dnsListener
	ctx      context.Context // ends with Close
	stop     context.CancelFunc
}

// StartResolver starts a resolver by UDP and TCP.
func StartResolver(o ResolverOptions) (*Resolver, error) {
	bound, err := bindDNS(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("lab's resolver: %w", err)
	}
	r := &Resolver{root: o.Root, address: o.Address, listener: bound}
	if r.address == nil {
		r.address = func(string) (netip.AddrPort, bool) { return netip.AddrPort{}, false }
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	bound.serve(r.serve)
	return r, nil
}

// Addr is where the resolver answers, by UDP and TCP.
func (r *Resolver) Addr() netip.AddrPort { return r.listener.addr }

// Close stops the resolver and what it is looking up.
func (r *Resolver) Close() error {
	r.stop()
	return r.listener.Close()
}

func (r *Resolver) serve(w dns.ResponseWriter, query *dns.Msg) {
	ctx, cancel := context.WithTimeout(r.ctx, resolveTimeout)
	defer cancel()
	reply := new(dns.Msg).SetReply(query)
	reply.RecursionAvailable = true
	reply.CheckingDisabled = query.CheckingDisabled
	q := query.Question[0]
	if q.Qclass != dns.ClassINET || q.Qtype == dns.TypeAXFR || q.Qtype == dns.TypeIXFR {
		reply.Rcode = dns.RcodeRefused
		send(w, query, reply)
		return
	}
	it := iteration{r: r, unchecked: query.CheckingDisabled}
	found, err := it.resolve(ctx, strings.ToLower(q.Name), q.Qtype)
	if err != nil {
		explain(query, reply, err)
		send(w, query, reply)
		return
	}
	reply.Rcode, reply.Answer, reply.Ns = found.rcode, found.answer, found.authority
	if opt := query.IsEdns0(); opt == nil || !opt.Do() {
		reply.Answer = withoutSignatures(reply.Answer, q.Qtype)
		reply.Ns = withoutSignatures(reply.Ns, q.Qtype)
	}
	send(w, query, reply)
}

// bogusError is a failed DNSSEC check of a zone.
type bogusError struct{ zone string }

func (e *bogusError) Error() string {
	return fmt.Sprintf("no DNSKEY of %s fits its DS records", e.zone)
}

// explain answers SERVFAIL, with an extended error (RFC 8914) for clients that
// speak EDNS.
func explain(query, reply *dns.Msg, err error) {
	reply.Rcode = dns.RcodeServerFailure
	opt := query.IsEdns0()
	if opt == nil {
		return
	}
	code := dns.ExtendedErrorCodeNoReachableAuthority
	var bogus *bogusError
	if errors.As(err, &bogus) {
		code = dns.ExtendedErrorCodeDNSKEYMissing
	}
	reply.SetEdns0(udpSize, opt.Do())
	reply.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: code, ExtraText: err.Error()}}
}

func withoutSignatures(rrs []dns.RR, asked uint16) []dns.RR {
	return slices.DeleteFunc(rrs, func(rr dns.RR) bool {
		switch t := rr.Header().Rrtype; t {
		case dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3:
			return t != asked && asked != dns.TypeANY
		}
		return false
	})
}

// response is what iteration found out.
type response struct {
	rcode     int
	answer    []dns.RR // the alias chain included
	authority []dns.RR // the SOA of a negative answer
}

// iteration is the work on one client's question.
type iteration struct {
	r         *Resolver
	unchecked bool // the client set CD
	steps     int
}

// step counts work, so that no loop of aliases or delegations runs on.
func (it *iteration) step() error {
	if it.steps++; it.steps > maxSteps {
		return errors.New("too many referrals or aliases")
	}
	return nil
}

// resolve follows aliases until there is an answer.
func (it *iteration) resolve(ctx context.Context, name string, qtype uint16) (response, error) {
	var chain []dns.RR
	for {
		if err := it.step(); err != nil {
			return response{}, err
		}
		msg, err := it.descend(ctx, name, qtype)
		if err != nil {
			return response{}, err
		}
		chain = append(chain, msg.Answer...)
		next := aliasEnd(msg.Answer, name, qtype)
		if next == name || qtype == dns.TypeCNAME {
			return response{rcode: msg.Rcode, answer: chain, authority: onlySOA(msg.Ns)}, nil
		}
		name = next
	}
}

// aliasEnd follows the CNAMEs of an answer and gives the name to ask for next:
// name itself where the answer is complete.
func aliasEnd(answer []dns.RR, name string, qtype uint16) string {
	at := name
	for range answer {
		target := ""
		for _, rr := range answer {
			if !strings.EqualFold(rr.Header().Name, at) {
				continue
			}
			if rr.Header().Rrtype == qtype || qtype == dns.TypeANY {
				return name
			}
			if alias, ok := rr.(*dns.CNAME); ok {
				target = strings.ToLower(alias.Target)
			}
		}
		if target == "" {
			break
		}
		at = target
	}
	return at
}

func onlySOA(rrs []dns.RR) []dns.RR {
	return slices.DeleteFunc(slices.Clone(rrs), func(rr dns.RR) bool {
		return rr.Header().Rrtype != dns.TypeSOA
	})
}

// descend asks from the root downwards until a server answers with authority.
func (it *iteration) descend(ctx context.Context, name string, qtype uint16) (*dns.Msg, error) {
	zone, servers := ".", []netip.AddrPort{it.r.root}
	for {
		if err := it.step(); err != nil {
			return nil, err
		}
		msg, err := askAny(ctx, servers, name, qtype)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", zone, err)
		}
		child, nameservers := referral(msg, zone, name)
		if child == "" {
			return msg, nil
		}
		if servers, err = it.locate(ctx, nameservers, msg.Extra); err != nil {
			return nil, fmt.Errorf("%s: %w", child, err)
		}
		if err := it.trust(ctx, child, msg.Ns, servers); err != nil {
			return nil, err
		}
		zone = child
	}
}

// referral gives the zone and the name servers that an answer refers to: only
// downwards, towards the name.
func referral(msg *dns.Msg, zone, name string) (child string, nameservers []string) {
	if msg.Authoritative || len(msg.Answer) > 0 || msg.Rcode != dns.RcodeSuccess {
		return "", nil
	}
	for _, rr := range msg.Ns {
		ns, ok := rr.(*dns.NS)
		owner := strings.ToLower(rr.Header().Name)
		if !ok || owner == zone || !dns.IsSubDomain(zone, owner) || !dns.IsSubDomain(owner, name) {
			continue
		}
		if child == "" {
			child = owner
		}
		if owner == child {
			nameservers = append(nameservers, strings.ToLower(ns.Ns))
		}
	}
	return child, nameservers
}

// locate finds where name servers answer: by the lab's map, by glue, or by
// looking their names up.
func (it *iteration) locate(ctx context.Context, nameservers []string, glue []dns.RR) ([]netip.AddrPort, error) {
	var at []netip.AddrPort
	var missing []string
	for _, name := range nameservers {
		if known, ok := it.r.address(name); ok {
			at = append(at, known)
		} else if found := addressesIn(glue, name); len(found) > 0 {
			at = append(at, found...)
		} else {
			missing = append(missing, name)
		}
	}
	for _, name := range missing {
		if len(at) > 0 {
			break
		}
		found, err := it.resolve(ctx, name, dns.TypeA)
		if err != nil {
			return nil, fmt.Errorf("name server %s: %w", name, err)
		}
		at = append(at, addressesIn(found.answer, "")...)
	}
	if len(at) == 0 {
		return nil, errors.New("no name server has an address")
	}
	return at, nil
}

// addressesIn picks a host's addresses, or all with no host given, at port 53.
func addressesIn(rrs []dns.RR, host string) []netip.AddrPort {
	var at []netip.AddrPort
	for _, rr := range rrs {
		if host != "" && !strings.EqualFold(rr.Header().Name, host) {
			continue
		}
		var ip net.IP
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A
		case *dns.AAAA:
			ip = rr.AAAA
		}
		if addr, ok := netip.AddrFromSlice(ip); ok {
			at = append(at, netip.AddrPortFrom(addr.Unmap(), 53))
		}
	}
	return at
}

// trust checks that one of a signed zone's keys fits its DS records, the step
// of DNSSEC validation that a wrong delegation breaks. Signatures aren't
// checked, so the resolver never claims that data are authentic.
func (it *iteration) trust(ctx context.Context, zone string, authority []dns.RR, servers []netip.AddrPort) error {
	var wanted []*dns.DS
	for _, rr := range authority {
		if ds, ok := rr.(*dns.DS); ok && strings.EqualFold(ds.Hdr.Name, zone) {
			wanted = append(wanted, ds)
		}
	}
	if len(wanted) == 0 || it.unchecked {
		return nil
	}
	msg, err := askAny(ctx, servers, zone, dns.TypeDNSKEY)
	if err != nil {
		return fmt.Errorf("%s: keys: %w", zone, err)
	}
	for _, rr := range msg.Answer {
		key, ok := rr.(*dns.DNSKEY)
		if ok && slices.ContainsFunc(wanted, func(ds *dns.DS) bool { return fits(key, ds) }) {
			return nil
		}
	}
	return &bogusError{zone}
}

func fits(key *dns.DNSKEY, ds *dns.DS) bool {
	made := key.ToDS(ds.DigestType)
	return made != nil && made.KeyTag == ds.KeyTag && made.Algorithm == ds.Algorithm &&
		strings.EqualFold(made.Digest, ds.Digest)
}

// askAny asks servers in turn until one gives a usable answer.
func askAny(ctx context.Context, servers []netip.AddrPort, name string, qtype uint16) (*dns.Msg, error) {
	var errs []error
	for _, server := range servers {
		msg, err := ask(ctx, server, name, qtype)
		if err == nil {
			return msg, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", server, err))
	}
	return nil, errors.Join(errs...)
}

// ask puts one question to one server, again by TCP where UDP was cut short.
func ask(ctx context.Context, server netip.AddrPort, name string, qtype uint16) (*dns.Msg, error) {
	query := new(dns.Msg).SetQuestion(name, qtype)
	query.RecursionDesired = false
	query.SetEdns0(udpSize, true)
	client := &dns.Client{Timeout: queryTimeout}
	msg, _, err := client.ExchangeContext(ctx, query, server.String())
	if err == nil && msg.Truncated {
		client.Net = "tcp"
		msg, _, err = client.ExchangeContext(ctx, query, server.String())
	}
	if err != nil {
		return nil, err
	}
	if msg.Rcode != dns.RcodeSuccess && msg.Rcode != dns.RcodeNameError {
		return nil, fmt.Errorf("answered %s", dns.RcodeToString[msg.Rcode])
	}
	if !msg.Authoritative && msg.Rcode == dns.RcodeSuccess && len(msg.Answer) == 0 && len(msg.Ns) == 0 {
		return nil, errors.New("answered without authority")
	}
	return msg, nil
}
