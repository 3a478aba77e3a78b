package state

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Locks and leases are rows that lapse, by the database's clock, unless their
// holder renews them. A process on the same machine that is dead has lost its
// at once: a daemon that was killed and restarted needn't wait.

const (
	kindLock  = "lock"
	kindLease = "lease"
)

// Longest pause between two tries for a lock that somebody else holds.
const maxTakePause = 250 * time.Millisecond

// pgLocks are the locks and leases that this Store holds.
type pgLocks struct {
	mu       sync.Mutex
	held     map[lockID]*pgLock
	renewing bool
}

// pgLock is one of them.
type pgLock struct {
	id    lockID
	token string
	asked time.Time   // when the row last got its time, or before that
	lose  func(error) // ends a lease; nil for a lock
	timer *time.Timer // calls lose when the row has lapsed unrenewed
}

// Lock takes the lock name, waiting until ctx ends.
func (s *postgres) Lock(ctx context.Context, name string) error {
	_, err := s.wait(ctx, lockID{kindLock, name}, Holder{}, nil)
	return err
}

// TryLock takes the lock name if nobody holds it.
func (s *postgres) TryLock(ctx context.Context, name string) (bool, error) {
	lock, _, err := s.try(ctx, lockID{kindLock, name}, Holder{})
	return lock != nil, err
}

// Unlock gives the lock name back, even where ctx has ended.
func (s *postgres) Unlock(_ context.Context, name string) error {
	s.locks.mu.Lock()
	lock := s.locks.held[lockID{kindLock, name}]
	s.locks.mu.Unlock()
	if lock == nil {
		return fmt.Errorf("state: lock %q is not held", name)
	}
	return s.drop(lock)
}

// RenewLockLease makes sure that the lock is ours for another while; the
// Store does so by itself, too.
func (s *postgres) RenewLockLease(ctx context.Context, lockKey string, _ time.Duration) error {
	if err := s.alive(ctx); err != nil {
		return err
	}
	s.locks.mu.Lock()
	lock := s.locks.held[lockID{kindLock, lockKey}]
	s.locks.mu.Unlock()
	if lock == nil {
		return fmt.Errorf("state: lock %q is not held", lockKey)
	}
	var renewed map[string]bool
	err := s.do(ctx, fmt.Sprintf("renewing lock %q", lockKey), func(ctx context.Context) (err error) {
		renewed, err = s.renew(ctx, []string{lock.token})
		return err
	})
	if err == nil && !renewed[lock.token] {
		s.untrack(lock)
		err = fmt.Errorf("state: lock %q is not held any more", lockKey)
	}
	return err
}

// holdsLocks reports whether any lock, not lease, is held here.
func (s *postgres) holdsLocks() bool {
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	for id := range s.locks.held {
		if id.dir == kindLock {
			return true
		}
	}
	return false
}

// wait takes a lock, and calls held once where it must wait for it.
func (s *postgres) wait(ctx context.Context, id lockID, h Holder, held func(Holder)) (*pgLock, error) {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, maxTakePause) {
		lock, by, err := s.try(ctx, id, h)
		if lock != nil || err != nil {
			return lock, err
		}
		if held != nil {
			held(by)
			held = nil
		}
		bounded, cancel := s.bounded(ctx, time.Minute)
		on := pauseFor(bounded, pause)
		cancel()
		if !on && ctx.Err() == nil {
			return nil, ErrClosed
		}
		if !on {
			return nil, fmt.Errorf("state: waiting for lock %q, held by %s: %w", id.name, by, ctx.Err())
		}
	}
}

// try takes a lock, or says who holds it.
func (s *postgres) try(ctx context.Context, id lockID, h Holder) (*pgLock, Holder, error) {
	lock := &pgLock{id: id, token: rand.Text()}
	holder, err := json.Marshal(h.filled(s.self, time.Now()))
	if err != nil {
		return nil, Holder{}, err
	}
	var by Holder
	taken := false
	err = s.do(ctx, fmt.Sprintf("taking lock %q", id.name), func(ctx context.Context) (err error) {
		lock.asked = time.Now()
		for range 3 { // it may be given back between two looks
			if taken, err = s.claim(ctx, lock, holder); taken || err != nil {
				return err
			}
			var again bool
			if taken, again, by, err = s.whoHolds(ctx, lock); taken || !again || err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !taken {
		return nil, by, err
	}
	return lock, Holder{}, s.track(lock)
}

// claim makes a lock's row. It waits for writes under a lapsed lease that it
// takes over, since removing the row waits for their locks on it.
func (s *postgres) claim(ctx context.Context, lock *pgLock, holder []byte) (bool, error) {
	made := 0
	err := s.batch(ctx,
		patient,
		statement{sql: `DELETE FROM {s}.lock WHERE kind = $1 AND name = $2 AND expires <= clock_timestamp()`, args: []any{lock.id.dir, rowName(lock.id.name)}},
		statement{sql: `INSERT INTO {s}.lock (kind, name, token, process, holder, expires)
			VALUES ($1, $2, $3, $4, $5::json, clock_timestamp() + $6 * interval '1 millisecond') ON CONFLICT DO NOTHING RETURNING token`,
			args: []any{lock.id.dir, rowName(lock.id.name), lock.token, s.mark, string(holder), s.leaseFor.Milliseconds()}, read: counted(&made)},
	)
	return made == 1, err
}

// whoHolds looks at the row that is in the way. It may be ours, made by a try
// whose answer was lost, and it may be a dead process's, which it removes.
func (s *postgres) whoHolds(ctx context.Context, lock *pgLock) (ours, again bool, by Holder, err error) {
	var token, process, text string
	err = s.pool.QueryRow(ctx, s.sql(`SELECT token, process, holder::text FROM {s}.lock WHERE kind = $1 AND name = $2`),
		lock.id.dir, rowName(lock.id.name)).Scan(&token, &process, &text)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, true, Holder{}, nil
	case err != nil:
		return false, false, Holder{}, err
	case token == lock.token:
		return true, false, Holder{}, nil
	case processDead(process):
		return false, true, Holder{}, s.remove(ctx, []string{token})
	}
	if json.Unmarshal([]byte(text), &by) != nil {
		by = Holder{} // somebody's by hand
	}
	return false, false, by, nil
}

// rowName makes ASCII of a lock's name, which can be any octets.
func rowName(name string) string { return strings.TrimSuffix(lockFile(name), ".lock") }
