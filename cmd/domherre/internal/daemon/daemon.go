// Package daemon keeps a portfolio alive: it reconciles, gets certificates,
// redirects, checks, and tells. One generation of rooms is current at a time;
// a reload makes the next one whole before it takes over, or keeps the old.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"domherre/cmd/domherre/internal/wire"
	"domherre/config"
	"domherre/dnsprovider"
	"domherre/dnsprovider/embedded"
	"domherre/portfolio"
	"domherre/redirect"
	"domherre/state"
	"domherre/web"
)

// Options are what Run needs.
type Options struct {
	Load func() (*config.Config, config.Problems) // reads the config anew
	Log  func(*config.Config) *slog.Logger        // where the log goes, as a config says
}

const (
	firstRetry = 2 * time.Second // of a domain that failed
	firstCheck = time.Second     // again, of a domain that isn't live
	firstLook  = 3 * time.Second // at all domains, at the latest
	drainFor   = 20 * time.Second
)

// Run runs the daemon until ctx ends, then drains.
func Run(ctx context.Context, cfg *config.Config, o Options) error {
	log := o.Log(cfg)
	store, err := state.OpenDegraded(ctx, string(cfg.State), log)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := store.Probe(ctx); err != nil {
		log.Error("degraded: what is in the state is served, but nothing can be changed", "error", err)
	}
	d := newDaemon(o, store, log)
	sockets, err := open(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	defer sockets.close()
	return d.run(ctx, cfg, sockets)
}

// daemon is a running daemon.
type daemon struct {
	load      func() (*config.Config, config.Problems)
	newLog    func(*config.Config) *slog.Logger
	log       *slog.Logger
	now       func() time.Time
	store     state.Store
	zoneStore dnsprovider.Store // store, through the embedded server where there is one
	metrics   *web.Metrics
	redirect  *redirect.Server
	names     *embedded.Server // nil where none listens
	work      sync.WaitGroup   // of the current generation's goroutines

	sources   atomic.Pointer[config.Sources] // of the config as read last, faults or not
	current   atomic.Pointer[generation]
	changing  sync.Mutex // held while a generation is replaced
	zones     *queue     // domains to reconcile
	checks    *queue     // domains to check
	zoneRetry *retrier
	lookAgain *retrier
	book      *book
}

func newDaemon(o Options, store state.Store, log *slog.Logger) *daemon {
	d := &daemon{
		load: o.Load, newLog: o.Log, log: log, now: time.Now, store: store, zoneStore: store,
		metrics: web.NewMetrics(), zones: newQueue(), checks: newQueue(), book: newBook(),
	}
	d.zoneRetry = newRetrier(firstRetry, d.zones)
	d.lookAgain = newRetrier(firstCheck, d.checks)
	return d
}

// run brings everything up in the order in which it is needed: zones can be
// asked for, certificates are loaded, and the redirector answers, before
// anything new is done.
func (d *daemon) run(ctx context.Context, cfg *config.Config, s *sockets) error {
	// What serves outlives ctx a little, to drain.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	d.sources.Store(&cfg.Sources)
	g, working := errgroup.WithContext(ctx)
	if err := d.startNames(serving, cfg, g); err != nil {
		return err
	}
	next, err := d.build(working, cfg)
	if err != nil {
		return err
	}
	d.redirect = redirect.NewServer(next.table, d.redirectOptions(cfg, next))
	d.adopt(working, next)
	d.remember(ctx)
	d.serve(g, s)
	d.spawn(working, g)
	d.log.Info("running", "domains", len(cfg.Portfolio.Domains), "config", cfg.Path)
	notify("READY=1")

	<-working.Done()
	notify("STOPPING=1")
	d.log.Info("stopping: connections drain")
	drain, cancel := context.WithTimeout(serving, drainFor)
	defer cancel()
	err = d.redirect.Shutdown(drain)
	s.close()
	stop()
	d.zoneRetry.stop()
	d.lookAgain.stop()
	failure := g.Wait()
	d.work.Wait()
	if ctx.Err() != nil {
		return err // ended on purpose
	}
	return errors.Join(failure, err)
}

// startNames starts the embedded authoritative server, where one is wanted.
func (d *daemon) startNames(ctx context.Context, cfg *config.Config, g *errgroup.Group) error {
	if cfg.Listen.DNS == "" || !wire.UsesEmbedded(cfg) {
		return nil
	}
	transfers, err := wire.Transfers(cfg)
	if err != nil {
		return err
	}
	d.names, err = embedded.NewServer(ctx, d.store, embedded.ServerOptions{AllowTransfer: transfers, Log: d.log})
	if err != nil {
		return err
	}
	udp, tcp, err := embedded.Listen(ctx, cfg.Listen.DNS)
	if err != nil {
		return &listenError{key: "dns", address: cfg.Listen.DNS, err: err}
	}
	d.zoneStore = d.names.Store()
	g.Go(func() error { return d.names.Serve(ctx, udp, tcp) })
	return nil
}

// spawn starts the loops.
func (d *daemon) spawn(ctx context.Context, g *errgroup.Group) {
	d.zones.addAll()
	// Looking before the first run is over would find what it is about to mend;
	// but a provider that hangs must not keep us from looking.
	first := time.AfterFunc(firstLook, d.checks.addAll)
	context.AfterFunc(ctx, func() { first.Stop() })
	loops := []func(context.Context){
		d.reconcileLoop, d.checkLoop, d.watchConfig, d.watchSignals, d.watchCertificates, d.watchLaunches, watchdog,
	}
	for _, loop := range loops {
		g.Go(func() error { loop(ctx); return nil })
	}
}

// domainOf finds a domain of the current generation by its A-labels.
func (d *daemon) domainOf(ascii string) (portfolio.Domain, bool) {
	dom, ok := d.current.Load().domains[ascii]
	return dom, ok
}

// serving makes an error of a listener that ended by itself.
func servingError(key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("listen.%s: %w", key, err)
}
