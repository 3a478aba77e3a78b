package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"domherre/config"
	"domherre/dnsprovider"
	"domherre/portfolio"
	"domherre/redirect"
	"domherre/state"
	"domherre/tls"
)

// Rooms are those that a command works in.
type Rooms struct {
	Config *config.Config
	Store  state.Store
	Zones  *dnsprovider.Set
	Certs  *tls.Manager
	Log    *slog.Logger
	Now    func() time.Time
}

// Open opens the rooms of a config for one command. Close them in the end.
func Open(ctx context.Context, cfg *config.Config, log *slog.Logger) (*Rooms, error) {
	store, err := openState(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	return openOver(cfg, store, log)
}

// OpenToRead is Open for a command that changes nothing: a state that can't be
// written will do.
func OpenToRead(ctx context.Context, cfg *config.Config, log *slog.Logger) (*Rooms, error) {
	store, err := openStateToRead(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	return openOver(cfg, store, log)
}

func openOver(cfg *config.Config, store state.Store, log *slog.Logger) (*Rooms, error) {
	r := &Rooms{Config: cfg, Store: store, Log: log, Now: time.Now}
	var err error
	if r.Zones, err = Providers(cfg, r.Store, ProviderHooks{}, log); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	hooks := Evidence{Config: cfg, Zones: r.Zones, Now: r.Now}.Hooks()
	if r.Certs, err = Certificates(cfg, r.Store, r.Zones, hooks, log); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Close closes them.
func (r *Rooms) Close() error {
	if r.Zones != nil {
		if err := r.Zones.Save(context.Background()); err != nil {
			r.Log.Debug("the next command reads all zones", "error", err)
		}
	}
	return r.Store.Close()
}

// Leaving gives the domains that left the list and aren't pruned yet.
func (r *Rooms) Leaving(ctx context.Context) ([]portfolio.Domain, error) {
	accepted, err := (Accepted{r.Store, r.Log}).LoadAccepted(ctx, r.Config.Portfolio.ID)
	if err != nil {
		return nil, err
	}
	return portfolio.Leaving(r.Config.Portfolio, accepted), nil
}

// Reconciler makes the one that CLI and daemon both run.
func (r *Rooms) Reconciler(ctx context.Context, progress func(portfolio.Event)) (*portfolio.Reconciler, error) {
	if err := r.LoadCerts(ctx, nil); err != nil {
		return nil, err
	}
	reconciler := NewReconciler(r.Config, r.Zones, r.Store, FactsOf(ctx, r.Config, r.Certs, r.Now()), progress)
	reconciler.Accepted = Accepted{r.Store, r.Log}
	return reconciler, nil
}

// LoadCerts reads the inventory of the portfolio and the domains leaving it.
// Nothing is ordered before Certs.Run.
func (r *Rooms) LoadCerts(ctx context.Context, leaving []portfolio.Domain) error {
	r.Certs.Manage(Subjects(r.Config, slices.Concat(r.Config.Portfolio.Domains, leaving), r.Now()))
	return r.Certs.Reload(ctx)
}

// NewReconciler makes a reconciler over rooms that are open.
func NewReconciler(cfg *config.Config, zones portfolio.Zones, store state.Store, facts Facts, progress func(portfolio.Event)) *portfolio.Reconciler {
	return &portfolio.Reconciler{
		Zones:     plain{zones},
		Journal:   Journal{store},
		Accepted:  Accepted{Storage: store},
		Facts:     facts.Of,
		Now:       time.Now,
		Progress:  progress,
		Providers: providerNames(cfg),
		Unlisted:  func(n portfolio.Name, provider string) portfolio.Domain { return unlisted(cfg, n, provider) },
	}
}

// unlisted is the entry of a domain that left the list, as far as the config
// still tells: it leads where all lead.
func unlisted(cfg *config.Config, n portfolio.Name, provider string) portfolio.Domain {
	d := portfolio.Domain{Name: n, Provider: provider, Frontend: cfg.Frontend, DNS: cfg.DNS, Redirect: cfg.Redirect}
	d.DNS.Ownership = portfolio.OwnMarker
	return d
}

// Lease takes the right to change the portfolio's zones: of all processes that
// share the state, one at a time has it. held is told who has it meanwhile.
func Lease(ctx context.Context, store state.Store, portfolioID, command string, held func(*state.HeldError)) (state.Lease, error) {
	lease, err := store.AcquireWait(ctx, reconcileName(portfolioID), state.Holder{Command: command}, held)
	if err != nil {
		return nil, fmt.Errorf("waiting for the right to change the zones of %s: %w", portfolioID, err)
	}
	return lease, nil
}

// Table makes the redirector's table of a portfolio and the domains leaving it.
func Table(cfg *config.Config, leaving []portfolio.Domain, now time.Time) (*redirect.Table, error) {
	return redirect.NewTable(Sites(cfg, slices.Concat(cfg.Portfolio.Domains, leaving), now))
}
