package dnsprovider

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"domherre/dnsprovider/zoneio"
)

// gate lets requests to one provider through: so many at once, so many a
// second, none while the provider asked to be left alone or refuses everything.
type gate struct {
	rate *rate.Limiter // nil: no limit
	now  func() time.Time

	mu      sync.Mutex
	most    int           // requests at once, as configured
	limit   int           // as the provider is seen to bear
	inUse   int           // requests under way
	calm    int           // successes since the limit last changed
	round   int           // counts the times that the limit was lowered
	freed   chan struct{} // closed when a waiter should look again
	pause   time.Time     // the provider asked for no request before
	trouble trouble
}

// trouble is a run of failures, without success between, that concern the
// provider and not a zone: refused credentials, no answer at all, 5xx for all.
type trouble struct {
	zones   map[string]bool // that failed
	last    error
	blocked time.Time // no request before
}

const (
	// failedZones is how many zones in a row must fail before a provider is
	// left alone: a slow zone alone never keeps the others waiting.
	failedZones = 4
	// failingZones is how many in a row may be answered by 5xx and the like: some
	// of that comes of asking too much at once, which fewer at once mends.
	failingZones = 20
	// holdOff is how long it is left alone then.
	holdOff = 30 * time.Second
	// longestPause is how long requests wait where the provider asks to be left
	// alone; they fail where it asks for more.
	longestPause = 2 * time.Minute
)

func newGate(l Limits, now func() time.Time) *gate {
	g := &gate{now: now, most: l.Concurrency, limit: l.Concurrency, freed: make(chan struct{})}
	if l.RequestsPerSecond > 0 {
		g.rate = rate.NewLimiter(rate.Limit(l.RequestsPerSecond), max(1, int(l.RequestsPerSecond)))
	}
	return g
}

// enter waits for a place. The round it gives goes to leave.
func (g *gate) enter(ctx context.Context) (round int, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		g.mu.Lock()
		if err := g.blocked(); err != nil {
			g.mu.Unlock()
			return 0, err
		}
		wait := g.pause.Sub(g.now())
		if wait > longestPause {
			g.mu.Unlock()
			return 0, g.asksFor(wait)
		}
		if wait <= 0 && g.inUse < g.limit {
			g.inUse++
			round = g.round
			g.mu.Unlock()
			break
		}
		freed := g.freed
		g.mu.Unlock()
		if err := waitFor(ctx, freed, wait); err != nil {
			return 0, err
		}
	}
	return round, nil
}

// pace waits for the next moment that a request may be made at.
func (g *gate) pace(ctx context.Context) error {
	if g.rate != nil {
		if err := g.rate.Wait(ctx); err != nil {
			return err
		}
	}
	for {
		g.mu.Lock()
		wait, freed := g.pause.Sub(g.now()), g.freed
		g.mu.Unlock()
		if wait <= 0 {
			return nil
		}
		if wait > longestPause {
			return g.asksFor(wait)
		}
		if err := waitFor(ctx, freed, wait); err != nil {
			return err
		}
	}
}

// hold lets no request through for as long as the provider asked for.
func (g *gate) hold(after time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := g.now().Add(after); after > 0 && until.After(g.pause) {
		g.pause = until
	}
}

func (g *gate) asksFor(pause time.Duration) error {
	return zoneio.As(zoneio.Other, fmt.Errorf("the provider asks to be left alone until %s", g.now().Add(pause).Format(time.RFC3339)))
}

// waitFor waits until freed is closed or d (where positive) has passed.
func waitFor(ctx context.Context, freed <-chan struct{}, d time.Duration) error {
	var timer <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-freed:
	case <-timer:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (g *gate) blocked() error {
	wait := g.trouble.blocked.Sub(g.now())
	if wait <= 0 {
		return nil
	}
	return &zoneio.Error{Kind: zoneio.Other, Err: fmt.Errorf("not asked for another %s, since %d zones in a row failed there; the last: %w",
		wait.Round(time.Second), len(g.trouble.zones), g.trouble.last)}
}

// leave gives the place back and learns from what came of the request; made is
// false where there was none.
func (g *gate) leave(zone string, round int, err error, made bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inUse--
	if made {
		g.learn(zone, round, err)
	}
	close(g.freed)
	g.freed = make(chan struct{})
}

func (g *gate) learn(zone string, round int, err error) {
	kind := zoneio.KindOf(err)
	if kind == zoneio.Temporary && round == g.round {
		// All that were under way fail together: one step down for all of them.
		g.limit, g.calm, g.round = max(1, g.limit/2), 0, g.round+1
	}
	if after := zoneio.RetryAfter(err); after > 0 {
		if until := g.now().Add(after); until.After(g.pause) {
			g.pause = until
		}
	}
	bearable := failedZones
	switch {
	case kind == zoneio.Credentials, zoneio.Unreachable(err):
	case kind == zoneio.Temporary && zoneio.RetryAfter(err) > 0:
		return // it says itself when to come back
	case kind == zoneio.Temporary:
		bearable = failingZones
	default:
		g.trouble = trouble{}
		if g.calm++; err == nil && g.calm >= 4*g.limit && g.limit < g.most {
			g.limit, g.calm = g.limit+1, 0
		}
		return
	}
	if g.trouble.zones == nil {
		g.trouble.zones = make(map[string]bool)
	}
	g.trouble.zones[zone], g.trouble.last = true, err
	if len(g.trouble.zones) >= bearable {
		g.trouble.blocked = g.now().Add(holdOff)
	}
}
