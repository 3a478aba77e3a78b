package rfc2136

import (
	"context"
	"errors"
	"fmt"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// explain says what a failure means and what to do about it. step is what was
// asked for: transfer, update, question.
func (p *Provider) explain(ctx context.Context, step, zone string, err error) error {
	var tsig *dnsclient.TSIGError
	var rcode *dnsclient.RcodeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tsig):
		if tsig.Code == dns.RcodeBadKey && p.keyKnown(ctx, zone) {
			return p.explainRcode(step, zone, &dnsclient.RcodeError{Rcode: dns.RcodeRefused, Signed: true})
		}
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

// keyKnown finds out whether the server knows the key at all: Knot answers
// BADKEY to a key that it knows but doesn't let do what it asks for.
func (p *Provider) keyKnown(ctx context.Context, zone string) bool {
	answer, err := p.client.Exchange(ctx, p.server, dnsclient.Question(zone, dns.TypeSOA, false))
	return err == nil && answer.IsTsig() != nil
}

func (p *Provider) explainTSIG(step string, e *dnsclient.TSIGError) error {
	key := p.client.Key
	remedy := "compare key_name, key_alg and key with the server's own"
	switch e.Code {
	case dns.RcodeBadKey:
		remedy = fmt.Sprintf("give the server the key %s and let it transfer and update the zone; its name must be the same", key)
	case dns.RcodeBadSig:
		remedy = fmt.Sprintf("the secret or the algorithm of the key %s differs from the server's; copy both from there", key)
	case dns.RcodeBadTime:
		remedy = "set both clocks by NTP"
	}
	return &zoneio.Error{Kind: zoneio.Credentials, Err: fmt.Errorf("%s at name server %s: %w; %s", step, p.server, e, remedy)}
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
