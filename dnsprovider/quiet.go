//go:build !lean

package dnsprovider

import (
	"context"
	"log"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/libdns/libdns"
	"github.com/libdns/linode"
)

// quiet is linode's module, which at its first call puts a logger of its own, on
// standard output, in the place of the program's: that is undone.
type quiet struct {
	*linode.Provider
	called atomic.Bool
}

func quietLinode(impl any) any { return &quiet{Provider: impl.(*linode.Provider)} }

// loggers keeps first calls from undoing each other's doing.
var loggers sync.Mutex

func (q *quiet) restoring(call func()) {
	if q.called.Load() {
		call()
		return
	}
	loggers.Lock()
	defer loggers.Unlock()
	logger, out, flags := slog.Default(), log.Writer(), log.Flags()
	defer func() {
		slog.SetDefault(logger)
		log.SetOutput(out)
		log.SetFlags(flags)
		q.called.Store(true)
	}()
	call()
}

func (q *quiet) ListZones(ctx context.Context) (zones []libdns.Zone, err error) {
	q.restoring(func() { zones, err = q.Provider.ListZones(ctx) })
	return zones, err
}

func (q *quiet) GetRecords(ctx context.Context, zone string) (recs []libdns.Record, err error) {
	q.restoring(func() { recs, err = q.Provider.GetRecords(ctx, zone) })
	return recs, err
}

func (q *quiet) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) (done []libdns.Record, err error) {
	q.restoring(func() { done, err = q.Provider.AppendRecords(ctx, zone, recs) })
	return done, err
}

func (q *quiet) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) (done []libdns.Record, err error) {
	q.restoring(func() { done, err = q.Provider.DeleteRecords(ctx, zone, recs) })
	return done, err
}
