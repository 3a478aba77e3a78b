package daemon

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"domherre/check"
	"domherre/cmd/domherre/internal/wire"
	"domherre/config"
	"domherre/dnsprovider"
	"domherre/portfolio"
	"domherre/redirect"
	"domherre/tls"
)

// generation is one config with the rooms made from it. It doesn't change.
type generation struct {
	cfg     *config.Config
	leaving []portfolio.Domain          // left the list, not pruned
	domains map[string]portfolio.Domain // by A-labels, those leaving included
	zones   *dnsprovider.Set
	certs   *tls.Manager
	checker *check.Checker
	table   *redirect.Table
	admin   http.Handler
	log     *slog.Logger
	stop    context.CancelFunc
}

// build makes the next generation whole, and changes nothing that runs.
func (d *daemon) build(ctx context.Context, cfg *config.Config) (*generation, error) {
	accepted, err := (wire.Accepted{Storage: d.store}).LoadAccepted(ctx, cfg.Portfolio.ID)
	if err != nil {
		// Without it domains that left the list aren't known; the others are.
		d.log.Error("domains that left the list are not served", "error", err)
	}
	n := &generation{cfg: cfg, leaving: portfolio.Leaving(cfg.Portfolio, accepted), log: d.newLog(cfg), domains: map[string]portfolio.Domain{}}
	for _, dom := range n.all() {
		n.domains[dom.Name.ASCII()] = dom
	}
	served, err := (wire.HSTS{Storage: d.store}).Settle(ctx, cfg.Portfolio.ID, n.all())
	if err != nil {
		n.log.Error("domains whose hsts is switched off don't tell browsers", "error", err)
	}
	if n.table, err = redirect.NewTable(wire.Sites(cfg, served, d.now())); err != nil {
		return nil, err
	}
	if err := d.buildProviders(n); err != nil {
		return nil, err
	}
	if err := d.buildCertificates(ctx, n); err != nil {
		return nil, err
	}
	n.checker = wire.Checker(cfg, n.zones, n.certs, d.store, n.log)
	n.admin = d.adminHandler(n)
	return n, nil
}

// all lists the domains, those leaving last.
func (n *generation) all() []portfolio.Domain {
	return slices.Concat(n.cfg.Portfolio.Domains, n.leaving)
}

// buildProviders keeps the current generation's where nothing about them has
// changed: what a provider asked for, such as to be left alone, isn't forgotten.
func (d *daemon) buildProviders(n *generation) (err error) {
	if old := d.current.Load(); old != nil && wire.SameProviders(old.cfg, n.cfg) {
		n.zones = old.zones
		return nil
	}
	n.zones, err = wire.Providers(n.cfg, d.zoneStore, wire.ProviderHooks{Keeper: d.keeperOf, Requested: d.metrics.ProviderRequest}, n.log)
	return err
}

// keeperOf names the provider that keeps a domain's zone.
func (d *daemon) keeperOf(name portfolio.Name) (string, bool) {
	dom, ok := d.domainOf(name.ASCII())
	return dom.Provider, ok
}

// buildCertificates keeps the Manager of the current generation where nothing
// about it has changed: orders under way go on.
func (d *daemon) buildCertificates(ctx context.Context, n *generation) error {
	if old := d.current.Load(); old != nil && wire.SameCertificates(old.cfg, n.cfg) {
		n.certs, n.stop = old.certs, old.stop
		return nil
	}
	var err error
	n.certs, err = wire.Certificates(n.cfg, d.store, challenger{d}, wire.CertHooks{Ready: d.ready, Permits: d.permits, Changed: d.certificateChanged}, n.log)
	if err != nil {
		return err
	}
	n.certs.Manage(d.subjects(n))
	if d.current.Load() == nil {
		return nil // at start Run loads them: the listeners needn't wait
	}
	if err := n.certs.Reload(ctx); err != nil {
		// The others are served; what could not be read is tried again.
		n.log.Error("not all certificates in the state could be read", "error", err)
	}
	return ctx.Err()
}

func (d *daemon) subjects(n *generation) []tls.Subject {
	return wire.Subjects(n.cfg, n.all(), d.now())
}

// adopt lets a generation take over: first the table, since names are to lead
// somewhere before they are found.
func (d *daemon) adopt(ctx context.Context, n *generation) {
	old := d.current.Swap(n)
	names := slices.Collect(maps.Keys(n.domains))
	d.visits.Domains(names)
	d.redirect.Swap(n.table)
	d.metrics.Portfolio(names)
	d.metrics.Certificates(certified(d.subjects(n)))
	d.book.keep(names, n.providers())
	defer d.countCertificates(n)
	if old != nil && old.certs == n.certs {
		n.certs.Manage(d.subjects(n))
		return
	}
	if old != nil {
		old.stop()
	}
	running, stop := context.WithCancel(ctx)
	n.stop = stop
	d.work.Go(func() { d.keepCertificates(running, n) })
}

// certified lists all names that certificates are wanted for.
func certified(subjects []tls.Subject) []string {
	var names []string
	for _, s := range subjects {
		names = append(names, s.Names...)
	}
	return names
}

// challenger answers dns-01 challenges through the providers of whichever
// generation is current.
type challenger struct{ d *daemon }

// Present implements tls.DNSPresenter.
func (c challenger) Present(ctx context.Context, fqdn, value string) error {
	return c.d.current.Load().zones.Present(ctx, fqdn, value)
}

// Wait implements tls.DNSPresenter.
func (c challenger) Wait(ctx context.Context, fqdn, value string) error {
	return c.d.current.Load().zones.Wait(ctx, fqdn, value)
}

// CleanUp implements tls.DNSPresenter.
func (c challenger) CleanUp(ctx context.Context, fqdn, value string) error {
	return c.d.current.Load().zones.CleanUp(ctx, fqdn, value)
}
