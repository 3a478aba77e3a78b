package zoneio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/portfolio"
)

// Libdns gives libdns' interfaces to what reads and writes zones whole. Each
// call is one write, made anew where the zone changed meanwhile, or where it
// failed for a while only: what is there already isn't written twice.
type Libdns struct {
	Zones interface {
		Reader
		AtomicWriter
	}
}

// tries is how often a write is made.
const tries = 10

// GetRecords gives all records of the zone.
func (r Libdns) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	z, err := r.read(ctx, zone)
	if err != nil {
		return nil, err
	}
	return flat(z.Name, z.RRsets)
}

// AppendRecords adds records beside what is there.
func (r Libdns) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return r.put(ctx, zone, recs, func(held, given portfolio.RRset) []string {
		return slices.Concat(held.Data, given.Data)
	})
}

// SetRecords replaces every RRset of which the input has a record.
func (r Libdns) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return r.put(ctx, zone, recs, func(_, given portfolio.RRset) []string { return given.Data })
}

func (r Libdns) put(ctx context.Context, zone string, recs []libdns.Record, merge func(held, given portfolio.RRset) []string) (out []libdns.Record, err error) {
	err = r.change(ctx, zone, func(z portfolio.Zone) (portfolio.Step, error) {
		given, err := RRsets(z.Name, recs)
		if err != nil {
			return portfolio.Step{}, err
		}
		var step portfolio.Step
		has := ContentsOf(z)
		for _, set := range given {
			merged, err := portfolio.NewRRset(z.Name, set.Name, set.Type, set.TTL, merge(has[set.Key()], set))
			if err != nil {
				return portfolio.Step{}, err
			}
			step.Set = append(step.Set, merged)
			has[set.Key()] = merged
		}
		if err := aliasesAlone(has, given); err != nil {
			return portfolio.Step{}, err
		}
		out, err = flat(z.Name, given)
		return step, err
	})
	return out, err
}

// aliasesAlone refuses a CNAME beside other records (RFC 2181, section 10.1).
func aliasesAlone(has Contents, given []portfolio.RRset) error {
	for _, set := range given {
		for key := range has {
			if key.Name == set.Name && key.Type != set.Type && (key.Type == "CNAME" || set.Type == "CNAME") {
				return fmt.Errorf("%s has %s records, which can't stand beside %s; delete them first", key.Name, key.Type, set.Type)
			}
		}
	}
	return nil
}

// DeleteRecords deletes the records that match; an empty type, TTL or data
// matches any.
func (r Libdns) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) (out []libdns.Record, err error) {
	err = r.change(ctx, zone, func(z portfolio.Zone) (portfolio.Step, error) {
		var step portfolio.Step
		out = nil
		for _, set := range z.RRsets {
			rrs, err := set.Records(z.Name)
			if err != nil {
				return portfolio.Step{}, err
			}
			kept := set
			kept.Data = nil
			for i, rr := range rrs {
				gone, err := matchesAny(z.Name.FQDN(), recs, rr)
				if err != nil {
					return portfolio.Step{}, err
				}
				if !gone {
					kept.Data = append(kept.Data, set.Data[i])
					continue
				}
				rec, err := FromRR(z.Name.FQDN(), rr)
				if err != nil {
					return portfolio.Step{}, err
				}
				out = append(out, rec)
			}
			switch len(kept.Data) {
			case len(set.Data):
			case 0:
				step.Delete = append(step.Delete, set)
			default:
				step.Set = append(step.Set, kept)
			}
		}
		return step, nil
	})
	return out, err
}

func matchesAny(zone string, recs []libdns.Record, rr dns.RR) (bool, error) {
	for _, rec := range recs {
		if ok, err := Matches(zone, rec.RR(), rr); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// Matches reports whether a record given to libdns' DeleteRecords means rr: an
// empty type, TTL or data matches any.
func Matches(zone string, r libdns.RR, rr dns.RR) (bool, error) {
	code, known := TypeCode(r.Type)
	switch {
	case r.Type != "" && !known:
		return false, fmt.Errorf("%s has the type %q, which is no DNS type", r.Name, r.Type)
	case r.Type == "" && r.Data != "":
		return false, fmt.Errorf("%s has data but no type", r.Name)
	}
	h := rr.Header()
	if dns.CanonicalName(h.Name) != AbsoluteName(r.Name, zone) || known && h.Rrtype != code ||
		r.TTL != 0 && int64(h.Ttl) != int64(r.TTL.Seconds()) {
		return false, nil
	}
	if r.Data == "" {
		return true, nil
	}
	exact, err := ToRR(zone, r)
	if err != nil {
		return false, err
	}
	// From the same form: what came over the wire is escaped as ToRR's is.
	same, err := throughWire(rr)
	return err == nil && dns.IsDuplicate(exact, same), err
}

func (r Libdns) read(ctx context.Context, zone string) (portfolio.Zone, error) {
	name, err := portfolio.ParseName(dns.CanonicalName(zone)[:len(dns.CanonicalName(zone))-1])
	if err != nil {
		return portfolio.Zone{}, err
	}
	z, err := r.Zones.ReadZone(ctx, name)
	if err == nil && z.Missing {
		err = As(NoZone, fmt.Errorf("there is no zone %s", name))
	}
	return z, err
}

func (r Libdns) change(ctx context.Context, zone string, step func(portfolio.Zone) (portfolio.Step, error)) error {
	for try := 1; ; try++ {
		z, err := r.read(ctx, zone)
		if err != nil {
			return err
		}
		todo, err := step(z)
		if err != nil || len(todo.Set)+len(todo.Delete) == 0 {
			return err
		}
		err = r.Zones.WriteZone(ctx, z.Name.FQDN(), z, []portfolio.Step{todo})
		again := errors.Is(err, portfolio.ErrStale) || KindOf(err) == Temporary
		if err == nil || !again || try == tries {
			return err
		}
		select {
		case <-time.After(time.Duration(try) * 20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func flat(zone portfolio.Name, sets []portfolio.RRset) ([]libdns.Record, error) {
	recs := []libdns.Record{}
	for _, s := range sets {
		more, err := Records(zone, s)
		if err != nil {
			return nil, err
		}
		recs = append(recs, more...)
	}
	return recs, nil
}
