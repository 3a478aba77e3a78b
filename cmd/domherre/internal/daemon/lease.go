package daemon

import (
	"context"
	"sync"

	"domherre/cmd/domherre/internal/wire"
	"domherre/state"
)

// permit is the lease on the portfolio's zones. The runs of this process, each
// for another provider, share it.
type permit struct {
	mu      sync.Mutex
	current *sharedLease
}

type sharedLease struct {
	state.Lease
	users int
}

// take joins the lease, or waits for it. The context ends with the lease.
func (p *permit) take(ctx context.Context, store state.Store, portfolioID string, held func(*state.HeldError)) (context.Context, func(), error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil || p.current.Context().Err() != nil {
		lease, err := wire.Lease(ctx, store, portfolioID, "domherre run", held)
		if err != nil {
			return nil, nil, err
		}
		p.current = &sharedLease{Lease: lease}
	}
	joined := p.current
	joined.users++
	return joined.Context(), sync.OnceFunc(func() { p.leave(joined) }), nil
}

func (p *permit) leave(l *sharedLease) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.users--; l.users > 0 {
		return
	}
	if p.current == l {
		p.current = nil
	}
	l.Release()
}
