// Package zoneio holds what the implementations of DNS providers share with
// the adapter above them: the optional interfaces beyond libdns', the kinds of
// failure that the adapter tells apart, and the conversion between libdns
// records and RRsets.
package zoneio

import (
	"context"

	"domherre/portfolio"
)

// AtomicWriter is a provider that changes a zone in one go: after WriteZone
// either all of it holds or nothing.
type AtomicWriter interface {
	// WriteZone carries out all steps as one change of the zone, provided that
	// the RRsets which they touch are still those of before; else it fails
	// with an error that wraps portfolio.ErrStale and changes nothing. (A
	// provider that can't make sure of that relies on the adapter's lock, and
	// says so in the registry.)
	// Within a step, deletes come before sets; of two steps that touch the
	// same RRset the later one counts. Where before.Missing, it creates the
	// zone with what the steps set, or fails with a NoZone error that says who
	// must create it.
	//
	// zone is before.Name.FQDN(). It is safe for concurrent use.
	WriteZone(ctx context.Context, zone string, before portfolio.Zone, steps []portfolio.Step) error
}

// AnsweringWriter is an AtomicWriter whose answer to a write may tell how the
// zone stands after it, which saves reading it again, and which never creates a
// zone that is there (ErrStale), which saves looking before.
type AnsweringWriter interface {
	AtomicWriter
	// WriteZoneAnswered is WriteZone; after is the zone as the provider gave it
	// in its answer, nil where it gave none.
	WriteZoneAnswered(ctx context.Context, zone string, before portfolio.Zone, steps []portfolio.Step) (after *portfolio.Zone, err error)
}

// Reader is a provider that gives a zone with its serial, and tells a missing
// zone from one that could not be read. Without it the adapter uses libdns'
// RecordGetter and ZoneLister.
type Reader interface {
	// ReadZone reads the zone whole: Missing and no error where the provider
	// has no such zone.
	ReadZone(ctx context.Context, name portfolio.Name) (portfolio.Zone, error)
}

// Forgetter is a provider that remembers zones by their serial.
type Forgetter interface {
	// Forget makes the next ReadZone of the zone a whole one.
	Forget(name portfolio.Name)
}

// Creator is a provider that makes zones which are missing. An AtomicWriter makes
// them itself, where before.Missing.
type Creator interface {
	// CreateZone makes the zone with what its API takes of the RRsets: with all of
	// them where it can, so that the zone never answers empty; what is not in it
	// then is written after. It fails where there is such a zone.
	CreateZone(ctx context.Context, name portfolio.Name, sets []portfolio.RRset) error
}

// Serialed is a provider whose zones are served with a serial that every change
// raises, and that takes long to read: a zone whose serial still stands is not
// read again.
type Serialed interface {
	// SerialServer is the name server to ask for the serials, host:port; empty:
	// all zones are read.
	SerialServer() string
}
