// Package dnsprovider is everything that speaks DNS to the outside: the
// providers that keep the zones, by libdns' interfaces; the limits and retries
// between us and them; the questions to the authoritative servers, which tell
// what is really served; and the challenges of dns-01.
package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"domherre/dnsprovider/dnsclient"
	"domherre/dnsprovider/embedded"
	"domherre/portfolio"
)

// Config is one entry of providers:.
type Config struct {
	Name        string         // key under providers:
	Type        string         // one of Types
	Settings    map[string]any // of the type, secrets filled in
	Nameservers []Nameserver   // that serve its zones; looked up by their NS records where there are none
	Limits      Limits
}

// Nameserver is an authoritative server.
type Nameserver struct {
	Name string         // "ns1.example.net"; may be empty where Addr is given
	Addr netip.AddrPort // zero: to be looked up, port 53
}

func (n Nameserver) String() string {
	if !n.Addr.IsValid() {
		return n.Name
	}
	if n.Name == "" {
		return n.Addr.String()
	}
	return n.Name + " (" + n.Addr.String() + ")"
}

// Store is the part of the state that the room needs.
type Store interface{ embedded.Store }

// Limits bound what is asked of a provider. Zero values stand for the type's
// own defaults.
type Limits struct {
	Concurrency       int           // requests at once; adapts downwards where the provider can't bear it
	RequestsPerSecond float64       // 0: no limit
	Timeout           time.Duration // of one request
	Retries           int           // after the first try; negative for none
}

// or fills in what l leaves out.
func (l Limits) or(d Limits) Limits {
	if l.Concurrency <= 0 {
		l.Concurrency = d.Concurrency
	}
	if l.RequestsPerSecond <= 0 {
		l.RequestsPerSecond = d.RequestsPerSecond
	}
	if l.Timeout <= 0 {
		l.Timeout = d.Timeout
	}
	if l.Retries == 0 {
		l.Retries = d.Retries
	}
	return l
}

// Deps is what the room needs from the others. All of it but Store may be zero.
type Deps struct {
	Store     Store    // keeps the zones of the embedded type, and locks zones across processes
	Resolvers []string // host or host:port; those of the system where empty
	Log       *slog.Logger
	HTTP      *http.Client
	Now       func() time.Time

	// Provider names the provider that keeps a domain's zone, for dns-01; false
	// where the domain is not of the portfolio: then every provider is asked.
	Provider func(portfolio.Name) (string, bool)

	// Requested is told of every request made: op is read, write or list;
	// outcome is ok, temporary, credentials, no_zone, unsupported, stale or error.
	Requested func(provider, op, outcome string)
}

// Set is the providers of one config. It implements portfolio.Zones and is safe
// for concurrent use.
type Set struct {
	providers []*provider // the first is the default
	resolver  *dnsclient.Resolver
	noLookup  error // why there is no resolver
	deps      Deps
}

var (
	_ portfolio.Zones        = (*Set)(nil)
	_ portfolio.FullObserver = (*Set)(nil)
	_ portfolio.WriteReader  = (*Set)(nil)
)

// Open makes the providers of a config. Nothing is asked of them yet. The error
// joins one for each provider that can't be made.
func Open(cfgs []Config, d Deps) (*Set, error) { return open(cfgs, d, rows()) }

func open(cfgs []Config, d Deps, table []row) (*Set, error) {
	if d.Log == nil {
		d.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Requested == nil {
		d.Requested = func(string, string, string) {}
	}
	s := &Set{deps: d}
	var failures []error
	for _, cfg := range cfgs {
		cfg.Nameservers = asASCII(cfg.Nameservers)
		p, err := newProvider(cfg, d, table)
		if err != nil {
			failures = append(failures, fmt.Errorf("provider %s: %w", cfg.Name, err))
			continue
		}
		s.providers = append(s.providers, p)
	}
	// A missing resolver is told to those alone who need one.
	s.resolver, s.noLookup = dnsclient.NewResolver(d.Resolvers)
	return s, errors.Join(failures...)
}

// Observe reads the domain's zone; what its provider can tell unchanged by its
// serial is not read again.
func (s *Set) Observe(ctx context.Context, d portfolio.Domain) (portfolio.Zone, error) {
	p, err := s.of(d)
	if err != nil {
		return portfolio.Zone{}, err
	}
	z, err := p.observe(ctx, d.Name)
	return z, p.explain(d.Name, "read the zone", err)
}

// ObserveFull reads the domain's zone, whatever its serial.
func (s *Set) ObserveFull(ctx context.Context, d portfolio.Domain) (portfolio.Zone, error) {
	if p, err := s.of(d); err == nil {
		p.forget(d.Name)
	}
	return s.Observe(ctx, d)
}

// Write carries out w: see portfolio.Zones.
func (s *Set) Write(ctx context.Context, w portfolio.Write) error {
	_, err := s.WriteAndRead(ctx, w)
	return err
}

// WriteAndRead carries out w, and gives the zone as it was read again after it.
func (s *Set) WriteAndRead(ctx context.Context, w portfolio.Write) (portfolio.Zone, error) {
	p, err := s.of(w.Domain)
	if err != nil {
		return portfolio.Zone{}, err
	}
	after, err := p.write(ctx, w.Domain.Name, &w.Observed, func(portfolio.Zone) (*portfolio.Zone, []portfolio.Step) {
		return &w.Observed, w.Steps
	})
	return after, p.explain(w.Domain.Name, "write the zone", err)
}

// Zones lists the zones at a provider, as their names there. The error wraps
// errors.ErrUnsupported where the provider can't list them.
func (s *Set) Zones(ctx context.Context, provider string) ([]string, error) {
	p, err := s.of(portfolio.Domain{Provider: provider})
	if err != nil {
		return nil, err
	}
	names, err := p.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("provider %s: list the zones: %w", p.cfg.Name, err)
	}
	return names, nil
}

// Sync brings what a provider writes into its zones by itself, such as the
// embedded server's NS records, in line with the config, and gives the number of
// zones that it changed. Zones that two providers keep in one place follow
// neither: each would undo what the other did.
func (s *Set) Sync(ctx context.Context) (int, error) {
	type syncer interface {
		Sync(ctx context.Context) (int, error)
	}
	var only syncer
	var name string
	for _, p := range s.providers {
		if own, ok := p.impl.(syncer); ok && only != nil {
			return 0, nil
		} else if ok {
			only, name = own, p.cfg.Name
		}
	}
	if only == nil {
		return 0, nil
	}
	changed, err := only.Sync(ctx)
	if err != nil {
		err = fmt.Errorf("provider %s: bring its zones in line with the config: %w", name, err)
	}
	return changed, err
}

// of gives the provider that keeps the domain's zone.
func (s *Set) of(d portfolio.Domain) (*provider, error) {
	for _, p := range s.providers {
		if p.cfg.Name == d.Provider || d.Provider == "" {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s: no provider is named %q; name one of those under providers", d.Name, d.Provider)
}
