package daemon

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"domherre/cmd/domherre/internal/wire"
	"domherre/config"
)

// watchConfig reloads when a file of the config changes.
func (d *daemon) watchConfig(ctx context.Context) {
	config.Watch(ctx, config.WatchOptions{
		Sources: func() config.Sources { return *d.sources.Load() },
		Log:     d.log,
	}, func() { d.reload(ctx) })
}

// catchHangups takes SIGHUP, which would end the process, from now on.
func catchHangups() (hangups <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// watchSignals reloads on SIGHUP.
func (d *daemon) watchSignals(ctx context.Context, hangups <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			d.reload(ctx)
		}
	}
}

// watchLaunches lets domains go live when their date comes.
func (d *daemon) watchLaunches(ctx context.Context) {
	const look = time.Minute // a reload may bring a nearer date, and clocks jump
	for {
		now := d.now()
		next := wire.NextLaunch(d.current.Load().cfg.Portfolio.Domains, now)
		wait := look
		if !next.IsZero() {
			wait = min(wait, next.Sub(now))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if !next.IsZero() && !d.now().Before(next) {
			d.refresh(ctx)
			d.zones.addAll()
			d.checks.addAll()
		}
	}
}

// notify tells systemd, where it runs us.
func notify(what string) { _, _ = systemd.SdNotify(false, what) }

// reloading is what systemd wants to hear before a reload (sd_notify(3)).
func reloading() string { return systemd.SdNotifyReloading + "\n" + systemd.SdNotifyMonotonicUsec() }

// watchdog tells systemd that we live, as often as it asks for.
func watchdog(ctx context.Context) {
	every, err := systemd.SdWatchdogEnabled(false)
	if err != nil || every <= 0 {
		return
	}
	ticker := time.NewTicker(every / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			notify(systemd.SdNotifyWatchdog)
		}
	}
}
