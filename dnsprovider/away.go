package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"domherre/portfolio"
)

var (
	_ portfolio.Lister    = (*Set)(nil)
	_ portfolio.Delegator = (*Set)(nil)
)

// ListZones lists the zones at a provider, as Zones does.
func (s *Set) ListZones(ctx context.Context, provider string) ([]string, error) {
	return s.Zones(ctx, provider)
}

// Delegated reports whether the NS records that resolvers find for the domain
// name one of the name servers in ns, or of its provider's as configured. It
// tells no difference, and that is its error, where neither is known.
func (s *Set) Delegated(ctx context.Context, d portfolio.Domain, ns []string) (bool, error) {
	p, err := s.of(d)
	if err != nil {
		return false, err
	}
	plain := func(name string) string { return strings.TrimSuffix(dns.CanonicalName(name), ".") }
	var there []string
	for _, name := range ns {
		there = append(there, plain(name))
	}
	for _, server := range p.cfg.Nameservers {
		if server.Name != "" {
			there = append(there, plain(server.Name))
		}
	}
	if len(there) == 0 {
		return false, errors.New("the provider's name servers aren't known; write nameservers under it")
	}
	now, err := s.delegated(ctx, d.Name)
	if err != nil {
		return false, fmt.Errorf("find its name servers: %w", err)
	}
	return slices.ContainsFunc(now, func(server Nameserver) bool { return slices.Contains(there, plain(server.Name)) }), nil
}
