package daemon

import (
	"context"
	"slices"
	"time"

	"domherre/check"
	"domherre/cmd/domherre/internal/wire"
)

// watchLeader takes in what the leader sees, while this daemon follows.
func (d *daemon) watchLeader(ctx context.Context) {
	keys, err := d.store.Watch(ctx, wire.StatusPrefix)
	if err != nil {
		d.log.Error("what the leader sees shows after a restart only", "error", err)
		return
	}
	for {
		_, changed := d.lead.works()
		d.takeIn(ctx)
		select {
		case _, ok := <-keys:
			if !ok {
				return
			}
			settle(ctx, keys, 50*time.Millisecond)
		case <-changed:
		}
	}
}

// takeIn enters the report that the leader has left in the state.
func (d *daemon) takeIn(ctx context.Context) {
	if !d.follows() {
		d.leaders.Store(nil)
		return
	}
	n := d.current.Load()
	r, ok, err := wire.LoadStatus(ctx, d.store, n.cfg.Portfolio.ID)
	if err != nil && ctx.Err() == nil {
		n.log.Warn("what the leader sees can't be read", "error", err)
	}
	if err != nil || !ok {
		return
	}
	look := d.book.look()
	for _, s := range r.Domains {
		if _, known := n.domains[s.ASCII]; !known {
			continue
		}
		d.book.checked(look, s)
		d.showStatus(s)
	}
	if r.Frontend != nil {
		d.frontend.Store(&frontend{n.cfg.Frontend, *r.Frontend})
	}
	d.leaders.Store(&r)
}

// showStatus tells the metrics of a domain's status.
func (d *daemon) showStatus(s check.DomainStatus) {
	d.metrics.DomainLive(s.ASCII, s.Live)
	for _, c := range s.Checks {
		d.metrics.CheckState(s.ASCII, c.Check, c.State)
	}
}

// leaderNotices are those of the leader that only it can know of.
func (d *daemon) leaderNotices() []check.Result {
	r := d.leaders.Load()
	if r == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.Notices), func(c check.Result) bool {
		return c.Check != noticeGuard && c.Check != noticeProvider
	})
}
