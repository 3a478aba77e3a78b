package portfolio

import (
	"context"
	"errors"
	"time"
)

// ErrStale is the error of Zones.Write where the zone is no longer what the
// plan was made from. Nothing was written then. Test with errors.Is.
var ErrStale = errors.New("the zone has changed since the plan was made")

// Zones is the outside world as the Reconciler needs it. The room dnsprovider
// implements it over the configured providers.
type Zones interface {
	// Observe reads a domain's zone whole. A provider that has no such zone
	// gives a Zone with Missing set and no error.
	Observe(ctx context.Context, d Domain) (Zone, error)

	// Write carries out w within one zone, under the zone's lock. It reads
	// the zone again first and fails with ErrStale where w.Observed no longer
	// stands; it creates a missing zone where the provider can, filling it in
	// one go. After it returns nil, reading the zone again gives what w asks.
	Write(ctx context.Context, w Write) error

	// Verify asks every authoritative server of the domain for each RRset of
	// want, directly and never through a cache.
	Verify(ctx context.Context, d Domain, want []RRset) Served
}

// FullObserver is what Zones may be too, where Observe can skip the reading of
// a zone that shows no sign of change: ObserveFull reads it all the same.
type FullObserver interface {
	ObserveFull(ctx context.Context, d Domain) (Zone, error)
}

// WriteReader is what Zones may be too, where Write knows in the end how the
// zone stands: WriteAndRead gives that, as read after the write, and saves
// another reading.
type WriteReader interface {
	WriteAndRead(ctx context.Context, w Write) (Zone, error)
}

// Lister is what Zones may be too, where providers can list their zones: by
// whatever names they have there. Domains that left the list are then found by
// their marker where the state doesn't know of them.
type Lister interface {
	ListZones(ctx context.Context, provider string) ([]string, error)
}

// Delegator is what Zones may be too, where the world can be asked: Delegated
// reports whether the NS records that resolvers find for the domain name one of
// those in ns, or of its provider's as configured.
type Delegator interface {
	Delegated(ctx context.Context, d Domain, ns []string) (bool, error)
}

// Write is one zone's share of an apply.
type Write struct {
	Domain   Domain
	Observed Zone   // what the steps were made from
	Steps    []Step // in the order that keeps every working name answering
}

// Step is a part of a Write: providers with atomic messages fold all steps of
// a Write into one (a later step wins over an earlier one at the same key),
// others carry them out one by one: first Delete in its order, then Set in its
// order. That order matters: see Steps.
type Step struct {
	Set    []RRset // each replaces the RRset of its key, whole
	Delete []RRset // each is removed whole; the content is what was observed
}

// Served is what the authoritative servers answered.
type Served struct {
	Servers []ServerAnswer
}

// ServerAnswer is one authoritative server's share of Served.
type ServerAnswer struct {
	Server string   // "ns1.example.net (192.0.2.53:53)"
	Err    string   // could not be asked at all
	Wrong  []string // one sentence per RRset that is not served as wanted
}

// All reports whether at least one server answered and every one served
// everything as wanted.
func (s Served) All() bool {
	for _, a := range s.Servers {
		if a.Err != "" || len(a.Wrong) > 0 {
			return false
		}
	}
	return len(s.Servers) > 0
}

// Entry is one line of the journal: what one apply did to one domain.
type Entry struct {
	ID         string    `json:"entry"` // made by the Journal, sortable by time
	Time       time.Time `json:"time"`
	By         string    `json:"by"` // "anna@laptop", "daemon@host"
	Domain     string    `json:"domain"`
	ASCII      string    `json:"ascii"`
	Provider   string    `json:"provider,omitempty"` // that kept the zone
	PlanDigest string    `json:"plan"`
	Changes    []Change  `json:"changes"`
	RolledBack string    `json:"rolled_back"`      // the entry that undid this one; whoever reads the journal fills it in from Undoes
	Undoes     string    `json:"undoes,omitempty"` // the entry that this one undid
	Error      string    `json:"error,omitempty"`
}

// Journal keeps what happened. The room state implements it.
type Journal interface {
	// Append stores e durably and gives its ID.
	Append(ctx context.Context, e Entry) (id string, err error)
}

// AcceptedStore remembers the portfolio as last accepted, for the guard and
// for domains that left the list.
type AcceptedStore interface {
	// LoadAccepted gives no domains and no error where nothing was accepted yet.
	LoadAccepted(ctx context.Context, portfolio string) ([]Domain, error)
	SaveAccepted(ctx context.Context, portfolio string, domains []Domain) error
}
