package wire

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"

	"domherre/state"
)

// leadName names the lease of the one process that works for a portfolio: it
// reconciles, orders certificates and checks, where others only serve.
func leadName(portfolioID string) string { return "lead-" + portfolioID }

// reconcileName names the lease on a portfolio's zones. The leader takes it for
// each run, and commands do.
func reconcileName(portfolioID string) string { return "reconcile-" + portfolioID }

// Lead takes the lead of a portfolio, or fails with a *state.HeldError where
// another process has it.
func Lead(ctx context.Context, store state.Store, portfolioID, command string) (state.Lease, error) {
	return store.Acquire(ctx, leadName(portfolioID), state.Holder{Command: command})
}

// AwaitLead waits for the lead of a portfolio.
func AwaitLead(ctx context.Context, store state.Store, portfolioID, command string) (state.Lease, error) {
	return store.AcquireWait(ctx, leadName(portfolioID), state.Holder{Command: command}, nil)
}

// Halt keeps everybody from working with any of the stores, for the portfolios
// given and all that the stores know of, until release is called. It fails with
// a *state.HeldError where somebody does. What is written under the context, to
// the last store, is checked against that.
func Halt(ctx context.Context, command string, ids []string, stores ...state.Store) (halted context.Context, release func(), err error) {
	for _, s := range stores {
		known, err := portfolios(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, known...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var leases []state.Lease
	release = func() {
		for _, l := range slices.Backward(leases) {
			l.Release()
		}
	}
	for _, s := range stores {
		for _, id := range ids {
			for _, name := range []string{leadName(id), reconcileName(id)} {
				lease, err := s.Acquire(ctx, name, state.Holder{Command: command})
				if err != nil {
					release()
					return nil, nil, err
				}
				leases = append(leases, lease)
				ctx = lease.Context()
			}
		}
	}
	return ctx, release, nil
}

// portfolios lists the ids of those that a state has worked for.
func portfolios(ctx context.Context, store state.Store) ([]string, error) {
	folders, err := store.List(ctx, AcceptedPrefix, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var ids []string
	for _, f := range folders {
		ids = append(ids, path.Base(f))
	}
	return ids, err
}
