// Package daemon keeps a portfolio alive: it reconciles, gets certificates,
// redirects, checks, and tells. One generation of rooms is current at a time;
// a reload makes the next one whole before it takes over, or keeps the old.
package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"domherre/check"
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
	store, err := wire.OpenNodeState(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer store.Close()
	d := newDaemon(o, store, log)
	if err := d.usable(ctx); err != nil {
		return err
	}
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
	accepted  *wire.AcceptedRuns
	permit    permit
	lead      *lead
	ordering  sync.RWMutex                 // held for reading while certificates are kept
	leaders   atomic.Pointer[check.Report] // what the leader sees; nil: this daemon works itself
	nodes     atomic.Pointer[[]check.Node] // the daemons that share the state
	metrics   *web.Metrics
	visits    *redirect.Hits
	hits      *hitBook
	redirect  *redirect.Server
	names     *embedded.Server // nil where none listens
	work      sync.WaitGroup   // of the current generation's goroutines

	sources  atomic.Pointer[config.Sources] // of the config as read last, faults or not
	current  atomic.Pointer[generation]
	changing sync.Mutex // held while a generation is replaced
	serving  atomic.Bool
	degraded atomic.Pointer[error]           // why the state can't be written
	faults   atomic.Pointer[config.Problems] // of the config on disk; nil: it is the one that runs
	frontend atomic.Pointer[frontend]

	zones        *queue // domains to reconcile
	checks       *queue // domains to check
	wholeDone    chan struct{}
	zoneRetry    *retrier
	lookAgain    *retrier
	ranBefore    sync.Map // providers whose first run is over
	complaints   *complaints
	since        beginnings
	book         *book
	remembering  sync.Mutex  // held while the report is kept
	rememberNext atomic.Bool // somebody waits to keep it
}

func newDaemon(o Options, store state.Store, log *slog.Logger) *daemon {
	d := &daemon{
		load: o.Load, newLog: o.Log, log: log, now: time.Now, store: store, zoneStore: store,
		accepted: wire.NewAcceptedRuns(wire.Accepted{Storage: store, Log: log}), lead: newLead(),
		metrics: web.NewMetrics(), visits: redirect.NewHits(check.UserAgent), zones: newQueue(), checks: newQueue(), wholeDone: make(chan struct{}),
		complaints: newComplaints(), book: newBook(),
	}
	d.hits = newHitBook(d.visits, d.now, time.Local)
	d.metrics.CountVisits(d.countVisits)
	d.zoneRetry = newRetrier(firstRetry, d.zones)
	d.lookAgain = newRetrier(firstCheck, d.checks)
	return d
}

// run brings everything up in the order in which it is needed: zones can be
// asked for, the redirector answers, and certificates are loaded, before
// anything new is done.
func (d *daemon) run(ctx context.Context, cfg *config.Config, s *sockets) error {
	hangups, quiet := catchHangups()
	defer quiet()
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
	d.configGood()
	d.remember(ctx)
	admin := d.serve(g, s)
	d.awaitCertificates(working, next)
	d.spawn(working, g, hangups)
	d.serving.Store(true)
	d.log.Info("running", "domains", len(cfg.Portfolio.Domains), "config", cfg.Path)
	notify("READY=1")

	<-working.Done()
	d.drain(serving, s, admin)
	d.keepHits(context.WithoutCancel(ctx))
	stop()
	failure := g.Wait()
	d.work.Wait()
	if err := d.current.Load().zones.Save(context.WithoutCancel(ctx)); err != nil {
		d.log.Debug("the next process reads all zones", "error", err)
	}
	if ctx.Err() != nil {
		return nil // ended on purpose
	}
	return failure
}

// drain stops listening and lets what is under way come to its end.
func (d *daemon) drain(ctx context.Context, s *sockets, admin *http.Server) {
	notify("STOPPING=1")
	d.log.Info("stopping: connections drain")
	d.serving.Store(false)
	d.zoneRetry.stop()
	d.lookAgain.stop()
	ctx, cancel := context.WithTimeout(ctx, drainFor)
	defer cancel()
	s.quiet(ctx, d.log)
	if err := d.redirect.Shutdown(ctx); err != nil {
		d.log.Warn("connections that didn't end were cut", "error", err)
	}
	if err := admin.Shutdown(ctx); err != nil {
		admin.Close()
	}
	s.close()
}

// startNames starts the embedded authoritative server, where one is wanted.
func (d *daemon) startNames(ctx context.Context, cfg *config.Config, g *errgroup.Group) error {
	if cfg.Listen.DNS == "" || !wire.UsesEmbedded(cfg) {
		return nil
	}
	secondaries, err := wire.Secondaries(cfg)
	if err != nil {
		return err
	}
	d.names, err = embedded.NewServer(ctx, d.store, embedded.ServerOptions{Secondaries: secondaries, Log: d.log})
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
func (d *daemon) spawn(ctx context.Context, g *errgroup.Group, hangups <-chan os.Signal) {
	loops := []func(context.Context){
		d.reconcileLoop, d.checkLoop, d.watchConfig, d.watchCertificates, d.watchAccepted, d.watchLaunches, d.watchState, d.notifyLoop, d.hitsLoop, d.seekLead, d.watchLeader, d.tellNodes, watchdog,
		func(ctx context.Context) { d.watchSignals(ctx, hangups) },
	}
	for _, loop := range loops {
		g.Go(func() error { loop(ctx); return nil })
	}
}

// domainOf finds a domain of the current generation by its A-labels.
func (d *daemon) domainOf(ascii string) (portfolio.Domain, bool) {
	n := d.current.Load()
	if n == nil {
		return portfolio.Domain{}, false
	}
	dom, ok := n.domains[ascii]
	return dom, ok
}

// serving makes an error of a listener that ended by itself.
func servingError(key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("listen.%s: %w", key, err)
}
