package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

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
