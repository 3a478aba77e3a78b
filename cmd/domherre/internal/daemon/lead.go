package daemon

import (
	"context"
	"errors"
	"sync"
	"time"

	"domherre/cmd/domherre/internal/wire"
	"domherre/state"
)

// Of the daemons that share a state, one leads: it reconciles, orders and renews
// certificates, and checks. The others follow: they serve what is in the state,
// and show what the leader sees. Where the state can't be asked who leads,
// nobody is known to, and a daemon works as well as it can without: zones and
// orders have leases and locks of their own.

// lead is what a daemon knows of that. At first it follows: nothing is done
// before it is clear who leads.
type lead struct {
	mu      sync.Mutex
	working bool
	lease   context.Context // of the lead; nil: somebody else has it, or nobody
	changed chan struct{}   // closed when one of these changes
}

func newLead() *lead { return &lead{changed: make(chan struct{})} }

// works reports whether this daemon works, and not only serves; changed is
// closed when its role is another.
func (l *lead) works() (working bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.working, l.changed
}

// set notes the role, and reports whether anything about it has changed.
func (l *lead) set(working bool, lease context.Context) (began, changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	began, changed = working && !l.working, working != l.working || (lease == nil) != (l.lease == nil)
	if changed {
		close(l.changed)
		l.changed = make(chan struct{})
	}
	l.working, l.lease = working, lease
	return began, changed
}

// follows reports whether another daemon works in place of this one.
func (d *daemon) follows() bool {
	working, _ := d.lead.works()
	return !working
}

// held gives the context of the lead: what is written under it is written by the
// leader. nil where this daemon hasn't got it.
func (l *lead) held() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lease == nil || l.lease.Err() != nil {
		return nil
	}
	return l.lease
}

const (
	// leadAgain is how soon a state that couldn't be asked who leads is asked
	// again.
	leadAgain = 2 * time.Second
	// ticketsEvery is how often a daemon that only serves looks whether its
	// key for session tickets is too old.
	ticketsEvery = time.Minute
)

// seekLead takes the lead as soon as it is free, and works while it has it.
func (d *daemon) seekLead(ctx context.Context) {
	for ctx.Err() == nil {
		lease, err := d.awaitLead(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			d.act(ctx, true, nil, "")
			sleep(ctx, leadAgain)
			continue
		default:
			d.act(ctx, true, lease.Context(), "")
			<-lease.Context().Done()
		}
		if lease != nil {
			d.resign(ctx, lease)
		}
	}
}

// resign gives the lead back. A daemon that ends does so when nothing is ordered
// any more: what a CA has issued just now is still to be stored under the lead.
func (d *daemon) resign(ctx context.Context, lease state.Lease) {
	if ctx.Err() != nil {
		d.ordering.Lock()
		defer d.ordering.Unlock()
	}
	lease.Release()
}

// awaitLead takes the lead, following whoever has it meanwhile.
func (d *daemon) awaitLead(ctx context.Context) (state.Lease, error) {
	id := d.current.Load().cfg.Portfolio.ID
	lease, err := wire.Lead(ctx, d.store, id, "domherre run")
	var held *state.HeldError
	if !errors.As(err, &held) {
		return lease, err
	}
	d.act(ctx, false, nil, held.Holder.String())
	return wire.AwaitLead(ctx, d.store, id, "domherre run")
}

// act takes up a role.
func (d *daemon) act(ctx context.Context, working bool, lease context.Context, leader string) {
	began, changed := d.lead.set(working, lease)
	switch {
	case !changed:
	case lease != nil:
		d.log.Info("leading: no other daemon works for this portfolio")
	case working:
		d.log.Warn("the state can't be asked which daemon leads: working without")
	default:
		d.log.Info("following: another daemon works for this portfolio, this one serves", "leader", leader)
	}
	if began {
		d.zones.addAll()
		// Looking before the first run is over would find what it is about to
		// mend; but a provider that hangs must not keep us from looking.
		first := time.AfterFunc(firstLook, d.checks.addAll)
		context.AfterFunc(ctx, func() { first.Stop() })
		d.remember(ctx)
	}
}

// keepCertificates orders and renews while this daemon works. Where it follows,
// it only serves them.
func (d *daemon) keepCertificates(ctx context.Context, n *generation) {
	for ctx.Err() == nil {
		working, changed := d.lead.works()
		if !working {
			if err := n.certs.Reload(ctx); err != nil && ctx.Err() == nil {
				n.log.Warn("reading certificates from the state", "error", err)
			}
			d.rotateTickets(ctx, n, changed)
			continue
		}
		if err := d.runCertificates(ctx, n, changed); err != nil {
			n.log.Error("certificates are not renewed any more", "error", err)
			<-ctx.Done()
		}
	}
}

// runCertificates does so until the role changes. What is written meanwhile is
// written under the lead, where this daemon has it.
func (d *daemon) runCertificates(ctx context.Context, n *generation, changed <-chan struct{}) error {
	under := ctx
	if lead := d.lead.held(); lead != nil {
		under = lead
	}
	running, stop := context.WithCancel(under)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	go func() {
		select {
		case <-running.Done():
		case <-changed:
			stop()
		}
	}()
	d.ordering.RLock()
	defer d.ordering.RUnlock()
	return n.certs.Run(running)
}

// rotateTickets does what Run does for listeners, until the role changes.
func (d *daemon) rotateTickets(ctx context.Context, n *generation, changed <-chan struct{}) {
	ticker := time.NewTicker(ticketsEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			return
		case <-ticker.C:
			n.certs.RotateTickets(ctx)
		}
	}
}

// sleep waits, or less where ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
