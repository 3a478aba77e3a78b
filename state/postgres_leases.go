package state

import (
	"context"
	"sync"
	"time"
)

// Acquire takes the lease name, or answers with a *HeldError.
func (s *postgres) Acquire(ctx context.Context, name string, h Holder) (Lease, error) {
	lock, by, err := s.try(ctx, lockID{kindLease, name}, h)
	if err != nil {
		return nil, err
	}
	if lock == nil {
		return nil, &HeldError{Name: name, Holder: by}
	}
	return s.newLease(ctx, lock), nil
}

// AcquireWait takes the lease name, waiting until ctx ends.
func (s *postgres) AcquireWait(ctx context.Context, name string, h Holder, held func(*HeldError)) (Lease, error) {
	lock, err := s.wait(ctx, lockID{kindLease, name}, h, func(by Holder) {
		if held != nil {
			held(&HeldError{Name: name, Holder: by})
		}
	})
	if err != nil {
		return nil, err
	}
	return s.newLease(ctx, lock), nil
}

// pgLease is a Lease.
type pgLease struct {
	ctx     context.Context
	release func() error
}

func (l *pgLease) Context() context.Context { return l.ctx }
func (l *pgLease) Release() error           { return l.release() }

// newLease makes a lease of a lock. It is lost when its row is, and when the
// row has lapsed by our own clock since the database couldn't be reached.
func (s *postgres) newLease(parent context.Context, lock *pgLock) Lease {
	ctx, cancel := context.WithCancelCause(fencedBy(parent, s, lock.token))
	stop := context.AfterFunc(s.closing, func() { cancel(ErrClosed) })
	lose := func() {
		if s.untrack(lock) {
			s.log.Error("a lease was lost: it could not be renewed in time", "lease", lock.id.name)
		}
		cancel(ErrLeaseLost)
	}
	s.locks.mu.Lock()
	lock.lose = func(err error) { cancel(err) }
	lock.timer = time.AfterFunc(time.Until(lock.asked.Add(s.leaseFor)), lose)
	s.locks.mu.Unlock()
	return &pgLease{ctx: ctx, release: sync.OnceValue(func() error {
		stop()
		cancel(context.Canceled)
		return s.drop(lock)
	})}
}
