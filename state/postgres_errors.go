package state

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// DatabaseError says what the database couldn't do, and what to do about it.
// It holds no password.
type DatabaseError struct {
	Database string // "database domherre at db.example:5432"
	Step     string // "reading certificates/…"
	Err      error
	secret   string // the password, which no error may hold
}

func (e *DatabaseError) Error() string {
	reason := databaseReason(e.Err)
	if len(e.secret) > 3 {
		reason = strings.ReplaceAll(reason, e.secret, "…")
	}
	return fmt.Sprintf("state %s: %s: %s; %s", e.Database, e.Step, reason, databaseRemedy(e.Err))
}

func (e *DatabaseError) Unwrap() error { return e.Err }

// failed makes the error of an operation that ctx was given for.
func (s *postgres) failed(ctx context.Context, step string, err error) error {
	if s.closing.Err() != nil && errors.Is(err, context.Canceled) {
		return ErrClosed
	}
	if ctx.Err() != nil {
		return fmt.Errorf("state %s: %s: %w", s, step, ctx.Err())
	}
	var bad *schemaError
	if errors.As(err, &bad) {
		return fmt.Errorf("state %s: %w", s, err)
	}
	return &DatabaseError{s.String(), step, err, s.pool.Config().ConnConfig.Password}
}

// Codes of PostgreSQL (its manual, appendix A).
const (
	codeReadOnly    = "25006"
	codeNoTable     = "42P01"
	codeNoSchema    = "3F000"
	codeNoRight     = "42501"
	codeNoPassword  = "28P01"
	codeNoEntry     = "28000"
	codeNoDatabase  = "3D000"
	codeDiskFull    = "53100"
	codeTooMany     = "53300"
	codeSerialise   = "40001"
	codeDeadlock    = "40P01"
	codeShutdown    = "57P01"
	codeCrash       = "57P02"
	codeStarting    = "57P03"
	codeLockTimeout = "55P03"
	classConnection = "08"

	codeFence = "DH001" // our own: see the function fence
)

// codeOf gives PostgreSQL's own code, "" where the error isn't the database's.
func codeOf(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// transient reports whether trying again can help: the connection was lost,
// or the database asks for it.
func transient(err error) bool {
	var bad *schemaError
	if errors.As(err, &bad) || errors.Is(err, context.Canceled) {
		return false
	}
	switch code := codeOf(err); code {
	case "", codeSerialise, codeDeadlock, codeShutdown, codeCrash, codeStarting, codeTooMany:
		return true // "": the network's
	default:
		return strings.HasPrefix(code, classConnection)
	}
}

// forget drops connections that a failure shows to be of no use: the server
// behind them only reads now, since another one has taken over.
func (s *postgres) forget(err error) {
	if codeOf(err) == codeReadOnly {
		s.pool.Reset()
	}
}

func databaseReason(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return fmt.Sprintf("%s (SQLSTATE %s)", pg.Message, pg.Code)
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		err = connect.Unwrap()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// databaseRemedy tells what a person can do.
func databaseRemedy(err error) string {
	var stale *staleError
	if errors.As(err, &stale) {
		return "make it a standby of the one that took over, or start that again"
	}
	switch codeOf(err) {
	case codeReadOnly:
		return "it only reads: name the primary under state:, or let the standby take over"
	case codeNoRight:
		return "give the user the right: GRANT CREATE ON DATABASE …, or make it the owner of the schema"
	case codeNoPassword, codeNoEntry:
		return "compare user and password under state: with the database's, and its pg_hba.conf"
	case codeNoDatabase:
		return "make it with createdb, or name another one under state:"
	case codeDiskFull:
		return "free some space on the database's disk"
	case codeTooMany:
		return "raise its max_connections, or lower pool_max_conns in the URL under state:"
	case codeLockTimeout:
		return "another node is about to write the same, or died while it did: it is over in a moment"
	case "", codeShutdown, codeCrash, codeStarting:
		return "see that it runs and can be reached from here"
	}
	return "look into the database's log"
}
