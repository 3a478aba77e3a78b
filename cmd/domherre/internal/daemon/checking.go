package daemon

import (
	"context"
	"slices"
	"time"

	"domherre/check"
	"domherre/cmd/domherre/internal/wire"
	"domherre/portfolio"
	"domherre/tls"
)

// checkLoop checks what the queue holds, and everything at the regular interval.
func (d *daemon) checkLoop(ctx context.Context) {
	regular := time.NewTimer(jittered(d.current.Load().cfg.Check.Every))
	defer regular.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.checks.wake:
		case <-regular.C:
			d.checks.addAll()
			regular.Reset(jittered(d.current.Load().cfg.Check.Every))
		}
		all, names := d.checks.take()
		d.check(ctx, all, names)
	}
}

// check runs the checks of some domains or all, and enters each as it comes.
func (d *daemon) check(ctx context.Context, all bool, names []portfolio.Name) {
	n := d.current.Load()
	entries := wire.Entries(n.certs.Inventory())
	var subjects []check.Subject
	for ascii, dom := range n.domains {
		if all || slices.Contains(names, dom.Name) {
			subjects = append(subjects, d.subject(n, dom, entries[ascii]))
		}
	}
	if len(subjects) == 0 {
		return
	}
	n.checker.All(ctx, subjects, func(s check.DomainStatus) { d.checked(ctx, n, s) })
	if ctx.Err() == nil {
		d.remember(ctx)
	}
}

func (d *daemon) subject(n *generation, dom portfolio.Domain, e tls.Entry) check.Subject {
	s := wire.CheckSubject(n.cfg, dom, d.book.wanted(dom.Name), n.table, &e)
	if previous, ok := d.book.status(dom.Name.ASCII()); ok {
		s.Previous = &previous
	}
	return s
}

// checked enters a status. A domain that has become reachable may get its
// certificate now; one that isn't well is looked at again soon.
func (d *daemon) checked(ctx context.Context, n *generation, s check.DomainStatus) {
	dom, ok := n.domains[s.ASCII]
	if !ok || ctx.Err() != nil {
		return
	}
	before, seen := d.book.status(s.ASCII)
	d.book.checked(s)
	d.metrics.DomainLive(s.ASCII, s.Live)
	for _, c := range s.Checks {
		d.metrics.CheckState(s.ASCII, c.Check, c.State)
	}
	if s.Live != before.Live || !seen {
		n.log.Info("status", "domain", dom.Name.String(), "state", s.State, "finding", s.Worst().Finding)
	}
	if reachable(s) && (!seen || !reachable(before)) {
		n.certs.Poke(s.ASCII)
	}
	if s.Failing() {
		d.lookAgain.unwell(dom.Name, n.cfg.Check.Every)
	} else {
		d.lookAgain.well(dom.Name)
	}
}

// reachable reports whether a CA would find the domain with us.
func reachable(s check.DomainStatus) bool {
	for _, name := range []string{check.CheckDelegation, check.CheckRecords} {
		if c, ok := s.Check(name); !ok || c.State != check.StateOK {
			return false
		}
	}
	return true
}

// report is the state of all domains, in the order of the portfolio. A domain
// that hasn't been looked at yet is waiting.
func (d *daemon) report() check.Report {
	n := d.current.Load()
	r := check.Report{Version: 1, Campaign: n.cfg.Campaign, Domains: []check.DomainStatus{}}
	for _, dom := range slices.Concat(n.cfg.Portfolio.Domains, n.leaving) {
		s, ok := d.book.status(dom.Name.ASCII())
		if !ok {
			s = n.checker.Unseen(dom)
		}
		r.Domains = append(r.Domains, s)
	}
	return r
}

// remember keeps the report for when no daemon runs.
func (d *daemon) remember(ctx context.Context) {
	n := d.current.Load()
	if err := wire.SaveStatus(ctx, d.store, n.cfg.Portfolio.ID, d.report()); err != nil && ctx.Err() == nil {
		d.log.Warn("the status is not kept: without the daemon it is unknown", "error", err)
	}
}
