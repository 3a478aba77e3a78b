package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The database is used so that poolers between (PgBouncer, for one) may hand
// each transaction to another connection: no session locks, no settings of a
// session, no prepared statements. What must be atomic is one batch, which
// PostgreSQL runs as one transaction and ends even where we die meanwhile.

const (
	opPatience  = 10 * time.Second       // longest that one operation takes
	retryFor    = 3 * time.Second        // how long a lost connection is tried again
	firstRetry  = 20 * time.Millisecond  // pause before the first of these
	maxRetry    = 500 * time.Millisecond // longest of these
	connectWait = 5 * time.Second        // unless the URL has a connect_timeout
	maxConns    = 8                      // unless the URL has a pool_max_conns
)

// defaultSchema is where the tables are unless the URL has a search_path.
const defaultSchema = "domherre"

// postgres is the Store in a PostgreSQL database.
type postgres struct {
	pool     *pgxpool.Pool
	schema   string // of our tables
	names    *strings.Replacer
	self     Holder
	mark     string // of this process
	log      *slog.Logger
	closing  context.Context // ends with Close
	close    context.CancelFunc
	leaseFor time.Duration // how long a lock outlives a silent holder
	poll     time.Duration // how often watches look by themselves
	begin    time.Duration // how long the first watch waits for where changes begin

	migration chan struct{} // capacity 1: held by a value in it, since a lock would wait for longer than ctx
	migrated  bool          // guarded by migration

	timelines timelines
	locks     pgLocks
	feed      pgFeed
}

// schemaName is what a schema may be called: names that need no quotes, short
// enough to be part of a channel's name.
var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,47}$`)

// openPostgres prepares for the database without demanding that it can be
// reached. Errors hold no password.
func openPostgres(location string, log *slog.Logger) (*postgres, error) {
	cfg, err := pgxpool.ParseConfig(location)
	if err != nil {
		// pgx's own error can quote a password that it doesn't recognise.
		return nil, errors.New("state: the postgres:// URL can't be read; write postgres://user:password@host:5432/database?sslmode=verify-full, with the signs of the password percent-encoded")
	}
	schema := defaultSchema
	if path, ok := cfg.ConnConfig.RuntimeParams["search_path"]; ok {
		schema = path
		delete(cfg.ConnConfig.RuntimeParams, "search_path") // poolers refuse it, and we name the schema ourselves
	}
	if !schemaName.MatchString(schema) {
		return nil, fmt.Errorf("state: search_path=%q of the postgres:// URL is no schema that can be used; write one name of a–z, 0–9 and _, such as %s", schema, defaultSchema)
	}
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	if !strings.Contains(location, "connect_timeout") {
		cfg.ConnConfig.ConnectTimeout = connectWait
	}
	if !strings.Contains(location, "pool_max_conns") {
		cfg.MaxConns = maxConns
	}
	if mayBePlain(cfg.ConnConfig) {
		log.Warn("the connection to the state's database may be unencrypted; add sslmode=verify-full to the URL under state:", "host", cfg.ConnConfig.Host)
	}
	s := &postgres{
		schema: schema, names: strings.NewReplacer("{s}", `"`+schema+`"`),
		self: thisProcess(), mark: processMark(), log: log, leaseFor: 15 * time.Second, poll: 3 * time.Second, begin: opPatience, migration: make(chan struct{}, 1),
	}
	s.locks.held = map[lockID]*pgLock{}
	s.feed.watches = map[*pgWatch]bool{}
	s.timelines.newest = map[string]uint64{}
	s.closing, s.close = context.WithCancel(context.Background())
	cfg.ConnConfig.ValidateConnect = s.alsoValidate(cfg.ConnConfig.ValidateConnect)
	cfg.BeforeConnect = func(ctx context.Context, _ *pgx.ConnConfig) error { s.survey(ctx); return nil }
	if s.pool, err = pgxpool.NewWithConfig(context.Background(), cfg); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	return s, nil
}

// mayBePlain reports whether passwords and keys may cross a network unencrypted.
func mayBePlain(c *pgx.ConnConfig) bool {
	near := func(host string) bool {
		ip := net.ParseIP(host)
		return strings.HasPrefix(host, "/") || host == "localhost" || ip != nil && ip.IsLoopback()
	}
	plain := c.TLSConfig == nil && !near(c.Host)
	for _, f := range c.Fallbacks {
		plain = plain || f.TLSConfig == nil && !near(f.Host)
	}
	return plain
}

// sql puts the schema's name into a statement, in the place of {s}.
func (s *postgres) sql(statement string) string { return s.names.Replace(statement) }

// String names the database, without user and password.
func (s *postgres) String() string {
	c := s.pool.Config().ConnConfig
	host := c.Host
	if !strings.HasPrefix(host, "/") {
		host = net.JoinHostPort(host, strconv.Itoa(int(c.Port)))
	}
	name := "database " + c.Database + " at " + host
	if s.schema != defaultSchema {
		name += ", schema " + s.schema
	}
	return name
}

// alive gives the reason not to begin an operation, if there is one.
func (s *postgres) alive(ctx context.Context) error {
	if s.closing.Err() != nil {
		return ErrClosed
	}
	return ctx.Err()
}

// bounded gives a context for one operation: it ends with ctx, with the Store
// and after a while.
func (s *postgres) bounded(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	stop := context.AfterFunc(s.closing, cancel)
	return ctx, func() { stop(); cancel() }
}

// do runs one operation, again where a connection was lost: run must bear to
// have been done already. step is for the error: "reading a/b".
func (s *postgres) do(ctx context.Context, step string, run func(ctx context.Context) error) error {
	return s.doWithin(ctx, opPatience, step, run)
}

func (s *postgres) doWithin(ctx context.Context, patience time.Duration, step string, run func(ctx context.Context) error) error {
	if err := s.alive(ctx); err != nil {
		return err
	}
	bounded, cancel := s.bounded(ctx, patience)
	defer cancel()
	began := time.Now()
	var last error
	for pause := firstRetry; ; pause = min(2*pause, maxRetry) {
		err := s.migrate(bounded)
		if err == nil {
			err = run(bounded)
		}
		if err == nil {
			return nil
		}
		if last == nil || bounded.Err() == nil {
			last = err // the reason, not that our patience ended
		}
		s.forget(err)
		if !transient(err) || time.Since(began) > retryFor || !pauseFor(bounded, pause) {
			return s.failed(ctx, step, last)
		}
	}
}

// pauseFor waits, and reports whether to go on.
func pauseFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// batch runs statements as one transaction, and gives each one's rows to its
// reader. A nil reader takes no rows.
func (s *postgres) batch(ctx context.Context, statements ...statement) error {
	var b pgx.Batch
	for _, st := range statements {
		read := st.read
		q := b.Queue(s.sql(st.sql), st.args...)
		if read != nil {
			q.Query(read)
		}
	}
	return s.pool.SendBatch(ctx, &b).Close()
}

// statement is one of a batch.
type statement struct {
	sql  string // with {s} for the schema
	args []any
	read func(pgx.Rows) error // pgx closes the rows
}

// patient begins a transaction that waits for the locks of others no longer
// than we do: that of a node that died meanwhile must not stand in their way.
var patient = statement{sql: `SELECT set_config('lock_timeout', $1, true)`, args: []any{fmt.Sprintf("%dms", opPatience.Milliseconds())}}

// counted reads how many rows there are.
func counted(n *int) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		*n = 0
		for rows.Next() {
			*n++
		}
		return rows.Err()
	}
}

// Probe writes into the database.
func (s *postgres) Probe(ctx context.Context) error {
	return s.do(ctx, "writing", func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, s.sql(`UPDATE {s}.meta SET probed = clock_timestamp()`))
		return err
	})
}

// Close ends all watches and gives back all locks and leases. Those that it
// can't give back, since the database is away, lapse by themselves.
func (s *postgres) Close() error {
	if s.closing.Err() != nil {
		return nil
	}
	s.close()
	if err := s.dropAll(); err != nil {
		s.log.Warn("could not give back the locks in the state; they lapse by themselves", "within", s.leaseFor, "err", s.failed(context.Background(), "giving locks back", err))
	}
	s.feed.done.Wait()
	s.pool.Close()
	return nil
}
