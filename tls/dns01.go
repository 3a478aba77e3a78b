package tls

import (
	"context"

	"github.com/mholt/acmez/v3/acme"
)

// dnsSolver solves dns-01 (RFC 8555, section 8.4) through a DNSPresenter,
// which knows the zones: there is none to discover and nothing to wait for but
// the name servers themselves.
type dnsSolver struct{ dns DNSPresenter }

// Present adds the TXT record.
func (s dnsSolver) Present(ctx context.Context, ch acme.Challenge) error {
	return s.dns.Present(ctx, ch.DNS01TXTRecordName()+".", ch.DNS01KeyAuthorization())
}

// Wait returns once all name servers serve it.
func (s dnsSolver) Wait(ctx context.Context, ch acme.Challenge) error {
	return s.dns.Wait(ctx, ch.DNS01TXTRecordName()+".", ch.DNS01KeyAuthorization())
}

// CleanUp removes the TXT record.
func (s dnsSolver) CleanUp(ctx context.Context, ch acme.Challenge) error {
	return s.dns.CleanUp(ctx, ch.DNS01TXTRecordName()+".", ch.DNS01KeyAuthorization())
}
