package daemon

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"domherre/cmd/domherre/internal/wire"
	"domherre/portfolio"
	"domherre/state"
)

const (
	// fullEvery is how many regular runs pass until zones that show no sign of
	// change are read whole all the same.
	fullEvery = 12
	// factsLimit bounds how long a run waits for what only a CA can tell. The
	// records that depend on it come with a later run.
	factsLimit = 3 * time.Second
)

// reconcileLoop works on what the queue holds, and on everything at the
// regular interval: providers side by side.
func (d *daemon) reconcileLoop(ctx context.Context) {
	lanes := newLanes()
	var runs sync.WaitGroup
	defer runs.Wait()
	synced := false
	began := d.now()
	for run := 0; ; {
		regular := time.NewTimer(began.Add(jittered(d.current.Load().cfg.Reconcile.Every)).Sub(d.now()))
		regularly := false
		select {
		case <-ctx.Done():
			regular.Stop()
			return
		case <-d.zones.wake:
			regular.Stop()
		case <-regular.C:
			regularly, began = true, d.now()
			run++
			runs.Go(func() { d.sweep(ctx) })
		}
		all, names := d.zones.take()
		if d.follows() {
			synced = false
			continue
		}
		if !synced {
			d.sync(ctx)
			synced = true
		}
		d.assign(lanes, all || regularly, regularly && run%fullEvery == 0, names)
		for _, w := range lanes.take() {
			runs.Go(func() {
				defer d.zones.signal() // what came for the lane meanwhile
				defer lanes.done(w.provider)
				d.reconcile(ctx, w)
			})
		}
	}
}

// assign sorts domains into the lanes of their providers.
func (d *daemon) assign(l *lanes, all, full bool, names []portfolio.Name) {
	n := d.current.Load()
	for _, name := range names {
		if dom, ok := n.domains[name.ASCII()]; ok {
			l.add(dom.Provider, name, false)
		}
	}
	if all {
		for _, dom := range n.domains {
			l.add(dom.Provider, portfolio.Name{}, full)
		}
	}
}

// jittered spreads the runs of many daemons.
func jittered(every time.Duration) time.Duration {
	return every + rand.N(every/10+1)
}

// reconcile runs once under the lease, and puts what comes of it into the book.
func (d *daemon) reconcile(ctx context.Context, w work) {
	n := d.current.Load()
	o := w.options()
	if o.Only = n.known(o.Only); o.Only != nil && len(o.Only) == 0 {
		return
	}
	began := d.now()
	report, err := d.runOnce(ctx, n, o)
	if ctx.Err() != nil {
		return
	}
	outcome := report.Exit()
	if err != nil {
		outcome = portfolio.ExitFailed
	}
	d.metrics.ReconcileDone(string(outcome), d.now().Sub(began))
	if err != nil {
		d.runFailed(ctx, n, w, err)
	} else {
		d.complaints.settled("run " + w.provider)
	}
	if len(report.Plan.Domains) > 0 {
		d.account(n, w, report)
	}
	d.lookedFirst(n, w.provider)
}

// runFailed takes in what stopped a run as a whole, such as a state that can't
// be written.
func (d *daemon) runFailed(ctx context.Context, n *generation, w work, err error) {
	text := n.cfg.Redact(err.Error())
	if d.complaints.fresh("run "+w.provider, text) {
		n.log.Error("reconciling", "provider", w.provider, "error", text)
	}
	d.probe(ctx)
	for _, dom := range n.domains {
		if dom.Provider == w.provider && (w.all || w.names[dom.Name]) {
			d.zoneRetry.unwell(dom.Name, n.cfg.Reconcile.Every)
		}
	}
}

// lookedFirst has a provider's domains checked once its first run is over.
func (d *daemon) lookedFirst(n *generation, provider string) {
	if _, before := d.ranBefore.LoadOrStore(provider, true); before {
		return
	}
	var names []portfolio.Name
	for _, dom := range n.domains {
		if dom.Provider == provider {
			names = append(names, dom.Name)
		}
	}
	d.checks.add(names...)
}

func (d *daemon) runOnce(ctx context.Context, n *generation, o portfolio.Options) (portfolio.Report, error) {
	permitted, release, err := d.permit.take(ctx, d.store, n.cfg.Portfolio.ID, func(h *state.HeldError) {
		n.log.Info("waiting for another process to finish", "holder", h.Holder.String())
	})
	if err != nil {
		return d.lookOnly(ctx, n, o), err
	}
	defer release()
	ctx = permitted
	r := d.reconciler(ctx, n)
	o.By, o.Prune, o.Waves = daemonName(), n.cfg.Reconcile.Prune, n.cfg.Reconcile.Waves
	if !n.cfg.Reconcile.Apply {
		plan, err := r.Plan(ctx, n.cfg.Portfolio, o)
		return portfolio.Report{Plan: plan}, err
	}
	return r.RunOnce(ctx, n.cfg.Portfolio, o)
}

// lookOnly plans where nothing can be changed since the state can't be written:
// what should be served is known, and checked, all the same.
func (d *daemon) lookOnly(ctx context.Context, n *generation, o portfolio.Options) portfolio.Report {
	if d.probe(ctx); d.degraded.Load() == nil || ctx.Err() != nil {
		return portfolio.Report{}
	}
	o.Prune = n.cfg.Reconcile.Prune
	plan, err := d.reconciler(ctx, n).Plan(ctx, n.cfg.Portfolio, o)
	if err != nil {
		return portfolio.Report{}
	}
	return portfolio.Report{Plan: plan}
}

func (d *daemon) reconciler(ctx context.Context, n *generation) *portfolio.Reconciler {
	asking, cancel := context.WithTimeout(ctx, factsLimit)
	facts := wire.FactsOf(asking, n.cfg, n.certs, d.now())
	cancel()
	r := wire.NewReconciler(n.cfg, n.zones, d.store, facts, nil)
	r.Accepted = d.accepted.Run()
	return r
}

// sync brings what the embedded server writes into zones by itself in line with
// the config.
func (d *daemon) sync(ctx context.Context) {
	n := d.current.Load()
	changed, err := n.zones.Sync(ctx)
	if err != nil && ctx.Err() == nil {
		n.log.Error("the zones' name servers are not as configured: tried again at the next start or reload", "error", n.cfg.Redact(err.Error()))
	}
	if changed > 0 {
		n.log.Info("zones follow the name servers of the config", "zones", changed)
	}
}

// sweep removes challenges that a process didn't live to remove.
func (d *daemon) sweep(ctx context.Context) {
	n := d.current.Load()
	swept, err := n.zones.Sweep(ctx)
	if err != nil && ctx.Err() == nil && d.complaints.fresh("challenges", err.Error()) {
		n.log.Warn("challenges that were left behind stay: tried again", "error", n.cfg.Redact(err.Error()))
	}
	if swept > 0 {
		n.log.Info("challenges that were left behind are removed", "challenges", swept)
	}
}

func daemonName() string {
	host, err := os.Hostname()
	if err != nil {
		return "daemon"
	}
	return "daemon@" + host
}

// known leaves out names that are no longer of the portfolio; nil stays nil.
func (n *generation) known(names []portfolio.Name) []portfolio.Name {
	if names == nil {
		return nil
	}
	known := make([]portfolio.Name, 0, len(names))
	for _, name := range names {
		if _, ok := n.domains[name.ASCII()]; ok {
			known = append(known, name)
		}
	}
	return known
}

// cancelled reports whether a failure only means that we stopped.
func cancelled(err error) bool { return errors.Is(err, context.Canceled) }
