package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// provider is one configured provider: its implementation, and what stands
// between it and the rest.
type provider struct {
	cfg    Config
	typ    row
	impl   any
	limits Limits
	gate   *gate
	locks  *locks
	deps   Deps
	known  *serials
	routed atomic.Bool // its HTTP requests come by one by one: see Routed
}

func newProvider(cfg Config, d Deps, table []row) (*provider, error) {
	i := slices.IndexFunc(table, func(r row) bool { return r.Name == cfg.Type })
	if i < 0 {
		f := unknownType(cfg.Type, table)
		return nil, fmt.Errorf("%s; %s", f.Message, f.Hint)
	}
	settings, faults := decode(table[i], cfg.Settings)
	if len(faults) > 0 {
		return nil, fmt.Errorf("%s: %s", faults[0].Key, faults[0].Message)
	}
	impl, err := table[i].open(settings, cfg, d)
	if err != nil {
		return nil, err
	}
	limits := cfg.Limits.or(table[i].Limits)
	typ := table[i]
	typ.Type = typ.with(cfg.Settings)
	return &provider{
		cfg: cfg, typ: typ, impl: impl, limits: limits,
		gate: newGate(limits, d.Now), locks: newLocks(), deps: d, known: serialsOf(impl, cfg, d),
	}, nil
}

// explain names the domain, the step and the provider in an error.
func (p *provider) explain(domain portfolio.Name, step string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %s at provider %s: %w", domain, step, p.cfg.Name, err)
}

// result is what a request brought.
type result[T any] struct {
	value T
	err   error
}

// request makes one request within the provider's limits; by a module, which
// may make several, one call. Some implementations don't honour their context:
// those are left behind when their time is up, and keep their place until they
// are done.
func request[T any](ctx context.Context, p *provider, op, zone string, do func(context.Context) (T, error)) (T, error) {
	var none T
	round, err := p.gate.enter(ctx)
	if err != nil {
		return none, err
	}
	paced := !p.typ.module || p.typ.byCall || !p.routed.Load()
	if paced {
		if err := p.gate.pace(ctx); err != nil {
			p.gate.leave("", round, nil, false)
			return none, err
		}
	}
	ctx, explain, end := p.timed(ctx, op, paced)
	done := make(chan result[T], 1)
	go func() {
		defer end()
		value, err := guarded(ctx, do)
		err = classify(explain(err))
		p.gate.leave(zone, round, err, true)
		done <- result[T]{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	// An implementation that honours the context tells more than it does.
	grace := time.NewTimer(time.Second)
	defer grace.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-grace.C:
		return none, zoneio.As(zoneio.Temporary, fmt.Errorf("no answer in %s: %w", p.limits.Timeout, ctx.Err()))
	}
}

// timed bounds a request's time, or, of a module, the time between two. explain
// is to be called once with what came of it; it counts the request where no
// other does.
func (p *provider) timed(ctx context.Context, op string, paced bool) (_ context.Context, explain func(error) error, end func()) {
	if !p.typ.module {
		ctx, cancel := context.WithTimeout(ctx, p.limits.Timeout)
		return ctx, func(err error) error {
			p.deps.Requested(p.cfg.Name, op, outcome(classify(err)))
			return err
		}, cancel
	}
	ctx, c, end := p.begin(ctx, op, paced)
	return ctx, c.explain, end
}

// guarded keeps a panic of an implementation from ending everything.
func guarded[T any](ctx context.Context, do func(context.Context) (T, error)) (value T, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the module failed in a way that it didn't foresee: %v", fault)
		}
	}()
	return do(ctx)
}

// outcome names an error for the metrics.
func outcome(err error) string {
	switch kind := zoneio.KindOf(err); {
	case err == nil:
		return "ok"
	case errors.Is(err, portfolio.ErrStale):
		return "stale"
	case kind == zoneio.Temporary:
		return "temporary"
	case kind == zoneio.Credentials:
		return "credentials"
	case kind == zoneio.NoZone:
		return "no_zone"
	case kind == zoneio.Unsupported:
		return "unsupported"
	}
	return "error"
}

// retry tries again what may pass, with growing, jittered pauses between. What
// can't pass, refused credentials above all, is tried once.
func (p *provider) retry(ctx context.Context, try func() error) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = 200*time.Millisecond, 10*time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := try()
		if err != nil && zoneio.KindOf(err) != zoneio.Temporary {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(uint(1+max(0, p.limits.Retries))))
	var permanent *backoff.PermanentError
	if errors.As(err, &permanent) { // on the last try, Retry leaves it wrapped
		return permanent.Err
	}
	return err
}

// observe reads a zone, and again where that may help.
func (p *provider) observe(ctx context.Context, name portfolio.Name) (portfolio.Zone, error) {
	var z portfolio.Zone
	err := p.retry(ctx, func() (err error) {
		z, err = p.read(ctx, name)
		return err
	})
	return z, err
}

// read reads a zone by one request, or two where its absence must be made sure of.
func (p *provider) read(ctx context.Context, name portfolio.Name) (portfolio.Zone, error) {
	if r, ok := p.impl.(zoneio.Reader); ok {
		return request(ctx, p, "read", name.ASCII(), func(ctx context.Context) (portfolio.Zone, error) {
			return r.ReadZone(ctx, name)
		})
	}
	return p.known.read(ctx, name, func() (portfolio.Zone, error) { return p.readRecords(ctx, name) })
}

// readRecords reads a zone by libdns' interfaces.
func (p *provider) readRecords(ctx context.Context, name portfolio.Name) (portfolio.Zone, error) {
	getter, ok := p.impl.(libdns.RecordGetter)
	if !ok {
		return portfolio.Zone{}, fmt.Errorf("the type %s can't read zones", p.typ.Name)
	}
	recs, err := request(ctx, p, "read", name.ASCII(), func(ctx context.Context) ([]libdns.Record, error) {
		recs, err := getter.GetRecords(ctx, name.FQDN())
		if err == nil {
			err = ctx.Err() // cancelled, some give an empty zone and no error
		}
		return recs, err
	})
	if err != nil {
		return p.perhapsMissing(ctx, name, err)
	}
	sets, err := zoneio.RRsets(name, recs)
	return portfolio.Zone{Name: name, RRsets: sets}, err
}

// perhapsMissing finds out whether reading failed since there is no such zone.
func (p *provider) perhapsMissing(ctx context.Context, name portfolio.Name, err error) (portfolio.Zone, error) {
	switch zoneio.KindOf(err) {
	case zoneio.NoZone:
		return portfolio.Zone{Name: name, Missing: true}, nil
	case zoneio.Other:
	default:
		return portfolio.Zone{}, err
	}
	if p.typ.partial {
		return portfolio.Zone{}, err
	}
	names, listing := p.list(ctx)
	if listing != nil || len(names) == 0 {
		return portfolio.Zone{}, err
	}
	for _, listed := range names {
		if n, parsing := portfolio.ParseName(listed); parsing == nil && n == name {
			return portfolio.Zone{}, err
		}
	}
	return portfolio.Zone{Name: name, Missing: true}, nil
}

// list gives the names of the provider's zones, in whatever form it has them.
func (p *provider) list(ctx context.Context) ([]string, error) {
	lister, ok := p.impl.(libdns.ZoneLister)
	if !ok {
		return nil, fmt.Errorf("the type %s can't do that: %w", p.typ.Name, errors.ErrUnsupported)
	}
	zones, err := request(ctx, p, "list", "", lister.ListZones)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(zones))
	for i, z := range zones {
		names[i] = z.Name
	}
	return names, nil
}

// forget makes the next read of a zone a whole one.
func (p *provider) forget(name portfolio.Name) {
	if f, ok := p.impl.(zoneio.Forgetter); ok {
		f.Forget(name)
	}
	p.known.forget(name)
}
