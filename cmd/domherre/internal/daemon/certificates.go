package daemon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"domherre/check"
	"domherre/portfolio"
	"domherre/tls"
)

// ready holds an order back on evidence that it would fail: the domain isn't
// launched, isn't delegated to us, or its name servers say otherwise. What
// can't be told holds nothing back.
func (d *daemon) ready(ctx context.Context, s tls.Subject) error {
	dom, ok := d.domainOf(s.Domain)
	if !ok {
		return nil
	}
	if now := d.now(); now.Before(dom.Launch) {
		return fmt.Errorf("launches on %s", dom.Launch.Format(time.DateOnly))
	}
	status, seen := d.book.status(s.Domain)
	if !seen {
		return fmt.Errorf("the first check is under way")
	}
	if c, ok := status.Check(check.CheckDelegation); ok && c.State == check.StateBroken {
		return fmt.Errorf("no order while the delegation is broken: %s", c.Finding)
	}
	return d.served(ctx, dom)
}

// served asks the name servers for the addresses of the hosts. Only an answer
// that differs is evidence; a server that can't be asked is none.
func (d *daemon) served(ctx context.Context, dom portfolio.Domain) error {
	want := slices.DeleteFunc(slices.Clone(d.book.wanted(dom.Name)), func(s portfolio.RRset) bool { return s.Type != "A" && s.Type != "AAAA" })
	served := d.current.Load().zones.Verify(ctx, dom, want)
	for _, server := range served.Servers {
		if len(server.Wrong) > 0 {
			return fmt.Errorf("the records are not served yet: %s: %s", server.Server, server.Wrong[0])
		}
	}
	return nil
}

// certificateChanged is told of every certificate that was issued or could not
// be. Its records and its checks depend on that.
func (d *daemon) certificateChanged(e tls.Entry) {
	dom, ok := d.domainOf(e.Domain)
	if !ok {
		return
	}
	for _, name := range e.Names {
		if e.LastError != "" {
			d.metrics.CertificateError(name)
		}
		if !e.NotAfter.IsZero() {
			d.metrics.CertificateNotAfter(name, e.NotAfter)
		}
	}
	d.zones.add(dom.Name)
	d.checks.add(dom.Name)
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
		if err := d.current.Load().certs.Reload(ctx); err != nil && ctx.Err() == nil {
			d.log.Warn("reading certificates from the state", "error", err)
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
