package state

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/jackc/pgx/v5"
)

// below gives the bounds, both exclusive, of the keys below a folder; "" is
// the root. '0' follows '/', and no key has an octet above '~'.
func below(prefix string) (low, high string) {
	if prefix == "" {
		return "", "\x7f"
	}
	return prefix + "/", prefix + "0"
}

func missing(key string) error { return fmt.Errorf("state: %s: %w", key, fs.ErrNotExist) }

// Load gives the value at key, or fs.ErrNotExist.
func (s *postgres) Load(ctx context.Context, key string) ([]byte, error) {
	return s.load(ctx, opPatience, key)
}

func (s *postgres) load(ctx context.Context, patience time.Duration, key string) ([]byte, error) {
	if err := ValidKey(key); err != nil {
		return nil, err
	}
	var value []byte
	found := true
	err := s.doWithin(ctx, patience, "reading "+key, func(ctx context.Context) error {
		err := s.pool.QueryRow(ctx, s.sql(`SELECT value FROM {s}.value WHERE key = $1 AND value IS NOT NULL`), key).Scan(&value)
		if errors.Is(err, pgx.ErrNoRows) {
			found, err = false, nil
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, missing(key)
	}
	return value, nil
}

// Exists reports whether key is there, as a file or a folder.
func (s *postgres) Exists(ctx context.Context, key string) bool {
	_, err := s.Stat(ctx, key)
	return err == nil
}

// Stat tells about key.
func (s *postgres) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	return s.stat(ctx, opPatience, key)
}

func (s *postgres) stat(ctx context.Context, patience time.Duration, key string) (certmagic.KeyInfo, error) {
	if err := ValidKey(key); err != nil {
		return certmagic.KeyInfo{}, err
	}
	info := certmagic.KeyInfo{Key: key}
	var modified *time.Time
	low, high := below(key)
	err := s.doWithin(ctx, patience, "reading "+key, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, s.sql(`SELECT count(*) FILTER (WHERE key = $1) > 0, max(modified), coalesce(sum(length(value)) FILTER (WHERE key = $1), 0)
			FROM {s}.value WHERE (key = $1 OR key > $2 AND key < $3) AND value IS NOT NULL`), key, low, high).Scan(&info.IsTerminal, &modified, &info.Size)
	})
	switch {
	case err != nil:
		return certmagic.KeyInfo{}, err
	case modified == nil:
		return certmagic.KeyInfo{}, missing(key)
	}
	info.Modified = *modified
	return info, nil
}

// List gives the keys below prefix, sorted.
func (s *postgres) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	return s.list(ctx, opPatience, prefix, recursive)
}

func (s *postgres) list(ctx context.Context, patience time.Duration, prefix string, recursive bool) ([]string, error) {
	if prefix != "" {
		if err := ValidKey(prefix); err != nil {
			return nil, err
		}
	}
	low, high := below(prefix)
	query, args := `SELECT key FROM {s}.value WHERE key > $1 AND key < $2 AND value IS NOT NULL`, []any{low, high}
	if !recursive {
		query = `SELECT DISTINCT $3 || split_part(substr(key, length($3) + 1), '/', 1) FROM {s}.value WHERE key > $1 AND key < $2 AND value IS NOT NULL`
		args = append(args, low)
	}
	var keys []string
	err := s.doWithin(ctx, patience, "listing "+prefix, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, s.sql(query), args...)
		if err == nil {
			keys, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, s.emptyFolder(ctx, patience, prefix)
	}
	if recursive {
		keys = withFolders(keys, prefix)
	}
	slices.Sort(keys)
	return keys, nil
}

// digests gives the SHA-256 of every value.
func (s *postgres) digests(ctx context.Context) (map[string][sha256.Size]byte, error) {
	var all map[string][sha256.Size]byte
	err := s.do(ctx, "listing", func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, s.sql(`SELECT key, sha256(value) FROM {s}.value WHERE value IS NOT NULL`))
		if err != nil {
			return err
		}
		all = map[string][sha256.Size]byte{}
		var key string
		var sum []byte
		_, err = pgx.ForEachRow(rows, []any{&key, &sum}, func() error {
			all[key] = [sha256.Size]byte(sum)
			return nil
		})
		return err
	})
	return all, err
}

// emptyFolder gives the error for a prefix with nothing below: none for the
// root and for files.
func (s *postgres) emptyFolder(ctx context.Context, patience time.Duration, prefix string) error {
	if prefix == "" {
		return nil
	}
	_, err := s.stat(ctx, patience, prefix)
	return err
}

// withFolders adds the folders between prefix and the files.
func withFolders(files []string, prefix string) []string {
	seen := map[string]bool{prefix: true, ".": true}
	keys := slices.Clone(files)
	for _, file := range files {
		for dir := path.Dir(file); !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
			keys = append(keys, dir)
		}
	}
	return keys
}

// Store puts value at key. Writers of one key, and whoever would make a file
// of a folder or the reverse, take turns by locks of the transaction.
func (s *postgres) Store(ctx context.Context, key string, value []byte) error {
	if err := ValidKey(key); err != nil {
		return err
	}
	if value == nil {
		value = []byte{} // nil would be NULL
	}
	var folders, locks []string
	for i := range len(key) {
		if key[i] == '/' {
			folders = append(folders, key[:i])
			locks = append(locks, s.schema+"/"+key[:i])
		}
	}
	low, high := below(key)
	stored := 0
	statements := []statement{
		{sql: `SELECT pg_advisory_xact_lock_shared(hashtextextended(f, 0)) FROM unnest($1::text[]) AS f`, args: []any{locks}},
		{sql: `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, args: []any{s.schema + "/" + key}},
		{sql: `INSERT INTO {s}.value AS v (key, value, modified, xid)
			SELECT $1, $2, clock_timestamp(), pg_current_xact_id()
			WHERE NOT EXISTS (SELECT FROM {s}.value WHERE key = ANY($3::text[]) AND value IS NOT NULL)
			AND NOT EXISTS (SELECT FROM {s}.value WHERE key > $4 AND key < $5 AND value IS NOT NULL)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value, modified = excluded.modified, xid = excluded.xid
			RETURNING key`, args: []any{key, value, folders, low, high}, read: counted(&stored)},
	}
	if err := s.write(ctx, "writing "+key, s.fencesOf(ctx), statements); err != nil {
		return err
	}
	if stored == 0 {
		return fmt.Errorf("state: writing %s to %s: a key is either a file or a folder, and it, or a folder on its way, is the other; the old value stands", key, s)
	}
	return nil
}

// Delete removes key, and all below it where it is a folder. A missing key is
// no error.
func (s *postgres) Delete(ctx context.Context, key string) error {
	if err := ValidKey(key); err != nil {
		return err
	}
	low, high := below(key)
	return s.write(ctx, "deleting "+key, s.fencesOf(ctx), []statement{{
		sql: `UPDATE {s}.value SET value = NULL, modified = clock_timestamp(), xid = pg_current_xact_id()
			WHERE (key = $1 OR key > $2 AND key < $3) AND value IS NOT NULL`,
		args: []any{key, low, high},
	}})
}

// write runs statements as one transaction under the locks and leases whose
// tokens are given, and wakes the watches. One that has lapsed or is gone fails
// the transaction as a whole.
func (s *postgres) write(ctx context.Context, step string, fences []string, statements []statement) error {
	if len(fences) > 0 {
		statements = append([]statement{{sql: `SELECT {s}.fence(f) FROM unnest($1::text[]) AS f`, args: []any{fences}}}, statements...)
	}
	statements = append([]statement{patient}, statements...)
	statements = append(statements, statement{sql: `SELECT pg_notify($1, '')`, args: []any{s.channel()}})
	err := s.do(ctx, step, func(ctx context.Context) error { return s.batch(ctx, statements...) })
	if codeOf(err) == codeFence {
		return fmt.Errorf("state: %s: %w", step, ErrLeaseLost)
	}
	return err
}

// channel is where writers notify.
func (s *postgres) channel() string { return "domherre_" + s.schema }
