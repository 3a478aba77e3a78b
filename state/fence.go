package state

import (
	"context"
	"slices"

	"github.com/gofrs/flock"
)

// What is written under the context of a lease, or of Fence, is written only
// while that lease or lock is ours. The context carries what tells: in a
// database a token, in a folder the open file of the lock.

// fenceKey finds, in a context, what it was fenced by in a Store.
type fenceKey struct{ store any }

// fencedBy adds a fence to those that ctx has already.
func fencedBy[T any](ctx context.Context, store any, fence T) context.Context {
	all := append(slices.Clone(fencesOf[T](ctx, store)), fence)
	return context.WithValue(ctx, fenceKey{store}, all)
}

func fencesOf[T any](ctx context.Context, store any) []T {
	all, _ := ctx.Value(fenceKey{store}).([]T)
	return all
}

// noToken is a token that no row has.
const noToken = "none"

// Fence gives a context for writes under the lock name.
func (s *postgres) Fence(ctx context.Context, name string) context.Context {
	s.locks.mu.Lock()
	lock := s.locks.held[lockID{kindLock, name}]
	s.locks.mu.Unlock()
	if lock == nil {
		return fencedBy(ctx, s, noToken)
	}
	return fencedBy(ctx, s, lock.token)
}

func (s *postgres) fencesOf(ctx context.Context) []string { return fencesOf[string](ctx, s) }

// fileFence is a lock as it was taken.
type fileFence struct {
	id   lockID
	file *flock.Flock // nil: it wasn't held
}

// Fence gives a context for writes under the lock name.
func (s *files) Fence(ctx context.Context, name string) context.Context {
	return s.fenced(ctx, lockID{lockDir, name})
}

func (s *files) fenced(ctx context.Context, id lockID) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := fileFence{id: id}
	if sl := s.slots[id]; sl != nil {
		f.file = sl.file
	}
	return fencedBy(ctx, s, f)
}

// fence fails where ctx belongs to a lock that isn't held any more.
func (s *files) fence(ctx context.Context) error {
	for _, f := range fencesOf[fileFence](ctx, s) {
		if !s.stands(f) {
			return ErrLeaseLost
		}
	}
	return nil
}

func (s *files) stands(f fileFence) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := s.slots[f.id]
	return sl != nil && f.file != nil && sl.file == f.file && current(f.file)
}
