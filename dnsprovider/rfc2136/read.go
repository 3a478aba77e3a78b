package rfc2136

import (
	"context"
	"errors"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
	"domherre/portfolio"
)

// ReadZone reads the zone by a transfer; where the SOA's serial is still that
// of the last transfer, it gives what that brought.
func (p *Provider) ReadZone(ctx context.Context, name portfolio.Name) (portfolio.Zone, error) {
	if z, ok := p.unchanged(ctx, name); ok {
		return z, nil
	}
	rrs, err := p.client.Transfer(ctx, p.server, name.FQDN())
	if err != nil {
		missing, err := p.refusal(ctx, name.FQDN(), err)
		p.Forget(name)
		return portfolio.Zone{Name: name, Missing: missing}, err
	}
	sets, err := portfolio.RRsetsOf(name, rrs)
	if err != nil {
		return portfolio.Zone{}, err
	}
	z := portfolio.Zone{Name: name, RRsets: sets}
	if soa, ok := rrs[0].(*dns.SOA); ok {
		z.Serial = soa.Serial
	}
	p.Put(ctx, z)
	return z, nil
}

// unchanged gives the zone as last transferred, if its serial still stands.
func (p *Provider) unchanged(ctx context.Context, name portfolio.Name) (portfolio.Zone, bool) {
	last, ok := p.Memory.Get(ctx, name)
	if !ok {
		return portfolio.Zone{}, false
	}
	answer, err := p.client.Exchange(ctx, p.server, dnsclient.Question(name.FQDN(), dns.TypeSOA, false))
	if err != nil || !answer.Authoritative || len(answer.Answer) == 0 {
		return portfolio.Zone{}, false
	}
	soa, ok := answer.Answer[0].(*dns.SOA)
	if !ok || soa.Serial != last.Serial {
		return portfolio.Zone{}, false
	}
	return last, true
}

// Forget makes the next read of the zone a transfer.
func (p *Provider) Forget(name portfolio.Name) { p.Memory.Forget(context.Background(), name) }

// refusal tells whether a transfer failed since there is no such zone; else it
// gives the error, explained.
func (p *Provider) refusal(ctx context.Context, zone string, err error) (missing bool, _ error) {
	var rcode *dnsclient.RcodeError
	if !errors.As(err, &rcode) || rcode.Rcode != dns.RcodeNotAuth {
		return false, p.explain("transfer", zone, err)
	}
	if rcode.Signed {
		return true, nil // BIND: the key is fine
	}
	// Knot signs no such refusal. It answers a plain question for the zone only
	// if it has it.
	plain := dnsclient.Client{Timeout: p.client.Timeout}
	answer, asking := plain.Exchange(ctx, p.server, dnsclient.Question(zone, dns.TypeSOA, false))
	if asking != nil {
		return false, p.explain("question", zone, asking)
	}
	if answer.Authoritative {
		return false, p.explain("transfer", zone, err)
	}
	return true, nil
}
