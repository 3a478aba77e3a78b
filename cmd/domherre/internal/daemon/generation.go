package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

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
	for _, dom := range append(n.leaving, cfg.Portfolio.Domains...) {
		n.domains[dom.Name.ASCII()] = dom
	}
	if n.table, err = wire.Table(cfg, n.leaving, d.now()); err != nil {
		return nil, err
	}
	if n.zones, err = wire.Providers(cfg, d.zoneStore, d.metrics.ProviderRequest, n.log); err != nil {
		return nil, err
	}
	if err := d.buildCertificates(ctx, n); err != nil {
		return nil, err
	}
	n.checker = wire.Checker(cfg, n.zones, d.store, n.log)
	return n, nil
}

// buildCertificates keeps the Manager of the current generation where nothing
// about it has changed: orders under way go on.
func (d *daemon) buildCertificates(ctx context.Context, n *generation) error {
	if old := d.current.Load(); old != nil && wire.SameCertificates(old.cfg, n.cfg) {
		n.certs, n.stop = old.certs, old.stop
		return nil
	}
	var err error
	n.certs, err = wire.Certificates(n.cfg, d.store, challenger{d}, wire.CertHooks{Ready: d.ready, Changed: d.certificateChanged}, n.log)
	if err != nil {
		return err
	}
	n.certs.Manage(d.subjects(n))
	if err := n.certs.Reload(ctx); err != nil {
		// The others are served; what could not be read is tried again.
		n.log.Error("not all certificates in the state could be read", "error", err)
	}
	return ctx.Err()
}

func (d *daemon) subjects(n *generation) []tls.Subject {
	return wire.Subjects(n.cfg, append(n.leaving[:len(n.leaving):len(n.leaving)], n.cfg.Portfolio.Domains...), d.now())
}

// adopt lets a generation take over: first the table, since names are to lead
// somewhere before they are found.
func (d *daemon) adopt(ctx context.Context, n *generation) {
	old := d.current.Swap(n)
	d.redirect.Swap(n.table)
	var names []string
	for ascii := range n.domains {
		names = append(names, ascii)
	}
	d.metrics.Portfolio(names)
	d.metrics.ConfigValid(true)
	d.metrics.ConfigReloaded(d.now())
	d.book.keep(names)
	if old != nil && old.certs == n.certs {
		n.certs.Manage(d.subjects(n))
		return
	}
	if old != nil {
		old.stop()
	}
	running, stop := context.WithCancel(ctx)
	n.stop = stop
	d.work.Go(func() {
		if err := n.certs.Run(running); err != nil {
			n.log.Error("certificates are not renewed any more", "error", err)
		}
	})
}

// reload makes a generation of the config as it is on disk now, or keeps the
// current one and says why.
func (d *daemon) reload(ctx context.Context) {
	d.changing.Lock()
	defer d.changing.Unlock()
	cfg, problems := d.load()
	d.sources.Store(&cfg.Sources)
	for _, p := range problems.Warnings() {
		d.log.Warn("config: "+p.Message, "at", p.Place(), "hint", p.Hint)
	}
	if problems.Err() != nil {
		d.metrics.ConfigValid(false)
		for _, p := range problems.Errors() {
			d.log.Error("config: "+p.Message, "at", p.Place(), "hint", p.Hint)
		}
		d.log.Error("the config has faults: the one before stays in force", "faults", len(problems.Errors()))
		return
	}
	old := d.current.Load()
	if err := sameForLife(old.cfg, cfg); err != nil {
		d.log.Warn("a part of the new config waits for a restart", "error", err)
	}
	next, err := d.build(ctx, cfg)
	if err != nil {
		d.metrics.ConfigValid(false)
		d.log.Error("the new config can't be used: the one before stays in force", "error", cfg.Redact(err.Error()))
		return
	}
	d.adopt(ctx, next)
	d.remember(ctx)
	changed := wire.ChangedDomains(old.cfg, cfg)
	d.log.Info("config reloaded", "domains", len(cfg.Portfolio.Domains), "changed", len(changed))
	d.zones.add(changed...)
	d.checks.add(changed...)
}

// refresh makes the current generation anew from its own config: a launch date
// has come, or a domain was pruned.
func (d *daemon) refresh(ctx context.Context) {
	d.changing.Lock()
	defer d.changing.Unlock()
	next, err := d.build(ctx, d.current.Load().cfg)
	if err != nil {
		d.log.Error("the portfolio can't be refreshed", "error", err)
		return
	}
	d.adopt(ctx, next)
}

// sameForLife reports what only a restart can change.
func sameForLife(old, next *config.Config) error {
	var errs []error
	if old.State != next.State {
		errs = append(errs, errors.New("state"))
	}
	if old.Portfolio.ID != next.Portfolio.ID {
		errs = append(errs, errors.New("portfolio"))
	}
	for _, l := range []struct{ key, old, next string }{
		{"http", old.Listen.HTTP, next.Listen.HTTP}, {"https", old.Listen.HTTPS, next.Listen.HTTPS},
		{"admin", old.Listen.Admin, next.Listen.Admin}, {"dns", old.Listen.DNS, next.Listen.DNS},
	} {
		if l.old != l.next {
			errs = append(errs, fmt.Errorf("listen.%s", l.key))
		}
	}
	return errors.Join(errs...)
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
