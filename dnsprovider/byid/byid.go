// Package byid gives libdns' interfaces to APIs that keep records one by one,
// each with an id of its own: an RRset is brought to what it shall be by as few
// changes as that takes, and a name that answers goes on answering. What is
// there already is not written again, so that a call whose answer was lost can
// be made anew.
package byid

import (
	"context"
	"slices"
	"strings"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/zoneio"
)

// Record is a record as an API keeps it.
type Record struct {
	ID string
	RR dns.RR // with an absolute name
}

// API is what a vendor's API must be able to do. zone has no dot at its end.
// Writes come after Records: their NoZone errors say that the record, or the zone,
// has gone since.
type API interface {
	// Records gives the records of the zone; where owners, relative to the zone,
	// are given, those at others may be left out.
	Records(ctx context.Context, zone string, owners []string) ([]Record, error)
	// Add adds a record beside what is there.
	Add(ctx context.Context, zone string, rr dns.RR) error
	// Change makes a record rr, which has the same name and type.
	Change(ctx context.Context, zone string, was Record, rr dns.RR) error
	// Remove removes a record.
	Remove(ctx context.Context, zone string, r Record) error
}

// Committer is an API that serves what was written once it is told to.
type Committer interface {
	// Commit makes it serve the zone as it is; without a request where it does.
	Commit(ctx context.Context, zone string) error
}

// commit ends a write, whatever came of it.
func (l Libdns) commit(ctx context.Context, zone string, err error) error {
	c, ok := l.API.(Committer)
	if !ok {
		return err
	}
	if failure := c.Commit(ctx, trimmed(zone)); err == nil {
		return failure
	}
	return err
}

func (l Libdns) add(ctx context.Context, zone string, rr dns.RR) error {
	return changedSince(l.API.Add(ctx, zone, rr))
}

func (l Libdns) change(ctx context.Context, zone string, was Record, rr dns.RR) error {
	return changedSince(l.API.Change(ctx, zone, was, rr))
}

// remove is content where others have removed the record.
func (l Libdns) remove(ctx context.Context, zone string, r Record) error {
	if err := l.API.Remove(ctx, zone, r); zoneio.KindOf(err) != zoneio.NoZone {
		return err
	}
	return nil
}

// changedSince makes what has gone since the zone was read a reason to read it
// again.
func changedSince(err error) error {
	if zoneio.KindOf(err) == zoneio.NoZone {
		return zoneio.As(zoneio.Temporary, err)
	}
	return err
}

// Libdns is an API by libdns' interfaces. Writes are not atomic.
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
	held, err := l.API.Records(ctx, trimmed(zone), nil)
	if err != nil {
		return nil, err
	}
	return given(zone, held)
}

// AppendRecords adds records, but for those that are there. It gives all of them.
func (l Libdns) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	wanted, held, err := l.look(ctx, zone, recs)
	if err != nil {
		return nil, err
	}
	var done []libdns.Record
	for i, rr := range wanted {
		if !slices.ContainsFunc(held, func(h Record) bool { return sameData(h.RR, rr) }) {
			if err := l.add(ctx, trimmed(zone), rr); err != nil {
				return done, l.commit(ctx, zone, err)
			}
			held = append(held, Record{RR: rr})
		}
		done = append(done, recs[i])
	}
	return done, l.commit(ctx, zone, nil)
}

// SetRecords replaces every RRset of which the input has a record.
func (l Libdns) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	wanted, held, err := l.look(ctx, zone, recs)
	if err != nil {
		return nil, err
	}
	for i, rr := range wanted {
		inSet := func(other dns.RR) bool { return sameSet(rr, other) }
		if slices.ContainsFunc(wanted[:i], inSet) {
			continue // went with the first of its set
		}
		set := slices.DeleteFunc(slices.Clone(wanted), func(w dns.RR) bool { return !inSet(w) })
		was := slices.DeleteFunc(slices.Clone(held), func(h Record) bool { return !inSet(h.RR) })
		if err := l.setOne(ctx, trimmed(zone), was, set); err != nil {
			return nil, l.commit(ctx, zone, err)
		}
	}
	return recs, l.commit(ctx, zone, nil)
}

// setOne brings an RRset from what it was to what is wanted. What goes, goes last.
func (l Libdns) setOne(ctx context.Context, zone string, was []Record, wanted []dns.RR) error {
	var changed []dns.RR
	for _, rr := range wanted {
		at := slices.IndexFunc(was, func(h Record) bool { return sameData(h.RR, rr) && h.RR.Header().Ttl == rr.Header().Ttl })
		if at < 0 {
			changed = append(changed, rr)
			continue
		}
		was = slices.Delete(was, at, at+1)
	}
	for _, rr := range changed {
		// Rather the record of the same data, whose TTL alone changes.
		at := max(0, slices.IndexFunc(was, func(h Record) bool { return sameData(h.RR, rr) }))
		if len(was) == 0 {
			if err := l.add(ctx, zone, rr); err != nil {
				return err
			}
			continue
		}
		if err := l.change(ctx, zone, was[at], rr); err != nil {
			return err
		}
		was = slices.Delete(was, at, at+1)
	}
	for _, h := range was {
		if err := l.remove(ctx, zone, h); err != nil {
			return err
		}
	}
	return nil
}

// DeleteRecords deletes the records that match; an empty type, TTL or data
// matches any. It gives those that it deleted.
func (l Libdns) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	held, err := l.API.Records(ctx, trimmed(zone), owners(recs))
	if err != nil {
		return nil, err
	}
	var done []Record
	for _, h := range held {
		for _, rec := range recs {
			means, err := zoneio.Matches(zone, rec.RR(), h.RR)
			if err != nil {
				return nil, err
			}
			if !means {
				continue
			}
			if err := l.remove(ctx, trimmed(zone), h); err != nil {
				return nil, l.commit(ctx, zone, err)
			}
			done = append(done, h)
			break
		}
	}
	if err := l.commit(ctx, zone, nil); err != nil {
		return nil, err
	}
	return given(zone, done)
}

// look gives the records asked for in comparable form, and what is held at
// their names.
func (l Libdns) look(ctx context.Context, zone string, recs []libdns.Record) (wanted []dns.RR, held []Record, err error) {
	for _, rec := range recs {
		rr, err := zoneio.ToRR(zone, rec)
		if err != nil {
			return nil, nil, err
		}
		wanted = append(wanted, rr)
	}
	held, err = l.API.Records(ctx, trimmed(zone), owners(recs))
	return wanted, held, err
}

// given turns records to libdns' own. Where one that was read is of no use to
// libdns, neither is the zone.
func given(zone string, held []Record) ([]libdns.Record, error) {
	out := make([]libdns.Record, len(held))
	for i, h := range held {
		rec, err := zoneio.FromRR(zone, h.RR)
		if err != nil {
			return nil, err
		}
		out[i] = rec
	}
	return out, nil
}

func owners(recs []libdns.Record) []string {
	out := make([]string, len(recs))
	for i, rec := range recs {
		out[i] = rec.RR().Name
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func trimmed(zone string) string { return strings.TrimSuffix(zone, ".") }

func sameSet(a, b dns.RR) bool {
	return a.Header().Rrtype == b.Header().Rrtype && dns.CanonicalName(a.Header().Name) == dns.CanonicalName(b.Header().Name)
}

// sameData compares all but the TTL.
func sameData(a, b dns.RR) bool { return dns.IsDuplicate(a, b) }
