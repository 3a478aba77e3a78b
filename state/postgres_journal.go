package state

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// journalTurn has appends take turns, so that IDs sort as they were appended.
func (s *postgres) journalTurn() statement {
	return statement{sql: `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, args: []any{s.schema + " journal"}}
}

// Append stores a document durably and gives its entry's ID.
func (s *postgres) Append(ctx context.Context, subject string, doc json.RawMessage) (string, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, doc); err != nil {
		return "", fmt.Errorf("state: the document for the journal is no JSON: %w", err)
	}
	token := rand.Text()
	var id string
	err := s.write(ctx, "writing the journal", s.fencesOf(ctx), []statement{
		s.journalTurn(),
		{sql: `INSERT INTO {s}.entry (id, slot, at, subject, token, doc)
			SELECT to_char(slot AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS.MS') || '-' || $1, slot, clock_timestamp(), $2, $3, $4::json
			FROM (SELECT greatest(date_trunc('milliseconds', clock_timestamp()), max(slot) + interval '1 millisecond') AS slot FROM {s}.entry) AS next
			ON CONFLICT (token) DO NOTHING`,
			args: []any{strings.ToLower(rand.Text()[:idRandom]), text(subject), token, text(compact.String())}},
		{sql: `SELECT id FROM {s}.entry WHERE token = $1`, args: []any{token}, read: func(rows pgx.Rows) (err error) {
			id, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
			return err
		}},
	})
	return id, err
}

// text is s as PostgreSQL takes it: UTF-8 without the octet 0.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// Entries lists what f selects, newest first.
func (s *postgres) Entries(ctx context.Context, f Filter) ([]Entry, error) {
	var since *time.Time
	if !f.Since.IsZero() {
		since = &f.Since
	}
	var limit *int
	if f.Limit > 0 {
		limit = &f.Limit
	}
	var ids, subjects []string // nil, which is NULL, selects all
	if len(f.IDs) > 0 {
		ids = f.IDs
	}
	if len(f.Subjects) > 0 {
		subjects = f.Subjects
	}
	var found []Entry
	err := s.do(ctx, "reading the journal", func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, s.sql(`SELECT id, at, subject, doc::text FROM {s}.entry
			WHERE ($1::text[] IS NULL OR id = ANY($1)) AND ($2::text[] IS NULL OR subject = ANY($2)) AND ($3::timestamptz IS NULL OR at >= $3)
			ORDER BY id DESC LIMIT $4`), ids, subjects, since, limit)
		if err == nil {
			found, err = pgx.CollectRows(rows, scanEntry)
		}
		return err
	})
	if len(found) == 0 {
		return nil, err
	}
	return found, err
}

func scanEntry(row pgx.CollectableRow) (Entry, error) {
	var e Entry
	var doc string
	err := row.Scan(&e.ID, &e.Time, &e.Subject, &doc)
	e.Time, e.Doc = e.Time.UTC(), json.RawMessage(doc)
	return e, err
}

// restoredAtOnce is how many entries go in one transaction.
const restoredAtOnce = 200

// restore enters entries of another journal.
func (s *postgres) restore(ctx context.Context, entries []Entry) error {
	for some := range slices.Chunk(entries, restoredAtOnce) {
		statements := []statement{s.journalTurn()}
		for _, e := range some {
			statements = append(statements, statement{
				sql:  `INSERT INTO {s}.entry (id, slot, at, subject, token, doc) VALUES ($1, $2, $3, $4, $1, $5::json) ON CONFLICT DO NOTHING`,
				args: []any{e.ID, e.slot(), e.Time, text(e.Subject), text(string(e.Doc))},
			})
		}
		if err := s.write(ctx, "writing the journal", s.fencesOf(ctx), statements); err != nil {
			return err
		}
	}
	return nil
}
