package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// Option changes how a state is opened.
type Option func(*options)

type options struct {
	keys  []Key
	cache string
	copy  bool
}

// WithKeys has all values encrypted at rest: the first key seals, each of them
// opens. Names of values, the journal, locks and leases stay readable.
func WithKeys(keys ...Key) Option {
	return func(o *options) { o.keys = keys }
}

// WithCache keeps a copy of the values of a database in a folder of this
// machine. While the database can't be reached, they are read from there, but
// for what is about to be changed: under a lock or a lease, only the database
// will do. Without a database the folder isn't used.
func WithCache(folder string) Option {
	return func(o *options) { o.cache = folder }
}

// ForCopy opens a state for Copy: it may be an unfinished copy, and isn't
// marked as encrypted.
func ForCopy() Option {
	return func(o *options) { o.copy = true }
}

// Open opens the state at location: the path of a folder, which is created
// where it is missing, or a postgres:// URL, whose tables are. It fails with a
// *NotWritableError or a *DatabaseError where the state can't be written, with
// a *SealError where it is encrypted with other keys, and with an
// *UnfinishedError where it is a part of a copy.
func Open(ctx context.Context, location string, log *slog.Logger, with ...Option) (Store, error) {
	s, err := OpenDegraded(ctx, location, log, with...)
	if err != nil {
		return nil, err
	}
	if err := s.Probe(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// OpenDegraded is Open for who can do with reading: a folder that can't be
// written just now, or a database that can't be reached, is no error. Writes,
// locks and leases fail until it can be.
func OpenDegraded(ctx context.Context, location string, log *slog.Logger, with ...Option) (Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var o options
	for _, option := range with {
		option(&o)
	}
	b, err := openBase(location, log, o)
	if err != nil {
		return nil, err
	}
	s := &sealed{b, o.keys}
	if err := s.check(ctx, o.copy); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// base is a Store without encryption.
type base interface {
	Store
	fmt.Stringer // names it to people, without secrets

	// restore enters entries of another journal as they are, those that are
	// there already left out. They come in the order of their IDs.
	restore(ctx context.Context, entries []Entry) error
}

func openBase(location string, log *slog.Logger, o options) (base, error) {
	scheme, _, isURL := strings.Cut(location, "://")
	switch {
	case location == "":
		return nil, errors.New("state: no location given; write the path of a folder, such as ./state")
	case isURL && (scheme == "postgres" || scheme == "postgresql"):
		db, err := openPostgres(location, log)
		if err != nil || o.cache == "" {
			return db, err
		}
		return openCached(db, o.cache)
	case isURL:
		return nil, fmt.Errorf("state: %q is no kind of location that is known; write the path of a folder, such as ./state, or postgres://…", scheme+"://")
	}
	return openFiles(location, log)
}
