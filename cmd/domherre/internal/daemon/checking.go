package daemon

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"domherre/check"
	"domherre/cmd/domherre/internal/wire"
	"domherre/portfolio"
	"domherre/tls"
)

// batches bounds how many batches of checks go side by side, beside the regular
// look at all domains.
const batches = 8

// checkLoop checks what the queue holds, and everything at the regular
// interval. No batch waits for another; of looks at all domains one goes at a
// time.
func (d *daemon) checkLoop(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	slots := make(chan struct{}, batches)
	whole := newWhole(func() { running.Go(func() { d.checkAll(ctx) }) })
	whole.idle = d.follows
	began := d.now()
	for {
		regular := time.NewTimer(began.Add(jittered(d.current.Load().cfg.Check.Every)).Sub(d.now()))
		select {
		case <-ctx.Done():
			regular.Stop()
			return
		case <-d.checks.wake:
			regular.Stop()
		case <-regular.C:
			began = d.now()
			whole.want()
		case <-d.wholeDone:
			regular.Stop()
			whole.done()
		}
		all, names := d.checks.take()
		if all {
			whole.want()
		}
		if len(names) == 0 || d.follows() {
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			d.checks.hold(names...) // until a batch is through
			continue
		}
		running.Go(func() {
			defer d.checks.signal()
			defer func() { <-slots }()
			d.check(ctx, d.current.Load(), names)
		})
	}
}

// whole starts looks at all domains one at a time. It belongs to one goroutine.
type whole struct {
	start   func()
	idle    func() bool // nothing is to be looked at now
	running bool
	again   bool // asked for meanwhile
}

func newWhole(start func()) *whole { return &whole{start: start} }

func (w *whole) want() {
	if w.running {
		w.again = true
		return
	}
	if w.idle() {
		return
	}
	w.running = true
	w.start()
}

func (w *whole) done() {
	w.running = false
	if w.again {
		w.again = false
		w.want()
	}
}

// checkAll looks at the frontend and at all domains.
func (d *daemon) checkAll(ctx context.Context) {
	n := d.current.Load()
	var side sync.WaitGroup
	side.Go(func() { d.checkFrontend(ctx, n) })
	d.check(ctx, n, slices.Collect(func(yield func(portfolio.Name) bool) {
		for _, dom := range n.domains {
			if !yield(dom.Name) {
				return
			}
		}
	}))
	side.Wait()
	d.remember(ctx)
	select {
	case d.wholeDone <- struct{}{}:
	case <-ctx.Done():
	}
}

// checkFrontend looks at where all domains lead, unless they name it each.
func (d *daemon) checkFrontend(ctx context.Context, n *generation) {
	if n.cfg.Frontend == "" {
		return
	}
	var before *check.Result
	if known := d.frontend.Load(); known != nil && known.address == n.cfg.Frontend {
		before = &known.Result
	}
	r := n.checker.FrontendHealth(ctx, n.cfg.Frontend, before)
	if ctx.Err() != nil {
		return
	}
	d.frontend.Store(&frontend{n.cfg.Frontend, r})
	if before == nil || before.State != r.State {
		n.log.Info("frontend", "state", r.State, "finding", r.Finding)
	}
}

// frontend is how a frontend was found.
type frontend struct {
	address string
	check.Result
}

// check runs the checks of some domains, and enters each as it comes.
func (d *daemon) check(ctx context.Context, n *generation, names []portfolio.Name) {
	entries := wire.Entries(wire.Inventory(n.cfg, n.certs))
	look := d.book.look()
	subjects := make([]check.Subject, 0, len(names))
	for _, name := range names {
		if dom, ok := n.domains[name.ASCII()]; ok {
			subjects = append(subjects, d.subject(n, dom, entries[name.ASCII()]))
		}
	}
	if len(subjects) == 0 {
		return
	}
	n.checker.All(ctx, subjects, func(s check.DomainStatus) { d.checked(ctx, n, look, s) })
	d.remember(ctx)
}

func (d *daemon) subject(n *generation, dom portfolio.Domain, e tls.Entry) check.Subject {
	want := d.book.wanted(dom.Name)
	if dom.Leaving && len(want) == 0 { // its zone isn't read any more
		want = wire.HostAddresses(n.cfg, dom, d.now())
	}
	s := wire.CheckSubject(n.cfg, dom, want, n.table, &e)
	if previous, ok := d.book.status(dom.Name.ASCII()); ok {
		s.Previous = &previous
	}
	return s
}

// checked enters a status. A domain that has become reachable may get its
// certificate now; one that isn't well is looked at again soon.
func (d *daemon) checked(ctx context.Context, n *generation, look uint64, s check.DomainStatus) {
	dom, ok := n.domains[s.ASCII]
	if !ok || ctx.Err() != nil {
		return
	}
	before, seen, entered := d.book.checked(look, s)
	if !entered {
		return
	}
	d.showStatus(s)
	if s.Live != before.Live || !seen {
		n.log.Info("status", "domain", dom.Name.String(), "state", s.State, "finding", s.Worst().Finding)
	}
	if reachable(s) && (!seen || !reachable(before)) {
		n.certs.Poke(s.ASCII)
	}
	if c, ok := s.Check(check.CheckRecords); ok && c.State == check.StateBroken {
		d.zones.add(dom.Name) // others may have changed it: mend it, or learn what is wanted now
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
	r := check.Report{Version: 1, Campaign: n.cfg.Campaign, Portfolio: n.cfg.Portfolio.ID, Notices: d.notices(n), Nodes: d.fleet(), Domains: []check.DomainStatus{}}
	if known := d.frontend.Load(); known != nil && known.address == n.cfg.Frontend {
		r.Frontend = &known.Result
	}
	for _, dom := range slices.Concat(n.cfg.Portfolio.Domains, n.leaving) {
		s, ok := d.book.status(dom.Name.ASCII())
		if !ok {
			s = n.checker.Unseen(dom)
		}
		r.Domains = append(r.Domains, s)
	}
	d.fillHits(r.Domains)
	return r
}

// remember keeps the report for when no daemon runs. Whoever waits for the one
// before will write all that is known by then, so that no second one waits:
// a report of thousands of domains is large.
func (d *daemon) remember(ctx context.Context) {
	if !d.rememberNext.CompareAndSwap(false, true) {
		return
	}
	d.remembering.Lock()
	defer d.remembering.Unlock()
	d.rememberNext.Store(false)
	if ctx.Err() != nil || d.follows() {
		return
	}
	n := d.current.Load()
	err := wire.SaveStatus(ctx, d.store, n.cfg.Portfolio.ID, d.report())
	switch {
	case err == nil:
		d.complaints.settled("status")
	case ctx.Err() == nil && d.complaints.fresh("status", rootOf(err).Error()):
		d.log.Warn("the status is not kept: without the daemon it is unknown", "error", err)
	}
}

// providersOf lists the providers that keep domains of a generation.
func (n *generation) providers() []string {
	names := map[string]bool{}
	for _, dom := range n.domains {
		names[dom.Provider] = true
	}
	return slices.Sorted(maps.Keys(names))
}
