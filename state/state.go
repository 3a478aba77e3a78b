// Package state is the one store of everything that must outlive a process:
// certificates, accounts, zones of the embedded server, locks, leases and the
// journal. It is a certmagic.Storage, with what that interface lacks beside it:
// leases that say who holds them, an append-only journal, and a watch.
//
// The default is a folder of files, which needs no set-up and lets several
// processes on one machine share the state. A PostgreSQL database lets several
// machines share it. The suite in statetest holds what both promise.
package state

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/caddyserver/certmagic"
)

// Store is the state. All methods are safe for concurrent use, by goroutines
// and by processes that opened the same location.
//
// Keys are slash-separated paths of ASCII segments ("dns/zones/xn--kpasex-wxa.example.json");
// names in them are A-labels. ValidKey tells which strings are keys. A key is
// either a file or a folder. Values are small: they are read and written whole.
//
// Store is atomic and durable: after it returns nil the value survives a power
// cut, and whenever it fails or the process is killed the old value stands;
// only where a database's answer was lost for good, either may.
// Load, List and Stat answer fs.ErrNotExist for what isn't there. List sorts;
// a recursive List gives folders as well as files, as certmagic's own
// FileStorage does.
//
// Locks never lapse while their holder lives and reaches the state, whatever
// this machine's clock says. They end with the process that holds them: at
// once on its machine; in a database, other machines see it within 15 seconds.
type Store interface {
	certmagic.Storage
	certmagic.TryLocker
	certmagic.LockLeaseRenewer
	Leaser
	Journal
	Watcher

	// Fence gives a context under which what is stored, deleted or appended is
	// refused with ErrLeaseLost once the certmagic lock name, which is held
	// now, isn't any more.
	Fence(ctx context.Context, name string) context.Context

	// Probe reports whether the state can be written just now; the error says
	// what to do about it.
	Probe(ctx context.Context) error

	// Close ends all watches and gives back all locks and leases.
	Close() error
}

// Leaser hands out leases: locks for long work that say who holds them. Their
// names are apart from those of certmagic's locks.
type Leaser interface {
	// Acquire takes the lease, or answers at once with a *HeldError where
	// somebody else holds it. The zero fields of h are filled in.
	Acquire(ctx context.Context, name string, h Holder) (Lease, error)

	// AcquireWait waits for the lease until ctx ends. Where it has to wait it
	// first calls held, if that isn't nil, with who holds the lease.
	AcquireWait(ctx context.Context, name string, h Holder, held func(*HeldError)) (Lease, error)
}

// Lease is a lease that is held.
type Lease interface {
	// Context ends when the context given to Acquire does, when the lease is
	// released, and when it is lost; context.Cause is ErrLeaseLost then.
	// What is written under this context, or one without its end, is refused
	// with ErrLeaseLost once the lease is lost: a database checks that in the
	// write's own transaction, a folder right before a value is put in place.
	Context() context.Context

	// Release gives the lease back. Further calls do nothing.
	Release() error
}

// ErrLeaseLost says that a lease is no longer ours, since somebody removed it
// from the store, or the store couldn't be reached for too long.
var ErrLeaseLost = errors.New("the lease was lost: its lock is gone from the state, or could not be renewed in time")

// ErrClosed is the answer of a Store after Close.
var ErrClosed = errors.New("the state is closed")

// Journal keeps documents in the order in which they were appended.
type Journal interface {
	// Append stores a document durably and gives the entry's ID. IDs sort in
	// the order of their appending, even where the clock steps back. subject
	// is what Entries can filter by: a domain as A-labels. doc is any JSON.
	Append(ctx context.Context, subject string, doc json.RawMessage) (id string, err error)

	// Entries lists what f selects, newest first.
	Entries(ctx context.Context, f Filter) ([]Entry, error)
}

// Entry is one document of the journal.
type Entry struct {
	ID      string          `json:"id"` // "20261124T085955.123-k3f9"
	Time    time.Time       `json:"time"`
	Subject string          `json:"subject"`
	Doc     json.RawMessage `json:"doc"`
}

// Filter selects entries of the journal. The zero Filter selects all.
type Filter struct {
	IDs      []string  // only these entries
	Subjects []string  // only entries about these
	Since    time.Time // only entries made then or later
	Limit    int       // at most this many; 0: all
}

// Watcher tells of changes.
type Watcher interface {
	// Watch sends the key of each file at or below the folder prefix ("" is
	// everything) that is stored or deleted from now on, by this process or
	// another. Changes of one key that follow each other closely may be told
	// once; one change may be told twice. None is ever left out, though one
	// made elsewhere on a network drive may take seconds. The channel is
	// closed when ctx ends or the Store is closed.
	Watch(ctx context.Context, prefix string) (<-chan string, error)
}
