package daemon

import (
	"context"
	"time"

	"domherre/check"
	"domherre/cmd/domherre/internal/wire"
)

// hitsTimeout bounds what keeping the counts takes, so that a state that hangs
// doesn't hold up midnight or the stop.
const hitsTimeout = 10 * time.Second

// countVisits gives the metrics what was counted since the start.
func (d *daemon) countVisits(count func(domain string, code int, n int64)) {
	for hit := range d.visits.All() {
		count(hit.Domain, hit.Code, hit.N)
	}
}

func (d *daemon) hitStore() wire.HitStore {
	return wire.HitStore{Store: d.store, Portfolio: d.current.Load().cfg.Portfolio.ID}
}

// hitsLoop keeps the counts in the state, and learns what other nodes count.
func (d *daemon) hitsLoop(ctx context.Context) {
	compacted := ""
	for {
		d.learnHits(ctx)
		if today := d.hits.today(); today != compacted && d.compactHits(ctx, today) {
			compacted = today
		}
		timer := time.NewTimer(d.hits.pause())
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		d.keepHits(ctx)
	}
}

// keepHits writes down what isn't yet.
func (d *daemon) keepHits(ctx context.Context) {
	d.tryHits(ctx, "visitor counts aren't kept: they are lost if the process is killed now", func(ctx context.Context) error {
		return d.hits.save(ctx, d.hitStore())
	})
}

func (d *daemon) learnHits(ctx context.Context) {
	d.tryHits(ctx, "visitor counts of other nodes and days can't be read", func(ctx context.Context) error {
		return d.hits.learn(ctx, d.hitStore())
	})
}

// compactHits puts days into their months that no node writes any more.
func (d *daemon) compactHits(ctx context.Context, today string) bool {
	return d.tryHits(ctx, "visitor counts of past days can't be put together", func(ctx context.Context) error {
		return d.hitStore().Compact(ctx, daysBefore(today, 2))
	})
}

// tryHits does something about the counts, and says once that it can't.
func (d *daemon) tryHits(ctx context.Context, trouble string, do func(context.Context) error) bool {
	limited, cancel := context.WithTimeout(ctx, hitsTimeout)
	defer cancel()
	err := do(limited)
	switch {
	case err == nil:
		d.complaints.settled(trouble)
	case ctx.Err() == nil && d.complaints.fresh(trouble, rootOf(err).Error()):
		d.log.Warn(trouble, "error", err)
	}
	return err == nil
}

// fillHits enters the counts in a report.
func (d *daemon) fillHits(domains []check.DomainStatus) {
	total, today := d.hits.sums()
	wire.FillHits(domains, total, today)
}

// hitRows gives the counts of a day and those after it, of all nodes.
func (d *daemon) hitRows(ctx context.Context, since string) (wire.HitsDoc, error) {
	store := d.hitStore()
	days, err := store.Load(ctx, since)
	if err != nil {
		return wire.HitsDoc{}, err
	}
	days.Merge(d.hits.own(since))
	return wire.NewHitsDoc(store.Portfolio, days), nil
}
