package state

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// track has a lock renewed from now on.
func (s *postgres) track(lock *pgLock) error {
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	if s.closing.Err() != nil {
		return ErrClosed // its row lapses
	}
	s.locks.held[lock.id] = lock
	if !s.locks.renewing {
		s.locks.renewing = true
		s.feed.done.Go(s.keepRenewing)
	}
	return nil
}

// untrack stops that, and reports whether it was.
func (s *postgres) untrack(lock *pgLock) bool {
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	if lock.timer != nil {
		lock.timer.Stop()
	}
	if s.locks.held[lock.id] != lock {
		return false
	}
	delete(s.locks.held, lock.id)
	return true
}

// drop gives a lock back.
func (s *postgres) drop(lock *pgLock) error {
	if !s.untrack(lock) {
		return nil
	}
	if s.closing.Err() != nil {
		return nil // Close gives it back
	}
	return s.do(context.Background(), fmt.Sprintf("giving lock %q back", lock.id.name), func(ctx context.Context) error {
		return s.remove(ctx, []string{lock.token})
	})
}

// dropAll gives back all, when the Store closes.
func (s *postgres) dropAll() error {
	s.locks.mu.Lock()
	var tokens []string
	for _, lock := range s.locks.held {
		tokens = append(tokens, lock.token)
		if lock.timer != nil {
			lock.timer.Stop()
		}
	}
	s.locks.mu.Unlock()
	if len(tokens) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), retryFor)
	defer cancel()
	return s.remove(ctx, tokens)
}

func (s *postgres) remove(ctx context.Context, tokens []string) error {
	_, err := s.pool.Exec(ctx, s.sql(`DELETE FROM {s}.lock WHERE token = ANY($1::text[])`), tokens)
	return err
}

// renew gives the rows of tokens more time and tells which are still there.
func (s *postgres) renew(ctx context.Context, tokens []string) (map[string]bool, error) {
	rows, err := s.pool.Query(ctx, s.sql(`UPDATE {s}.lock SET expires = clock_timestamp() + $2 * interval '1 millisecond'
		WHERE token = ANY($1::text[]) RETURNING token`), tokens, s.leaseFor.Milliseconds())
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	renewed := map[string]bool{}
	for _, token := range list {
		renewed[token] = true
	}
	return renewed, err
}

// keepRenewing renews all that is held, several times in a lease's time.
func (s *postgres) keepRenewing() {
	wait := s.leaseFor / 5
	for pauseFor(s.closing, wait) {
		wait = s.leaseFor / 5
		if err := s.renewAll(); err != nil {
			wait /= 4
			s.log.Warn("could not renew the locks in the state; trying again", "err", s.failed(s.closing, "renewing locks", err))
		}
	}
}

func (s *postgres) renewAll() error {
	s.locks.mu.Lock()
	var tokens []string
	locks := map[string]*pgLock{}
	for _, lock := range s.locks.held {
		tokens = append(tokens, lock.token)
		locks[lock.token] = lock
	}
	s.locks.mu.Unlock()
	if len(tokens) == 0 {
		return nil
	}
	asked := time.Now()
	ctx, cancel := s.bounded(s.closing, s.leaseFor/4)
	defer cancel()
	renewed, err := s.renew(ctx, tokens)
	if err != nil {
		return err
	}
	for token, lock := range locks {
		if renewed[token] {
			s.renewedAt(lock, asked)
		} else if s.untrack(lock) {
			s.log.Error("a lock was lost: its row is gone from the state", "kind", lock.id.dir, "lock", lock.id.name)
			if lock.lose != nil {
				lock.lose(ErrLeaseLost)
			}
		}
	}
	return nil
}

// renewedAt notes that the row's time counts from asked at the earliest.
func (s *postgres) renewedAt(lock *pgLock, asked time.Time) {
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	if s.locks.held[lock.id] != lock {
		return
	}
	lock.asked = asked
	if lock.timer != nil {
		lock.timer.Reset(time.Until(asked.Add(s.leaseFor)))
	}
}
