package daemon

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"domherre/cmd/domherre/internal/wire"
	"domherre/tls"
)

// reasonFirstCheck holds an order back until it is known whether it can succeed.
var reasonFirstCheck = told{"den första kontrollen pågår", "the first check is under way"}

// ready holds an order back on evidence that it would fail: the domain isn't
// delegated to us, its signatures are broken, or its name servers lead
// elsewhere. What can't be told holds nothing back.
func (d *daemon) ready(ctx context.Context, s tls.Subject) error {
	dom, ok := d.domainOf(s.Domain)
	if !ok {
		return nil
	}
	evidence := d.evidence()
	status, seen := d.book.status(s.Domain)
	if !seen {
		return errors.New(reasonFirstCheck.in(evidence.Config.Language))
	}
	if err := evidence.Undelegated(status); err != nil {
		return err
	}
	return evidence.NotServed(ctx, dom)
}

// permits tells where CAA records forbid an issuer.
func (d *daemon) permits(ctx context.Context, s tls.Subject, id tls.CAAIdentity) error {
	dom, ok := d.domainOf(s.Domain)
	if !ok {
		return nil
	}
	return d.evidence().Forbidden(ctx, dom, s.Names, id)
}

func (d *daemon) evidence() wire.Evidence {
	n := d.current.Load()
	return wire.Evidence{Config: n.cfg, Zones: n.zones, Now: d.now}
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

// awaitCertificates waits until all certificates are loaded: records depend on
// them. Handshakes don't wait for it. What loading leaves behind is given back.
func (d *daemon) awaitCertificates(ctx context.Context, n *generation) {
	select {
	case <-n.certs.Loaded():
		d.countCertificates(n)
		debug.FreeOSMemory()
	case <-ctx.Done():
	}
}

// certificateList is what there is, and what waits. A daemon that follows knows of
// that what the leader has seen.
func (d *daemon) certificateList() wire.CertificateList {
	n := d.current.Load()
	list := wire.CertificatesJSON(n.cfg, n.certs, d.now())
	if r := d.leaders.Load(); r != nil && d.follows() {
		for i := range list.Waiting {
			if w := &list.Waiting[i]; w.State != wire.StatePlanned {
				w.Waiting, w.LastError, w.Attempts, w.NextTry = "", "", 0, nil // from when it led, if it did
			}
		}
		list.Explain(*r)
	}
	return list
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
	d.reloadCertificates(ctx) // what came before the watch
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
