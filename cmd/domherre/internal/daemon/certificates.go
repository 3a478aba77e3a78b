package daemon

import (
	"context"
	"errors"
	"strings"
	"time"

	"domherre/check"
	"domherre/cmd/domherre/internal/wire"
	"domherre/portfolio"
	"domherre/tls"
)

// Reasons that hold an order back, in the languages of the page.
var (
	reasonFirstCheck = told{"den första kontrollen pågår", "the first check is under way"}
	reasonDelegation = told{"ingen beställning medan delegeringen är fel: ", "no order while the delegation is broken: "}
	reasonNotServed  = told{"posterna syns inte som de ska än hos ", "the records are not served as wanted yet by "}
)

// ready holds an order back on evidence that it would fail: the domain isn't
// delegated to us, or its name servers say otherwise. What can't be told holds
// nothing back.
func (d *daemon) ready(ctx context.Context, s tls.Subject) error {
	dom, ok := d.domainOf(s.Domain)
	if !ok {
		return nil
	}
	language := d.current.Load().cfg.Language
	status, seen := d.book.status(s.Domain)
	if !seen {
		return errors.New(reasonFirstCheck.in(language))
	}
	if c, ok := status.Check(check.CheckDelegation); ok && c.State == check.StateBroken {
		return errors.New(reasonDelegation.in(language) + strings.TrimSuffix(c.Finding, "."))
	}
	if server := d.notServed(ctx, dom); server != "" {
		return errors.New(reasonNotServed.in(language) + server)
	}
	return nil
}

// notServed asks the name servers for the addresses of the hosts, and names one
// that answers otherwise. A server that can't be asked is no evidence.
func (d *daemon) notServed(ctx context.Context, dom portfolio.Domain) string {
	n := d.current.Load()
	served := n.zones.Verify(ctx, dom, wire.HostAddresses(n.cfg, dom, d.now()))
	for _, server := range served.Servers {
		if len(server.Wrong) > 0 {
			return server.Server
		}
	}
	return ""
}

// certificateChanged is told of every certificate that was issued or could not
// be. Its records and its checks depend on that.
func (d *daemon) certificateChanged(e tls.Entry) {
	dom, ok := d.domainOf(e.Domain)
	if !ok {
		return
	}
	if e.LastError != "" {
		for _, name := range e.Names {
			d.metrics.CertificateError(name)
		}
	}
	d.countCertificate(e)
	d.zones.add(dom.Name)
	d.checks.add(dom.Name)
}

// countCertificates tells the metrics when each certificate expires.
func (d *daemon) countCertificates(n *generation) {
	for _, e := range n.certs.Inventory() {
		d.countCertificate(e)
	}
}

func (d *daemon) countCertificate(e tls.Entry) {
	if e.NotAfter.IsZero() {
		return
	}
	for _, name := range e.Names {
		d.metrics.CertificateNotAfter(name, e.NotAfter)
	}
}

// watchCertificates takes in what other processes issue.
func (d *daemon) watchCertificates(ctx context.Context) {
	keys, err := d.store.Watch(ctx, tls.StoragePrefix)
	if err != nil {
		d.log.Error("certificates that other processes issue are served after a restart only", "error", err)
		return
	}
	for range keys {
		settle(ctx, keys, 50*time.Millisecond)
		d.reloadCertificates(ctx)
	}
}

// reloadCertificates takes in what is new in the state. Records and checks
// depend on it.
func (d *daemon) reloadCertificates(ctx context.Context) {
	n := d.current.Load()
	before := wire.Entries(n.certs.Inventory())
	if err := n.certs.Reload(ctx); err != nil && ctx.Err() == nil {
		n.log.Warn("reading certificates from the state", "error", err)
	}
	for _, e := range n.certs.Inventory() {
		if dom, ok := n.domains[e.Domain]; ok && e.Serial != before[e.Domain].Serial {
			d.countCertificate(e)
			d.zones.add(dom.Name)
			d.checks.add(dom.Name)
		}
	}
}

// settle takes what comes along within d, so that it is worked on once.
func settle[T any](ctx context.Context, c <-chan T, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case _, ok := <-c:
			if !ok {
				return
			}
		}
	}
}
