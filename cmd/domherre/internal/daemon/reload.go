package daemon

import (
	"context"
	"reflect"
	"strings"

	"domherre/cmd/domherre/internal/wire"
	"domherre/config"
	"domherre/portfolio"
)

// reload makes a generation of the config as it is on disk now, or keeps the
// current one and says why.
func (d *daemon) reload(ctx context.Context) {
	d.changing.Lock()
	defer d.changing.Unlock()
	notify(reloading())
	defer notify("READY=1")
	cfg, problems := d.load()
	d.sources.Store(&cfg.Sources)
	for _, p := range problems.Warnings() {
		d.log.Warn("config: "+p.Message, "at", p.Place(), "hint", p.Hint)
	}
	if problems.Err() != nil {
		for _, p := range problems.Errors() {
			d.log.Error("config: "+p.Message, "at", p.Place(), "hint", p.Hint)
		}
		d.log.Error("the config has faults: the one before stays in force", "faults", len(problems.Errors()))
		d.configFaulty(ctx, problems.Errors())
		return
	}
	old := d.current.Load()
	if waits := onlyAtStart(old.cfg, cfg); len(waits) > 0 {
		d.log.Warn("a part of the new config waits for a restart", "settings", strings.Join(waits, ", "))
	}
	next, err := d.build(ctx, cfg)
	if err != nil {
		why := cfg.Redact(err.Error())
		d.log.Error("the new config can't be used: the one before stays in force", "error", why)
		d.configFaulty(ctx, config.Problems{{File: cfg.Path, Message: why}})
		return
	}
	d.adopt(ctx, next)
	d.configGood()
	changed := wire.ChangedDomains(old.cfg, cfg)
	next.log.Info("config reloaded", "domains", len(cfg.Portfolio.Domains), "changed", len(changed))
	d.afterReload(ctx, old, next, changed)
	d.remember(ctx)
}

// afterReload asks for the work that a changed config brings.
func (d *daemon) afterReload(ctx context.Context, old, next *generation, changed []portfolio.Name) {
	if old.zones != next.zones && !d.follows() {
		d.sync(ctx)
	}
	if !reflect.DeepEqual(old.cfg.Reconcile, next.cfg.Reconcile) || len(next.leaving) > len(old.leaving) || len(d.book.refusals()) > 0 {
		d.zones.addAll() // the guard judges the list as a whole, and takes back what it said
	} else {
		d.zones.add(changed...)
	}
	if old.cfg.Frontend != next.cfg.Frontend {
		d.checks.addAll()
	} else {
		d.checks.add(changed...)
	}
	// An interval may have changed.
	d.zones.signal()
	d.checks.signal()
}

// configFaulty notes that the config on disk isn't the one that runs.
func (d *daemon) configFaulty(ctx context.Context, faults config.Problems) {
	d.faults.Store(&faults)
	d.metrics.ConfigValid(false)
	d.remember(ctx)
}

func (d *daemon) configGood() {
	d.faults.Store(nil)
	d.metrics.ConfigValid(true)
	d.metrics.ConfigReloaded(d.now())
}

// refresh makes the current generation anew from its own config: a launch date
// has come, or domains that left the list are gone or new.
func (d *daemon) refresh(ctx context.Context) {
	d.changing.Lock()
	defer d.changing.Unlock()
	next, err := d.build(ctx, d.current.Load().cfg)
	if err != nil {
		d.log.Error("the portfolio can't be refreshed", "error", err)
		return
	}
	d.adopt(ctx, next)
	d.remember(ctx)
}

// watchAccepted follows what runs, of this process and others, accept and
// prune: it decides which domains are leaving.
func (d *daemon) watchAccepted(ctx context.Context) {
	keys, err := d.store.Watch(ctx, wire.AcceptedPrefix)
	if err != nil {
		d.log.Error("domains that other processes prune are served until the next reload", "error", err)
		return
	}
	for range keys {
		n := d.current.Load()
		accepted, err := (wire.Accepted{Storage: d.store}).LoadAccepted(ctx, n.cfg.Portfolio.ID)
		if err == nil && !sameNames(portfolio.Leaving(n.cfg.Portfolio, accepted), n.leaving) {
			d.refresh(ctx)
		}
		if len(d.book.refusals()) > 0 {
			d.zones.addAll() // a person may have approved what waits
		}
	}
}

func sameNames(a, b []portfolio.Domain) bool {
	names := map[portfolio.Name]bool{}
	for _, d := range a {
		names[d.Name] = true
	}
	for _, d := range b {
		if !names[d.Name] {
			return false
		}
	}
	return len(a) == len(b)
}

// onlyAtStart lists the settings that have changed and that only a restart can
// put in force.
func onlyAtStart(old, next *config.Config) []string {
	secondaries, _ := wire.Secondaries(old) // the config was checked
	newSecondaries, _ := wire.Secondaries(next)
	var waits []string
	for _, s := range []struct {
		name      string
		old, next any
	}{
		{"state", old.State, next.State},
		{"state_key", old.StateKeys, next.StateKeys},
		{"state_cache", old.StateCache, next.StateCache},
		{"listen", old.Listen, next.Listen},
		{"security_txt", old.SecurityTxt, next.SecurityTxt},
		{"the embedded name server", wire.UsesEmbedded(old), wire.UsesEmbedded(next)},
		{"the secondaries of the embedded name server", true, secondaries.Equal(newSecondaries)},
	} {
		if !reflect.DeepEqual(s.old, s.next) {
			waits = append(waits, s.name)
		}
	}
	return waits
}
