package dnstest

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Store is a state in memory, with locks and a watch.
type Store struct {
	mu      sync.Mutex
	values  map[string][]byte
	locks   map[string]chan struct{} // closed on unlock
	watches []watch
}

type watch struct {
	prefix string
	keys   chan string
	done   <-chan struct{}
}

// NewStore makes an empty Store.
func NewStore() *Store {
	return &Store{values: make(map[string][]byte), locks: make(map[string]chan struct{})}
}

// Load gives the value at key; the error is fs.ErrNotExist where there is none.
func (s *Store) Load(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.values[key]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return slices.Clone(value), nil
}

// Store puts value at key.
func (s *Store) Store(_ context.Context, key string, value []byte) error {
	s.mu.Lock()
	s.values[key] = slices.Clone(value)
	s.mu.Unlock()
	s.tell(key)
	return nil
}

// Delete removes key.
func (s *Store) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	delete(s.values, key)
	s.mu.Unlock()
	s.tell(key)
	return nil
}

// List gives the keys below prefix, sorted.
func (s *Store) List(_ context.Context, prefix string, _ bool) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := slices.Sorted(maps.Keys(s.values))
	return slices.DeleteFunc(keys, func(k string) bool { return !strings.HasPrefix(k, prefix) }), nil
}

// Lock waits for the lock of that name.
func (s *Store) Lock(ctx context.Context, name string) error {
	for {
		s.mu.Lock()
		other, taken := s.locks[name]
		if !taken {
			s.locks[name] = make(chan struct{})
			s.mu.Unlock()
			return nil
		}
		s.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Unlock gives the lock back.
func (s *Store) Unlock(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.locks[name])
	delete(s.locks, name)
	return nil
}

// Watch gives the keys below prefix that change, until ctx ends.
func (s *Store) Watch(ctx context.Context, prefix string) (<-chan string, error) {
	w := watch{prefix: prefix, keys: make(chan string, 64), done: ctx.Done()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watches = append(s.watches, w)
	return w.keys, nil
}

func (s *Store) tell(key string) {
	s.mu.Lock()
	watches := slices.Clone(s.watches)
	s.mu.Unlock()
	for _, w := range watches {
		if strings.HasPrefix(key, w.prefix) {
			select {
			case w.keys <- key:
			case <-w.done:
			}
		}
	}
}
