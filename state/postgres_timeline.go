package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// When a standby takes over, PostgreSQL begins a new timeline. A former primary
// that comes back, or was cut off from the others only, goes on with the old
// one and takes writes as if nothing had happened: they would be lost, and two
// nodes would lead. So no connection is used whose timeline is older than one
// that was seen; and where the URL names several hosts, all are asked before a
// connection is made.

const (
	surveyEvery   = 2 * time.Second
	surveyTimeout = time.Second // a host that is away must not hold up the others for longer
)

// timelines are the newest that were seen, by the cluster's own number: a
// cluster that was made anew counts from the start.
type timelines struct {
	mu       sync.Mutex
	newest   map[string]uint64
	surveyed time.Time
}

// staleError says that a server is a former primary.
type staleError struct{ is, newest uint64 }

func (e *staleError) Error() string {
	return fmt.Sprintf("it is a former primary (timeline %d, and another server is at %d)", e.is, e.newest)
}

// enter notes a timeline. newer is whether others were known, all of them older.
func (t *timelines) enter(cluster string, is uint64) (newer bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	newest := t.newest[cluster]
	if is < newest {
		return false, &staleError{is, newest}
	}
	t.newest[cluster] = is
	return is > newest && newest > 0, nil
}

// timelineQuery is answered by primaries alone.
const timelineQuery = `SELECT system_identifier, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM pg_control_system()`

// validate refuses a connection to a former primary. A server that doesn't tell,
// such as a standby, is taken as it is.
func (s *postgres) validate(ctx context.Context, conn *pgconn.PgConn) error {
	results, err := conn.Exec(ctx, timelineQuery).ReadAll()
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return nil
	}
	if err != nil || len(results) != 1 || len(results[0].Rows) != 1 {
		return errors.Join(err, errors.New("asking for its timeline"))
	}
	row := results[0].Rows[0]
	is, err := strconv.ParseUint(string(row[1]), 16, 32)
	if err != nil {
		return nil
	}
	newer, err := s.timelines.enter(string(row[0]), is)
	if newer {
		s.log.Info("another database server has taken over", "timeline", is)
		s.pool.Reset() // the others lead to the former primary
	}
	return err
}

// alsoValidate is validate after what the URL demands of a server.
func (s *postgres) alsoValidate(first pgconn.ValidateConnectFunc) pgconn.ValidateConnectFunc {
	return func(ctx context.Context, conn *pgconn.PgConn) error {
		if first != nil {
			if err := first(ctx, conn); err != nil {
				return err
			}
		}
		return s.validate(ctx, conn)
	}
}

// survey asks all hosts of the URL for their timelines, where there are several.
func (s *postgres) survey(ctx context.Context) {
	hosts := s.hosts()
	t := &s.timelines
	t.mu.Lock()
	recent := time.Since(t.surveyed) < surveyEvery
	t.surveyed = time.Now()
	t.mu.Unlock()
	if len(hosts) < 2 || recent {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, surveyTimeout)
	defer cancel()
	var all sync.WaitGroup
	for _, host := range hosts {
		all.Go(func() {
			if conn, err := pgconn.ConnectConfig(ctx, host); err == nil {
				_ = conn.Close(ctx) // validate has noted what it is
			}
		})
	}
	all.Wait()
}

// hosts gives one way of connecting to each host of the URL.
func (s *postgres) hosts() []*pgconn.Config {
	whole := s.pool.Config().ConnConfig.Config
	ways := append([]*pgconn.FallbackConfig{{Host: whole.Host, Port: whole.Port, TLSConfig: whole.TLSConfig}}, whole.Fallbacks...)
	var hosts []*pgconn.Config
	for _, way := range ways {
		at := slices.IndexFunc(hosts, func(h *pgconn.Config) bool { return h.Host == way.Host && h.Port == way.Port })
		if at >= 0 { // with another kind of encryption
			hosts[at].Fallbacks = append(hosts[at].Fallbacks, way)
			continue
		}
		host := whole.Copy()
		host.Host, host.Port, host.TLSConfig, host.Fallbacks = way.Host, way.Port, way.TLSConfig, nil
		host.ValidateConnect = s.validate
		hosts = append(hosts, host)
	}
	return hosts
}
