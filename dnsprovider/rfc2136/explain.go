package rfc2136

import (
	"errors"
	"fmt"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// explain says what a failure means and what to do about it. step is what was
// asked for: transfer, update, question.
func (p *Provider) explain(step, zone string, err error) error {
	var tsig *dnsclient.TSIGError
	var rcode *dnsclient.RcodeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tsig):
		return p.explainTSIG(step, tsig)
	case errors.As(err, &rcode):
		return p.explainRcode(step, zone, rcode)
	}
	kind, remedy := zoneio.KindOf(err), ""
	if kind == zoneio.Temporary {
		remedy = "; check that it runs and can be reached over TCP and UDP"
	}
	return &zoneio.Error{Kind: kind, Err: fmt.Errorf("%s at name server %s: %w%s", step, p.server, err, remedy)}
}

func (p *Provider) explainTSIG(step string, e *dnsclient.TSIGError) error {
	key := p.client.Key
	kind, remedy := zoneio.Credentials, "compare key_name, key_alg and key with the server's own"
	switch e.Code {
	case dns.RcodeBadKey:
		// Knot answers so to a key that it knows but doesn't let do this in this
		// zone: it says nothing about others.
		kind = zoneio.Other
		remedy = fmt.Sprintf("give the server the key %s, by this very name, and let it transfer and update the zone (BIND: allow-transfer, allow-update; Knot: an acl with both actions)", key)
	case dns.RcodeBadSig:
		remedy = fmt.Sprintf("the secret or the algorithm of the key %s differs from the server's; copy both from there", key)
	case dns.RcodeBadTime:
		remedy = "set both clocks by NTP"
	}
	return &zoneio.Error{Kind: kind, Err: fmt.Errorf("%s at name server %s: %w; %s", step, p.server, e, remedy)}
}

func (p *Provider) explainRcode(step, zone string, e *dnsclient.RcodeError) error {
	kind, remedy := zoneio.Other, "see the server's log"
	switch e.Rcode {
	case dns.RcodeYXDomain, dns.RcodeYXRrset, dns.RcodeNXRrset, dns.RcodeNameError:
		return fmt.Errorf("%s at name server %s: %w", step, p.server, portfolio.ErrStale)
	case dns.RcodeRefused:
		remedy = fmt.Sprintf("let the key %s transfer and update the zone (BIND: allow-transfer, allow-update; Knot: an acl with both actions)", p.client.Key)
		if step == "update" {
			remedy += "; or a check of the server refuses a record (BIND: check-integrity, check-names), which its log tells"
		}
	case dns.RcodeNotAuth:
		if step == "update" {
			kind = zoneio.NoZone
		}
		remedy = fmt.Sprintf("add the zone %s to the server as its primary, and let the key %s transfer and update it", zone, p.client.Key)
	case dns.RcodeNotZone:
		remedy = fmt.Sprintf("the server has another zone than %s there; check for a zone cut", zone)
	case dns.RcodeNotImplemented:
		remedy = "it takes no dynamic updates (NSD doesn't); name the primary server that does"
	case dns.RcodeServerFailure:
		kind, remedy = zoneio.Temporary, "the zone may not be loaded, or its file not writable; see the server's log"
	case dns.RcodeFormatError:
		remedy = "it can't hold one of the records; see the server's log"
	}
	return &zoneio.Error{Kind: kind, Err: fmt.Errorf("%s at name server %s: %w; %s", step, p.server, e, remedy)}
}
