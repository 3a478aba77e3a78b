package lab

import (
	"context"
	"errors"
	"fmt"
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
