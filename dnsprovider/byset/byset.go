// Package byset gives libdns' interfaces to APIs that keep RRsets whole: each is
// replaced by one call, so that a name which answers goes on answering. What is
// there already is not written again.
package byset

import (
	"context"
	"slices"
	"strings"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/zoneio"
)

// Set is the records of one name and type, with absolute names. It isn't empty.
type Set []dns.RR

// API is what a vendor's API must be able to do. zone has no dot at its end.
type API interface {
	// Sets gives all RRsets of the zone.
	Sets(ctx context.Context, zone string) ([]Set, error)
	// Put makes an RRset what is given, whether there is one or not.
	Put(ctx context.Context, zone string, set Set) error
	// Drop removes an RRset.
	Drop(ctx context.Context, zone string, set Set) error
}

// Libdns is an API by libdns' interfaces. A write of several RRsets is not atomic.
type Libdns struct{ API API }

// The interfaces that the adapter looks for.
var (
	_ libdns.RecordGetter   = Libdns{}
	_ libdns.RecordAppender = Libdns{}
	_ libdns.RecordSetter   = Libdns{}
	_ libdns.RecordDeleter  = Libdns{}
)

// GetRecords gives all records of the zone.
func (l Libdns) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	held, err := l.API.Sets(ctx, trimmed(zone))
	if err != nil {
		return nil, err
	}
	return given(zone, slices.Concat(held...))
}

// AppendRecords adds records beside what is there. It gives all of them.
func (l Libdns) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return l.put(ctx, zone, recs, func(held, added Set) Set {
		for _, rr := range held {
			if !slices.ContainsFunc(added, func(a dns.RR) bool { return dns.IsDuplicate(a, rr) }) {
				rr.Header().Ttl = added[0].Header().Ttl // an RRset has one
				added = append(added, rr)
			}
		}
		return added
	})
}

// SetRecords replaces every RRset of which the input has a record.
func (l Libdns) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return l.put(ctx, zone, recs, func(_, added Set) Set { return added })
}

func (l Libdns) put(ctx context.Context, zone string, recs []libdns.Record, merge func(held, added Set) Set) ([]libdns.Record, error) {
	wanted, err := grouped(zone, recs)
	if err != nil {
		return nil, err
	}
	held, err := l.API.Sets(ctx, trimmed(zone))
	if err != nil {
		return nil, err
	}
	for _, set := range wanted {
		was := find(held, set[0])
		becomes := merge(slices.Clone(was), set)
		if same(was, becomes) {
			continue
		}
		if err := l.API.Put(ctx, trimmed(zone), becomes); err != nil {
			return nil, err
		}
	}
	return recs, nil
}

// DeleteRecords deletes the records that match; an empty type, TTL or data
// matches any. It gives those that it deleted.
func (l Libdns) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	held, err := l.API.Sets(ctx, trimmed(zone))
	if err != nil {
		return nil, err
	}
	var done Set
	for _, set := range held {
		kept, gone, err := split(zone, set, recs)
		switch {
		case err != nil:
		case len(gone) == 0:
			continue
		case len(kept) == 0:
			err = l.API.Drop(ctx, trimmed(zone), set)
		default:
			err = l.API.Put(ctx, trimmed(zone), kept)
		}
		if err != nil {
			return nil, err
		}
		done = append(done, gone...)
	}
	return given(zone, done)
}

// split parts the records of a set by whether recs mean them.
func split(zone string, set Set, recs []libdns.Record) (kept, gone Set, err error) {
	for _, rr := range set {
		meant := false
		for _, rec := range recs {
			is, err := zoneio.Matches(zone, rec.RR(), rr)
			if err != nil {
				return nil, nil, err
			}
			meant = meant || is
		}
		if meant {
			gone = append(gone, rr)
		} else {
			kept = append(kept, rr)
		}
	}
	return kept, gone, nil
}

// grouped gives records by RRsets, in the order of the first of each.
func grouped(zone string, recs []libdns.Record) ([]Set, error) {
	var sets []Set
	for _, rec := range recs {
		rr, err := zoneio.ToRR(zone, rec)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(sets, func(s Set) bool { return inSet(s, rr) })
		if i < 0 {
			sets = append(sets, Set{rr})
		} else {
			sets[i] = append(sets[i], rr)
		}
	}
	return sets, nil
}

func find(sets []Set, rr dns.RR) Set {
	if i := slices.IndexFunc(sets, func(s Set) bool { return inSet(s, rr) }); i >= 0 {
		return sets[i]
	}
	return nil
}

func inSet(s Set, rr dns.RR) bool {
	a, b := s[0].Header(), rr.Header()
	return a.Rrtype == b.Rrtype && dns.CanonicalName(a.Name) == dns.CanonicalName(b.Name)
}

// same reports whether two sets have the same records and TTL.
func same(a, b Set) bool {
	if len(a) != len(b) || len(a) == 0 {
		return false
	}
	for _, rr := range b {
		if !slices.ContainsFunc(a, func(o dns.RR) bool { return dns.IsDuplicate(o, rr) && o.Header().Ttl == rr.Header().Ttl }) {
			return false
		}
	}
	return true
}

// given turns records to libdns' own.
func given(zone string, rrs Set) ([]libdns.Record, error) {
	out := make([]libdns.Record, len(rrs))
	for i, rr := range rrs {
		rec, err := zoneio.FromRR(zone, rr)
		if err != nil {
			return nil, err
		}
		out[i] = rec
	}
	return out, nil
}

func trimmed(zone string) string { return strings.TrimSuffix(zone, ".") }
