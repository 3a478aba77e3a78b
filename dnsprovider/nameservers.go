package dnsprovider

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"

	"domherre/dnsprovider/dnsclient"
	"domherre/portfolio"
)

// asASCII gives name servers by their A-labels.
func asASCII(servers []Nameserver) []Nameserver {
	out := slices.Clone(servers)
	for i := range out {
		if ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(out[i].Name, ".")); err == nil {
			out[i].Name = ascii
		}
	}
	return out
}

// Nameservers gives the servers that serve the domain with authority, each with
// an address: those of its provider's config, else those of its NS records, as
// the resolvers find them.
func (s *Set) Nameservers(ctx context.Context, d portfolio.Domain) ([]Nameserver, error) {
	p, err := s.of(d)
	if err != nil {
		return nil, err
	}
	servers := p.cfg.Nameservers
	if len(servers) == 0 {
		if servers, err = s.delegated(ctx, d.Name); err != nil {
			return nil, fmt.Errorf("%s: find its name servers: %w", d.Name, err)
		}
	}
	var out []Nameserver
	var failure error
	for _, ns := range servers {
		if ns.Addr.IsValid() {
			out = append(out, ns)
			continue
		}
		addrs, err := s.addresses(ctx, ns.Name)
		if err != nil {
			failure = err
			out = append(out, ns) // told as one that can't be asked
			continue
		}
		for _, addr := range addrs {
			out = append(out, Nameserver{Name: ns.Name, Addr: netip.AddrPortFrom(addr, 53)})
		}
	}
	if failure != nil && !slices.ContainsFunc(out, func(ns Nameserver) bool { return ns.Addr.IsValid() }) {
		return nil, fmt.Errorf("%s: find its name servers: %w", d.Name, failure)
	}
	return out, nil
}

// delegated looks the NS records of a domain up.
func (s *Set) delegated(ctx context.Context, name portfolio.Name) ([]Nameserver, error) {
	answer, err := s.lookup(ctx, name.FQDN(), dns.TypeNS)
	if err != nil {
		return nil, err
	}
	var out []Nameserver
	for _, rr := range answer.Records {
		if ns, ok := rr.(*dns.NS); ok {
			out = append(out, Nameserver{Name: strings.TrimSuffix(dns.CanonicalName(ns.Ns), ".")})
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("resolver %s finds none (%s): the domain is not delegated; give the registrar the provider's name servers",
			answer.Server, dnsclient.RcodeName(answer.Rcode))
	}
	slices.SortFunc(out, func(a, b Nameserver) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// addresses looks the addresses of a name server up.
func (s *Set) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		answer, err := s.lookup(ctx, host, qtype)
		if err != nil {
			return nil, err
		}
		for _, rr := range answer.Records {
			var ip []byte
			switch rr := rr.(type) {
			case *dns.A:
				ip = rr.A
			case *dns.AAAA:
				ip = rr.AAAA
			}
			if addr, ok := netip.AddrFromSlice(ip); ok {
				out = append(out, addr.Unmap())
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the name server %s has no address", host)
	}
	return out, nil
}

func (s *Set) lookup(ctx context.Context, name string, qtype uint16) (dnsclient.Answer, error) {
	if s.resolver == nil {
		return dnsclient.Answer{}, s.noLookup
	}
	return s.resolver.Lookup(ctx, name, qtype)
}
