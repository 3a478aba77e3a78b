package dnsprovider

import (
	"context"
	"fmt"
	"sync"
	"time"

	"domherre/portfolio"
)

// locks are mutexes by zone, which a context can give up waiting for.
type locks struct {
	mu   sync.Mutex
	held map[portfolio.Name]chan struct{} // closed on unlock
}

func newLocks() *locks { return &locks{held: make(map[portfolio.Name]chan struct{})} }

func (l *locks) lock(ctx context.Context, name portfolio.Name) error {
	for {
		l.mu.Lock()
		other, taken := l.held[name]
		if !taken {
			l.held[name] = make(chan struct{})
			l.mu.Unlock()
			return nil
		}
		l.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *locks) unlock(name portfolio.Name) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.held[name])
	delete(l.held, name)
}

// lock keeps others from the zone: those of this process, and, where the
// provider itself doesn't refuse what is stale, those who share the store.
func (p *provider) lock(ctx context.Context, name portfolio.Name) (unlock func(), err error) {
	if err := p.locks.lock(ctx, name); err != nil {
		return nil, fmt.Errorf("wait for another write to end: %w", err)
	}
	local := func() { p.locks.unlock(name) }
	if p.typ.guards || p.deps.Store == nil {
		return local, nil
	}
	key := "dns-" + p.cfg.Name + "-" + name.ASCII()
	if err := p.deps.Store.Lock(ctx, key); err != nil {
		local()
		return nil, fmt.Errorf("lock the zone in the state: %w", err)
	}
	return func() {
		defer local()
		// Given back even when the caller's time is up.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := p.deps.Store.Unlock(ctx, key); err != nil {
			p.deps.Log.Warn("the zone's lock could not be given back; it goes stale by itself", "zone", name.ASCII(), "error", err)
		}
	}, nil
}
