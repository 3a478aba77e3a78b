package state

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
)

// cached is a database with a copy of its values on this machine. It is made
// when the Store is opened; each value that is read or written goes into it, and
// so does each that a watch tells of. A value of the copy begins with its digest: one that a power cut
// left torn counts as missing.
type cached struct {
	*postgres
	near *files
	away atomic.Pointer[error] // why the database can't be reached; nil: it can
	bad  atomic.Bool           // the copy can't be written, which was said
}

const (
	comeBack = time.Second // how often a database that is away is tried
	hurry    = time.Second // how long it is waited for where the copy can answer instead
)

// openCached opens the copy of db in a folder, below a name that is the
// database's: another one's values must not be taken for its own.
func openCached(db *postgres, folder string) (*cached, error) {
	sum := sha256.Sum256([]byte(db.String()))
	near, err := openFiles(filepath.Join(folder, hex.EncodeToString(sum[:6])), db.log)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	near.lax, db.begin = true, hurry
	c := &cached{postgres: db, near: near}
	db.feed.done.Go(func() { c.follow(db.closing) })
	return c, nil
}

// follow makes the copy a whole one, and keeps it up with what others change.
func (c *cached) follow(ctx context.Context) {
	keys, err := c.postgres.Watch(ctx, "")
	if err != nil {
		return // closed
	}
	for c.mirror(ctx) != nil && pauseFor(ctx, comeBack) {
	}
	debug.FreeOSMemory() // what comparing two lists of thousands leaves behind
	for key := range keys {
		for c.refresh(ctx, key) != nil && pauseFor(ctx, comeBack) {
		}
	}
}

// mirror removes from the copy what the database no longer has, and reads what
// the copy lacks or has otherwise.
func (c *cached) mirror(ctx context.Context) error {
	far, err := c.digests(ctx)
	if err != nil {
		return err
	}
	near, err := c.near.List(ctx, "", true)
	if err != nil {
		c.note(err)
	}
	folders := map[string]bool{}
	for key := range far {
		for dir := path.Dir(key); dir != "." && !folders[dir]; dir = path.Dir(dir) {
			folders[dir] = true
		}
	}
	for _, key := range near {
		if _, ok := far[key]; !ok && !folders[key] {
			c.note(c.near.Delete(ctx, key))
		}
	}
	for key, sum := range far {
		if value, ok := c.kept(ctx, key); ok && sum == sha256.Sum256(value) {
			continue
		}
		if err := c.refresh(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// refresh brings one value of the copy up to date.
func (c *cached) refresh(ctx context.Context, key string) error {
	value, err := c.postgres.Load(ctx, key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.note(c.near.Delete(ctx, key))
		return nil
	case err != nil:
		return err
	}
	c.keep(ctx, key, value)
	return nil
}

// keep puts a value into the copy, unless it is there.
func (c *cached) keep(ctx context.Context, key string, value []byte) {
	ctx = context.WithoutCancel(ctx)
	sum := sha256.Sum256(value)
	framed := append(sum[:], value...)
	if there, err := c.near.Load(ctx, key); err != nil || !bytes.Equal(there, framed) {
		c.note(c.near.Store(ctx, key, framed))
	}
}

// note says once that the copy can't be written: only an outage would miss it.
func (c *cached) note(err error) {
	if err == nil || errors.Is(err, ErrClosed) {
		return
	}
	if c.bad.CompareAndSwap(false, true) {
		c.log.Warn("the cache of the state can't be written: without its database, this node would start with what was kept before", "error", err)
	}
}

// isAway reports whether an answer says that the database can't be reached, and
// one of the copy will do.
func (c *cached) isAway(ctx context.Context, err error) bool {
	var away *DatabaseError
	return errors.As(err, &away) && c.mayBeNear(ctx) && c.closing.Err() == nil
}

// outageBegins has the copy answer from now on.
func (c *cached) outageBegins(err error) error {
	if c.away.Swap(&err) == nil {
		c.log.Warn("the state's database is away: reading from the cache", "error", err)
		c.feed.done.Go(func() { c.await(c.closing) })
	}
	return err
}

// mayBeNear reports whether a read may be answered from the copy: nobody here
// is about to change what it is about.
func (c *cached) mayBeNear(ctx context.Context) bool {
	return len(c.fencesOf(ctx)) == 0 && !c.holdsLocks()
}

// patience says how long a read waits for the database.
func (c *cached) patience(ctx context.Context) time.Duration {
	if c.mayBeNear(ctx) {
		return hurry
	}
	return opPatience
}

// outage gives the reason not to ask the database at all, since it was away a
// moment ago.
func (c *cached) outage(ctx context.Context) error {
	if why := c.away.Load(); why != nil && ctx.Err() == nil && c.closing.Err() == nil && c.mayBeNear(ctx) {
		return *why
	}
	return nil
}

// await ends an outage.
func (c *cached) await(ctx context.Context) {
	for pauseFor(ctx, comeBack) {
		if _, err := c.postgres.Stat(ctx, ownFolder); err == nil || errors.Is(err, fs.ErrNotExist) {
			c.away.Store(nil)
			c.log.Info("the state's database is back")
			return
		}
	}
}

// read asks the database, in a hurry where the copy has an answer too, and in an
// outage gives that of the copy. That the copy has none says nothing.
func read[T any](ctx context.Context, c *cached, far func(patience time.Duration) (T, error), near func() (T, bool)) (T, error) {
	var kept T
	var has bool
	why := c.outage(ctx)
	if why == nil {
		answer, err := far(c.patience(ctx))
		if !c.isAway(ctx, err) {
			return answer, err
		}
		if kept, has = near(); !has { // a database that is slow is to be waited for
			answer, err = far(opPatience)
		}
		if !c.isAway(ctx, err) {
			return answer, err
		}
		why = c.outageBegins(err)
	} else {
		kept, has = near()
	}
	if has {
		return kept, nil
	}
	return kept, why
}

// Load gives the value at key, or fs.ErrNotExist.
func (c *cached) Load(ctx context.Context, key string) ([]byte, error) {
	return read(ctx, c, func(patience time.Duration) ([]byte, error) {
		value, err := c.postgres.load(ctx, patience, key)
		if err == nil {
			c.keep(ctx, key, value)
		}
		return value, err
	}, func() ([]byte, bool) { return c.kept(ctx, key) })
}

// kept gives a value of the copy, if it is whole.
func (c *cached) kept(ctx context.Context, key string) (value []byte, ok bool) {
	framed, err := c.near.Load(ctx, key)
	if err != nil || len(framed) < sha256.Size {
		return nil, false
	}
	sum := sha256.Sum256(framed[sha256.Size:])
	return framed[sha256.Size:], bytes.Equal(framed[:sha256.Size], sum[:])
}

// Exists reports whether key is there, as a file or a folder.
func (c *cached) Exists(ctx context.Context, key string) bool {
	_, err := c.Stat(ctx, key)
	return err == nil
}

// Stat tells about key.
func (c *cached) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	return read(ctx, c, func(patience time.Duration) (certmagic.KeyInfo, error) {
		return c.postgres.stat(ctx, patience, key)
	}, func() (certmagic.KeyInfo, bool) {
		info, err := c.near.Stat(ctx, key)
		if info.IsTerminal {
			info.Size -= sha256.Size
		}
		return info, err == nil
	})
}

// List gives the keys below prefix, sorted. A copy that isn't empty is known to
// hold what the Store notes about itself, if there is such.
func (c *cached) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	return read(ctx, c, func(patience time.Duration) ([]string, error) {
		return c.postgres.list(ctx, patience, prefix, recursive)
	}, func() ([]string, bool) {
		keys, err := c.near.List(ctx, prefix, recursive)
		if errors.Is(err, fs.ErrNotExist) && isOwn(prefix) {
			any, err := c.near.List(ctx, "", false)
			return nil, err == nil && len(any) > 0
		}
		return keys, err == nil && len(keys) > 0
	})
}

// Store puts value at key.
func (c *cached) Store(ctx context.Context, key string, value []byte) error {
	err := c.postgres.Store(ctx, key, value)
	if err == nil {
		c.keep(ctx, key, value)
	}
	return err
}

// Delete removes key, and all below it where it is a folder.
func (c *cached) Delete(ctx context.Context, key string) error {
	err := c.postgres.Delete(ctx, key)
	if err == nil {
		c.note(c.near.Delete(context.WithoutCancel(ctx), key))
	}
	return err
}

// Probe writes into the database, unless that was away a moment ago.
func (c *cached) Probe(ctx context.Context) error {
	if why := c.outage(ctx); why != nil {
		return why
	}
	return c.postgres.Probe(ctx)
}

// Close closes both.
func (c *cached) Close() error { return errors.Join(c.postgres.Close(), c.near.Close()) }
