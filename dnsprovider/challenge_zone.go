package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"domherre/portfolio"
)

// holder gives the zone of ours that a name lies in, with its content: that of
// the registrable domain, or one below it where it delegates the name further,
// or isn't ours.
func (s *Set) holder(ctx context.Context, name string) (place, portfolio.Zone, error) {
	registrable, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return place{}, portfolio.Zone{}, fmt.Errorf("%s lies in no registrable domain: %w", name, err)
	}
	top, err := portfolio.ParseName(registrable)
	if err != nil {
		return place{}, portfolio.Zone{}, err
	}
	at, now, err := s.within(ctx, top, name)
	if err == nil {
		return at, now, nil
	}
	for _, zone := range zonesBetween(top, name) {
		if at, now, below := s.within(ctx, zone, name); below == nil {
			return at, now, nil
		}
	}
	return place{}, portfolio.Zone{}, err
}

// within gives a zone of ours, or that which it delegates a name to.
func (s *Set) within(ctx context.Context, zone portfolio.Name, name string) (place, portfolio.Zone, error) {
	p, now, err := s.keeper(ctx, zone)
	if err != nil {
		return place{}, portfolio.Zone{}, err
	}
	for _, child := range zonesBetween(zone, name) {
		owner, _ := zone.Relative(child.ASCII())
		if _, ok := now.Find(portfolio.Key{Name: owner, Type: "NS"}); ok {
			return s.within(ctx, child, name)
		}
	}
	owner, _ := zone.Relative(name)
	return place{p, zone, owner}, now, nil
}

// zonesBetween lists what can be a zone below top that holds name, the nearest
// to the name first.
func zonesBetween(top portfolio.Name, name string) []portfolio.Name {
	var all []portfolio.Name
	for ; name != top.ASCII() && name != ""; _, name, _ = strings.Cut(name, ".") {
		var zone portfolio.Name
		if zone.UnmarshalText([]byte(name)) == nil { // with an underscore in it, it is none
			all = append(all, zone)
		}
	}
	return all
}

// keeper gives the provider that has a zone, with its content.
func (s *Set) keeper(ctx context.Context, zone portfolio.Name) (*provider, portfolio.Zone, error) {
	candidates := s.providers
	if s.deps.Provider != nil {
		if named, ok := s.deps.Provider(zone); ok {
			candidates = slices.DeleteFunc(slices.Clone(s.providers), func(p *provider) bool { return p.cfg.Name != named })
		}
	}
	var failures []error
	for _, p := range candidates {
		now, err := p.observe(ctx, zone)
		switch {
		case err != nil:
			failures = append(failures, p.explain(zone, "read the zone", err))
		case !now.Missing:
			return p, now, nil
		}
	}
	if len(failures) > 0 {
		return nil, portfolio.Zone{}, errors.Join(failures...)
	}
	return nil, portfolio.Zone{}, fmt.Errorf("%s: no provider of ours has the zone; apply it first, or challenge by http-01", zone)
}
