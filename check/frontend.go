package check

import (
	"context"
	"crypto/x509"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/miekg/dns"
)

// FrontendHealth looks whether the page that all domains lead to answers: one
// check of the campaign, since no domain can mend it. previous, which may be
// nil, is the result before.
func (c *Checker) FrontendHealth(ctx context.Context, address string, previous *Result) Result {
	ctx, cancel := context.WithTimeout(ctx, orDefault(c.Timeout, defaultTimeout))
	defer cancel()
	v := c.frontend(ctx, address)
	result := Result{Check: CheckFrontend, State: v.state, Since: c.now()}
	if previous != nil && previous.State == v.state {
		result.Since = previous.Since
	}
	if v.with == nil {
		v.with = words{}
	}
	v.with["target"] = people(address)
	result.Finding, result.Advice = v.say.in(c.Language, v.with)
	result.Finding = c.redacted(result.Finding, v.with)
	return result
}

func (c *Checker) frontend(ctx context.Context, address string) verdict {
	u, err := url.Parse(address)
	if err != nil {
		return frontendFault(err)
	}
	addrs, err := c.lookUp(ctx, asciiHost(u.Hostname()))
	if err != nil {
		return verdict{CheckFrontend, StateUnknown, frontendUnseen, words{"reason": err}}
	}
	if len(addrs) == 0 {
		return verdict{CheckFrontend, StateBroken, frontendNowhere, nil}
	}
	var last verdict
	for _, a := range addrs {
		last = c.frontendAt(ctx, netip.AddrPortFrom(a, portOf(u)), u)
		if last.state == StateOK {
			return last
		}
	}
	return last
}

func (c *Checker) frontendAt(ctx context.Context, at netip.AddrPort, u *url.URL) verdict {
	visit := *u
	visit.Host = asciiHost(u.Host)
	p := c.probe(ctx, at, &visit)
	switch {
	case p.dial != nil:
		return frontendFault(p.dial)
	case p.tls != nil:
		return frontendFault(p.tls)
	case p.http != nil:
		return frontendFault(p.http)
	case p.status >= 400:
		return verdict{CheckFrontend, StateBroken, frontendDown, words{"reason": strconv.Itoa(p.status)}}
	}
	if len(p.chain) > 0 {
		r := run{c: c, now: c.now()}
		if err := r.trustedFor(p.chain, visit.Hostname()); err != nil {
			return frontendFault(err)
		}
	}
	return verdict{CheckFrontend, StateOK, frontendUp, nil}
}

// trustedFor is trusted, with the name that the certificate must cover.
func (r run) trustedFor(chain []*x509.Certificate, host string) error {
	if err := chain[0].VerifyHostname(host); err != nil {
		return err
	}
	return r.trusted(chain)
}

func frontendFault(err error) verdict {
	return verdict{CheckFrontend, StateBroken, frontendDown, words{"reason": err}}
}

// lookUp gives a host's addresses; none, where it has none.
func (c *Checker) lookUp(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	var addrs []netip.Addr
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		answer, err := c.Resolver.Lookup(ctx, dns.Fqdn(host), qtype)
		if err != nil {
			return nil, err
		}
		for _, rr := range answer.Records {
			switch rr := rr.(type) {
			case *dns.A:
				if a, ok := netip.AddrFromSlice(rr.A.To4()); ok {
					addrs = append(addrs, a)
				}
			case *dns.AAAA:
				if a, ok := netip.AddrFromSlice(rr.AAAA); ok {
					addrs = append(addrs, a)
				}
			}
		}
	}
	return addrs, nil
}

func portOf(u *url.URL) uint16 {
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		return uint16(port)
	}
	if u.Scheme == "http" {
		return 80
	}
	return 443
}
