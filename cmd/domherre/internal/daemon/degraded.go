package daemon

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"domherre/state"
	"domherre/web"
)

// How often the state is tried: soon again while it can't be written.
const (
	probeEvery = 30 * time.Second
	probeAgain = 2 * time.Second
)

// probe finds out whether the state can be written, and says when that changes.
// Without it what there is is served all the same.
func (d *daemon) probe(ctx context.Context) {
	err := d.store.Probe(ctx)
	if ctx.Err() != nil {
		return
	}
	d.metrics.Degraded(err != nil)
	var before *error
	if err == nil {
		before = d.degraded.Swap(nil)
	} else {
		before = d.degraded.Swap(&err)
	}
	switch {
	case err != nil && before == nil:
		d.log.Error("degraded: what is in the state is served, but nothing can be changed", "error", err)
	case err == nil && before != nil:
		d.log.Info("the state can be written again")
		d.zones.addAll()
		d.checks.addAll()
	}
}

// usable gives the error of a folder that can't be written and holds nothing:
// there is no work to go on with, and whoever starts us can mend it at once.
func (d *daemon) usable(ctx context.Context) error {
	d.probe(ctx)
	why := d.degraded.Load()
	var folder *state.NotWritableError
	if why == nil || !errors.As(*why, &folder) {
		return nil
	}
	if keys, err := d.store.List(ctx, "", false); err == nil && len(keys) > 0 {
		return nil
	}
	return *why
}

// watchState probes the state.
func (d *daemon) watchState(ctx context.Context) {
	for {
		wait := probeEvery
		if d.degraded.Load() != nil {
			wait = probeAgain
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			d.probe(ctx)
		}
	}
}

// readiness is what must be so before visitors are sent here. What only keeps
// things from changing is told, but keeps nobody away.
func (d *daemon) readiness() []web.Readiness {
	return []web.Readiness{
		{Name: "listeners", Check: func(context.Context) error {
			if !d.serving.Load() {
				return errors.New("not open, or closing")
			}
			return nil
		}},
		{Name: "config", Check: func(context.Context) error {
			if d.faults.Load() != nil {
				return &web.Degraded{Err: errors.New("the one on disk has faults: the one before stays in force")}
			}
			return nil
		}},
		{Name: "store", Check: d.storeReady},
	}
}

func (d *daemon) storeReady(ctx context.Context) error {
	_, err := d.store.Stat(ctx, "status")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if why := d.degraded.Load(); why != nil {
		return &web.Degraded{Err: *why}
	}
	return nil
}
