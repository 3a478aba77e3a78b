package wire

import (
	"context"
	"errors"

	"domherre/portfolio"
)

// plain is zones whose errors leave the domain, the step and the provider to the
// reconciler, which names them too.
type plain struct{ portfolio.Zones }

// Observe implements portfolio.Zones.
func (p plain) Observe(ctx context.Context, d portfolio.Domain) (portfolio.Zone, error) {
	z, err := p.Zones.Observe(ctx, d)
	return z, within(err)
}

// ObserveFull implements portfolio.FullObserver.
func (p plain) ObserveFull(ctx context.Context, d portfolio.Domain) (portfolio.Zone, error) {
	full, ok := p.Zones.(portfolio.FullObserver)
	if !ok {
		return p.Observe(ctx, d)
	}
	z, err := full.ObserveFull(ctx, d)
	return z, within(err)
}

// Write implements portfolio.Zones.
func (p plain) Write(ctx context.Context, w portfolio.Write) error {
	return within(p.Zones.Write(ctx, w))
}

// WriteAndRead implements portfolio.WriteReader.
func (p plain) WriteAndRead(ctx context.Context, w portfolio.Write) (portfolio.Zone, error) {
	if reader, ok := p.Zones.(portfolio.WriteReader); ok {
		z, err := reader.WriteAndRead(ctx, w)
		return z, within(err)
	}
	if err := p.Write(ctx, w); err != nil {
		return portfolio.Zone{}, err
	}
	return p.Observe(ctx, w.Domain)
}

// ListZones implements portfolio.Lister.
func (p plain) ListZones(ctx context.Context, provider string) ([]string, error) {
	if lister, ok := p.Zones.(portfolio.Lister); ok {
		return lister.ListZones(ctx, provider)
	}
	return nil, errors.ErrUnsupported
}

// Delegated implements portfolio.Delegator.
func (p plain) Delegated(ctx context.Context, d portfolio.Domain, ns []string) (bool, error) {
	if delegator, ok := p.Zones.(portfolio.Delegator); ok {
		return delegator.Delegated(ctx, d, ns)
	}
	return false, errors.ErrUnsupported
}

// within takes off the outermost words of an error, where it has any.
func within(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}
