package state

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Each row of value says which transaction wrote it. A look asks for what was
// written by transactions from a certain one on: the oldest that was still
// running at the look before, so that none that commits late is left out.
// Writers notify, which makes the next look come at once; where a pooler
// swallows that, it comes every few seconds.

// pgFeed looks for changes on behalf of all watches of a Store.
type pgFeed struct {
	done sync.WaitGroup // of the Store's goroutines

	start   sync.Mutex
	running bool // guarded by start

	mu      sync.Mutex
	watches map[*pgWatch]bool
	next    uint64            // the transaction from which on to look; 0: nothing was seen yet
	told    map[string]uint64 // transactions from next on that were told, by key
}

// pgWatch is one call of Watch.
type pgWatch struct {
	prefix string
	more   chan struct{} // capacity 1

	mu      sync.Mutex
	pending []string
	queued  map[string]bool // what is in pending
}

// Watch sends the keys of files at or below prefix that change.
func (s *postgres) Watch(ctx context.Context, prefix string) (<-chan string, error) {
	if err := s.alive(ctx); err != nil {
		return nil, err
	}
	if prefix != "" {
		if err := ValidKey(prefix); err != nil {
			return nil, err
		}
	}
	if err := s.startFeed(ctx); err != nil {
		return nil, err
	}
	w := &pgWatch{prefix: prefix, more: make(chan struct{}, 1), queued: map[string]bool{}}
	s.feed.mu.Lock()
	s.feed.watches[w] = true
	s.feed.mu.Unlock()
	keys := make(chan string)
	s.feed.done.Go(func() {
		defer close(keys)
		defer func() {
			s.feed.mu.Lock()
			delete(s.feed.watches, w)
			s.feed.mu.Unlock()
		}()
		w.send(ctx, s.closing, keys)
	})
	return keys, nil
}

// send sends what is pending, in order.
func (w *pgWatch) send(ctx, closing context.Context, keys chan<- string) {
	for {
		var out chan<- string
		var next string
		w.mu.Lock()
		if len(w.pending) > 0 {
			out, next = keys, w.pending[0]
		}
		w.mu.Unlock()
		select {
		case out <- next:
			w.mu.Lock()
			w.pending = w.pending[1:]
			delete(w.queued, next)
			w.mu.Unlock()
		case <-w.more:
		case <-ctx.Done():
			return
		case <-closing.Done():
			return
		}
	}
}

// tell has key sent once the receiver is ready.
func (w *pgWatch) tell(key string) {
	if w.prefix != "" && key != w.prefix && !strings.HasPrefix(key, w.prefix+"/") {
		return
	}
	w.mu.Lock()
	if !w.queued[key] {
		w.queued[key] = true
		w.pending = append(w.pending, key)
	}
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
}

// startFeed notes where the changes begin. Where the database is away, all
// that is found once it is back counts as changed.
func (s *postgres) startFeed(ctx context.Context) error {
	s.feed.start.Lock()
	defer s.feed.start.Unlock()
	if s.feed.running {
		return nil
	}
	var next uint64
	err := s.doWithin(ctx, s.begin, "watching", func(ctx context.Context) (err error) {
		next, _, err = s.changes(ctx, 0, false)
		return err
	})
	if err != nil && s.alive(ctx) != nil {
		return err
	}
	if err != nil {
		s.log.Warn("the state can't be watched yet; trying again", "err", err)
	}
	s.feed.running, s.feed.next, s.feed.told = true, next, map[string]uint64{}
	wake := make(chan struct{}, 1)
	s.feed.done.Go(func() { s.listen(wake) })
	s.feed.done.Go(func() { s.follow(wake) })
	return nil
}

// follow looks for changes whenever it is woken, and every few seconds.
func (s *postgres) follow(wake <-chan struct{}) {
	ticker := time.NewTicker(s.poll)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-s.closing.Done():
			return
		case <-wake:
		case <-ticker.C:
		}
		ctx, cancel := s.bounded(s.closing, opPatience)
		err := s.look(ctx)
		cancel()
		if err != nil && !failing && s.closing.Err() == nil {
			s.log.Warn("could not look for changes in the state; trying again", "every", s.poll, "err", s.failed(s.closing, "watching", err))
		}
		failing = err != nil
	}
}

// look tells the watches what has changed since the look before.
func (s *postgres) look(ctx context.Context) error {
	if err := s.migrate(ctx); err != nil {
		return err
	}
	f := &s.feed
	next, found, err := s.changes(ctx, f.next, true)
	if err == nil && next < f.next {
		// Another server, which counts otherwise: a copy, or a standby.
		next, found, err = s.changes(ctx, 0, true)
		clear(f.told)
	}
	if err != nil {
		return err
	}
	f.next = next
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range found {
		if f.told[c.key] == c.xid {
			continue
		}
		f.told[c.key] = c.xid
		for w := range f.watches {
			w.tell(c.key)
		}
	}
	for key, xid := range f.told {
		if xid < next {
			delete(f.told, key)
		}
	}
	return nil
}

// change is a key that a transaction has stored or deleted.
type change struct {
	key string
	xid uint64
}

// changes gives what was written by the transaction from and later ones, and
// where the next look has to begin.
func (s *postgres) changes(ctx context.Context, from uint64, read bool) (next uint64, found []change, err error) {
	statements := []statement{{sql: `SELECT pg_snapshot_xmin(pg_current_snapshot())::text`, read: func(rows pgx.Rows) error {
		xid, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
		if err == nil {
			next, err = strconv.ParseUint(xid, 10, 64)
		}
		return err
	}}}
	if read {
		// Rows from a dump can name transactions that are yet to come here.
		statements = append(statements, statement{
			sql:  `SELECT key, xid::text FROM {s}.value WHERE xid >= $1::text::xid8 AND xid < pg_snapshot_xmax(pg_current_snapshot()) ORDER BY xid, key`,
			args: []any{strconv.FormatUint(from, 10)},
			read: func(rows pgx.Rows) (err error) {
				found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c change, err error) {
					var xid string
					if err = row.Scan(&c.key, &xid); err == nil {
						c.xid, err = strconv.ParseUint(xid, 10, 64)
					}
					return c, err
				})
				return err
			}})
	}
	err = s.batch(ctx, statements...)
	return next, found, err
}

// listen wakes the feed when a writer notifies, on a connection of its own.
func (s *postgres) listen(wake chan<- struct{}) {
	for {
		err := s.hear(s.closing, wake)
		if s.closing.Err() != nil {
			return
		}
		s.log.Debug("not hearing of changes in the state; looking for them", "every", s.poll, "err", s.failed(s.closing, "listening", err))
		if !pauseFor(s.closing, s.poll) {
			return
		}
	}
}

func (s *postgres) hear(ctx context.Context, wake chan<- struct{}) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig.Copy())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.Background()) }() // nothing is lost with it
	if _, err := conn.Exec(ctx, `LISTEN `+s.channel()); err != nil {
		return err
	}
	for {
		select {
		case wake <- struct{}{}:
		default:
		}
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}
