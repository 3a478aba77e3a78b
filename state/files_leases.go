package state

import (
	"context"
	"errors"
	"sync"
	"time"
)

// leaseCheck is how often a lease makes sure that nobody removed its file.
const leaseCheck = 2 * time.Second

// Acquire takes the lease name, or answers with a *HeldError.
func (s *files) Acquire(ctx context.Context, name string, h Holder) (Lease, error) {
	id := lockID{leaseDir, name}
	ok, err := s.take(ctx, id, h, false)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &HeldError{Name: name, Holder: s.signed(ctx, id)}
	}
	return s.newLease(ctx, id), nil
}

// AcquireWait takes the lease name, waiting until ctx ends.
func (s *files) AcquireWait(ctx context.Context, name string, h Holder, held func(*HeldError)) (Lease, error) {
	lease, err := s.Acquire(ctx, name, h)
	var holds *HeldError
	if !errors.As(err, &holds) {
		return lease, err
	}
	if held != nil {
		held(holds)
	}
	id := lockID{leaseDir, name}
	if _, err := s.take(ctx, id, h, true); err != nil {
		return nil, err
	}
	return s.newLease(ctx, id), nil
}

// signed is holder with some patience for one who is just signing.
func (s *files) signed(ctx context.Context, id lockID) Holder {
	for range 10 {
		if h := s.holder(id); h.PID != 0 || !s.sleep(ctx, 2*time.Millisecond) {
			return h
		}
	}
	return Holder{}
}

// fileLease is a Lease.
type fileLease struct {
	ctx     context.Context
	release func() error
}

func (l *fileLease) Context() context.Context { return l.ctx }
func (l *fileLease) Release() error           { return l.release() }

func (s *files) newLease(parent context.Context, id lockID) Lease {
	ctx, cancel := context.WithCancelCause(s.fenced(parent, id))
	go s.guardLease(ctx, cancel, id)
	return &fileLease{ctx: ctx, release: sync.OnceValue(func() error {
		cancel(context.Canceled)
		if s.closing.Err() != nil {
			return nil // Close has given it back
		}
		return s.drop(id)
	})}
}

// guardLease ends a lease whose file is gone, since another process can hold
// it then, and with the Store.
func (s *files) guardLease(ctx context.Context, cancel context.CancelCauseFunc, id lockID) {
	ticker := time.NewTicker(leaseCheck)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.closing.Done():
			cancel(ErrClosed)
			return
		case <-ticker.C:
			if !s.holds(id) {
				s.log.Error("a lease was lost: somebody removed its file", "lease", id.name, "file", s.lockPath(id))
				cancel(ErrLeaseLost)
				return
			}
		}
	}
}
