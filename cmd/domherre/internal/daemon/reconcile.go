package daemon

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"domherre/cmd/domherre/internal/wire"
	"domherre/portfolio"
	"domherre/state"
)

// fullEvery is how many regular runs pass until zones that show no sign of
// change are read whole all the same.
const fullEvery = 12

// reconcileLoop works on what the queue holds, and on everything at the
// regular interval.
func (d *daemon) reconcileLoop(ctx context.Context) {
	looked := false // at the domains, after the first run
	for run := 0; ; {
		regular := time.NewTimer(jittered(d.current.Load().cfg.Reconcile.Every))
		select {
		case <-ctx.Done():
			regular.Stop()
			return
		case <-d.zones.wake:
			regular.Stop()
		case <-regular.C:
			d.zones.addAll()
			run++
		}
		all, names := d.zones.take()
		if all {
			names = nil
		} else if len(names) == 0 {
			continue
		}
		d.reconcile(ctx, portfolio.Options{Only: names, Full: all && run > 0 && run%fullEvery == 0})
		if !looked {
			looked = true
			d.checks.addAll()
		}
	}
}

// jittered spreads the runs of many daemons.
func jittered(every time.Duration) time.Duration {
	return every + rand.N(every/10+1)
}

// reconcile runs once under the lease, and puts what comes of it into the book.
func (d *daemon) reconcile(ctx context.Context, o portfolio.Options) {
	n := d.current.Load()
	o.Only = n.known(o.Only)
	if o.Only != nil && len(o.Only) == 0 {
		return
	}
	began := d.now()
	report, err := d.runOnce(ctx, n, o)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		n.log.Error("reconciling", "error", n.cfg.Redact(err.Error()))
		d.metrics.ReconcileDone(string(portfolio.ExitFailed), d.now().Sub(began))
		for _, dom := range n.domains {
			d.zoneRetry.unwell(dom.Name, n.cfg.Reconcile.Every)
		}
		return
	}
	d.metrics.ReconcileDone(string(report.Exit()), d.now().Sub(began))
	d.account(ctx, n, report)
}

func (d *daemon) runOnce(ctx context.Context, n *generation, o portfolio.Options) (portfolio.Report, error) {
	lease, err := wire.Lease(ctx, d.store, n.cfg.Portfolio.ID, "domherre run", func(h *state.HeldError) {
		n.log.Info("waiting for another process to finish", "holder", h.Holder.String())
	})
	if err != nil {
		return portfolio.Report{}, err
	}
	defer lease.Release()
	ctx = lease.Context()
	facts := wire.FactsOf(ctx, n.cfg, n.certs, d.now())
	r := wire.NewReconciler(n.cfg, n.zones, d.store, facts, nil)
	o.By, o.Prune = daemonName(), n.cfg.Reconcile.Prune
	if !n.cfg.Reconcile.Apply {
		plan, err := r.Plan(ctx, n.cfg.Portfolio, o)
		return portfolio.Report{Plan: plan}, err
	}
	return r.RunOnce(ctx, n.cfg.Portfolio, o)
}

func daemonName() string {
	host, err := os.Hostname()
	if err != nil {
		return "daemon"
	}
	return "daemon@" + host
}

// account takes in what became of a run: what is to be checked, tried again,
// said and counted.
func (d *daemon) account(ctx context.Context, n *generation, report portfolio.Report) {
	d.book.planned(report)
	d.countPending(report.Plan)
	if !n.cfg.Reconcile.Apply {
		n.sayDrift(report.Plan)
		return
	}
	pruned := false
	for i, o := range report.Outcomes {
		plan := report.Plan.Domains[i]
		switch {
		case o.Outcome == portfolio.Failed && !errors.Is(o.Err, context.Canceled):
			n.log.Error("reconcile", "domain", o.Domain.String(), "error", n.cfg.Redact(fmt.Sprint(o.Err)))
			d.zoneRetry.unwell(o.Domain, n.cfg.Reconcile.Every)
			continue
		case o.Outcome == portfolio.Refused:
			n.log.Warn("the guard waits for a person: domherre apply --force", "domain", o.Domain.String(), "reason", fmt.Sprint(o.Err))
		case o.Outcome == portfolio.Applied:
			n.log.Info("applied", "domain", o.Domain.String(), "changes", len(plan.Changes), "entry", o.Journal)
			d.checks.add(o.Domain)
			pruned = pruned || plan.Prune
		}
		d.zoneRetry.well(o.Domain)
	}
	if pruned {
		d.refresh(ctx)
	}
}

// sayDrift tells what an apply would do, where the config leaves it to people.
func (n *generation) sayDrift(p portfolio.Plan) {
	for i := range p.Domains {
		switch d := &p.Domains[i]; {
		case d.Error != "":
			n.log.Error("plan", "domain", d.Name.String(), "error", n.cfg.Redact(d.Error))
		case d.Pending():
			n.log.Warn("the zone isn't as declared: domherre plan shows how, domherre apply mends it", "domain", d.Name.String(), "changes", len(d.Changes))
		}
	}
}

// countPending sets the metrics of what a plan leaves to be done.
func (d *daemon) countPending(p portfolio.Plan) {
	refused := p.Summary.Refused != ""
	for i := range p.Domains {
		refused = refused || p.Domains[i].Refused != ""
	}
	d.metrics.GuardRefused(refused)
	if refused && p.Summary.Refused != "" {
		d.log.Warn("the guard refuses the plan and waits for a person: domherre apply --force", "reason", p.Summary.Refused)
	}
	pending := d.book.pending()
	for _, op := range []string{portfolio.OpCreate, portfolio.OpUpdate, portfolio.OpDelete} {
		d.metrics.PendingChanges(op, pending[op])
	}
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
