package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// schemaVersion is that of the tables below. A step of migrations leads from
// each version to the next.
const schemaVersion = 1

// migrations are the steps from version 0, which is nothing, upwards.
//
// value: a deleted key stays for a while with value NULL, so that watches see
// it; xid is the transaction that wrote the row.
//
// entry: slot is the time in the ID, which no two share; token makes a repeated
// append harmless.
//
// fence: fails unless a lease is held, by the database's clock. Whoever takes a
// lapsed one over waits for the lock on its row, so that it stays held until
// the transaction ends.
var migrations = [schemaVersion]string{`
CREATE TABLE {s}.meta (
	single boolean PRIMARY KEY DEFAULT true CHECK (single),
	version int NOT NULL,
	probed timestamptz
);
CREATE TABLE {s}.value (
	key text COLLATE "C" PRIMARY KEY,
	value bytea,
	modified timestamptz NOT NULL,
	xid xid8 NOT NULL
);
CREATE INDEX value_xid ON {s}.value (xid);
CREATE TABLE {s}.lock (
	kind text NOT NULL,
	name text COLLATE "C" NOT NULL,
	token text NOT NULL,
	process text NOT NULL,
	holder json NOT NULL,
	expires timestamptz NOT NULL,
	PRIMARY KEY (kind, name)
);
CREATE INDEX lock_token ON {s}.lock (token);
CREATE TABLE {s}.entry (
	id text COLLATE "C" PRIMARY KEY,
	slot timestamptz NOT NULL,
	at timestamptz NOT NULL,
	subject text NOT NULL,
	token text NOT NULL UNIQUE,
	doc json NOT NULL
);
CREATE INDEX entry_slot ON {s}.entry (slot);
CREATE INDEX entry_subject ON {s}.entry (subject, id);
CREATE FUNCTION {s}.fence(lease text) RETURNS void LANGUAGE plpgsql AS $fence$
BEGIN
	PERFORM FROM {s}.lock WHERE token = lease AND expires > clock_timestamp() FOR KEY SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the lease is lost' USING ERRCODE = 'DH001';
	END IF;
END
$fence$;
INSERT INTO {s}.meta (version) VALUES (1);
`}

// schemaError says that the database isn't one for us, whatever is tried.
type schemaError struct{ reason string }

func (e *schemaError) Error() string { return e.reason }

// migrate makes or updates the tables, once. Nodes that start together take
// turns by a lock of the transaction.
func (s *postgres) migrate(ctx context.Context) error {
	select {
	case s.migration <- struct{}{}:
		defer func() { <-s.migration }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.migrated {
		return nil
	}
	version, err := s.version(ctx, s.pool)
	if err == nil && version < schemaVersion {
		err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return s.upgrade(ctx, tx) })
	}
	if err != nil {
		return err
	}
	s.migrated = true
	s.clean(ctx)
	return nil
}

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// version gives that of the tables that are there, 0 for none.
func (s *postgres) version(ctx context.Context, q querier) (int, error) {
	// to_regclass would answer from the connection's cache.
	var there bool
	err := q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relname = 'meta' AND relnamespace IN
		(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1))`, s.schema).Scan(&there)
	if err != nil || !there {
		return 0, err
	}
	var version int
	if err := q.QueryRow(ctx, s.sql(`SELECT version FROM {s}.meta`)).Scan(&version); err != nil {
		return 0, err
	}
	if version > schemaVersion {
		return 0, &schemaError{fmt.Sprintf("its tables are of version %d, which this program doesn't know: use the newer one that made them", version)}
	}
	return version, nil
}

func (s *postgres) upgrade(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, s.schema+" migration"); err != nil {
		return err
	}
	version, err := s.version(ctx, tx) // another node may have done it meanwhile
	if err != nil || version == schemaVersion {
		return err
	}
	if err := s.suits(ctx, tx); err != nil {
		return err
	}
	for _, step := range migrations[version:] {
		// Several statements at once go by the simple protocol alone.
		if _, err := tx.Exec(ctx, s.sql(step), pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
	}
	return nil
}

// suits checks the server, and makes the schema where it is missing.
func (s *postgres) suits(ctx context.Context, tx pgx.Tx) error {
	var number int
	var version, encoding string
	var schema bool
	err := tx.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version'),
		current_setting('server_encoding'), EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)`, s.schema).Scan(&number, &version, &encoding, &schema)
	switch {
	case err != nil:
		return err
	case number < 130000:
		return &schemaError{fmt.Sprintf("it is PostgreSQL %s; 13 or later is needed", version)}
	case encoding != "UTF8":
		return &schemaError{fmt.Sprintf("its encoding is %s; make one with createdb --encoding=UTF8 --template=template0", encoding)}
	case schema: // CREATE SCHEMA IF NOT EXISTS needs the right to create one even then
		return nil
	}
	_, err = tx.Exec(ctx, s.sql(`CREATE SCHEMA {s}`))
	return err
}

// clean removes what nobody needs any more: keys deleted longer ago than a
// watch goes without its database, and locks that lapsed.
func (s *postgres) clean(ctx context.Context) {
	err := s.batch(ctx,
		statement{sql: `DELETE FROM {s}.value WHERE value IS NULL AND modified < clock_timestamp() - interval '30 days'`},
		statement{sql: `DELETE FROM {s}.lock WHERE expires < clock_timestamp() - interval '1 day'`},
	)
	if err != nil && !errors.Is(err, context.Canceled) {
		s.log.Debug("could not clean the state's tables", "err", s.failed(ctx, "cleaning", err))
	}
}
