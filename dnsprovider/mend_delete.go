package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/zoneio"
)

func (m mended) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	if m.keeps != "" {
		return nil, zoneio.As(zoneio.Unsupported, errors.New(m.keeps))
	}
	zone, end, err := m.begin(ctx, zone)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := m.bears(ctx, zone); err != nil {
		return nil, err
	}
	if recs, err = m.targets(ctx, zone, recs); err != nil || len(recs) == 0 {
		return nil, err
	}
	return m.each(m.named(zone, recs), func(recs []libdns.Record) ([]libdns.Record, error) {
		gone, err := m.keeper.DeleteRecords(ctx, zone, recs)
		if m.quoted && notThere(err) { // of a single value, it compares what is within the quotes
			gone, err = m.keeper.DeleteRecords(ctx, zone, unquoted(recs))
		}
		if m.missingOK && notThere(err) {
			return gone, nil
		}
		return gone, err
	})
}

// targets gives what to hand the module so that recs go, and nothing else.
func (m mended) targets(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	switch {
	case m.dropsAll:
		return onePerSet(m.written(recs)), nil
	case !m.byRecord && !m.loose:
		return m.written(recs), nil
	}
	all, err := m.keeper.GetRecords(ctx, zone)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(rec libdns.Record) bool { return !m.sees(rec) })
	held, err := m.held(zone, all, recs)
	if m.loose && err == nil {
		return byPart(all, held)
	}
	return held, err
}

// held gives, of the records that the module has, those that are in recs.
func (m mended) held(zone string, all, recs []libdns.Record) ([]libdns.Record, error) {
	wanted := make([]dns.RR, len(recs))
	for i, rec := range recs {
		rr, err := zoneio.ToRR(zone, rec)
		if err != nil {
			return nil, err
		}
		wanted[i] = rr
	}
	var out []libdns.Record
	for _, rec := range all {
		rr, err := zoneio.ToRR(zone, m.read(rec))
		if err != nil {
			continue // none that could have been asked for
		}
		if slices.ContainsFunc(wanted, func(w dns.RR) bool { return dns.IsDuplicate(w, rr) && w.Header().Ttl == rr.Header().Ttl }) {
			out = append(out, rec)
		}
	}
	return out, nil
}

// onePerSet gives the first record of each name and type.
func onePerSet(recs []libdns.Record) []libdns.Record {
	seen := make(map[string]bool)
	return slices.DeleteFunc(recs, func(rec libdns.Record) bool {
		key := rec.RR().Name + " " + rec.RR().Type
		defer func() { seen[key] = true }()
		return seen[key]
	})
}

// byPart gives the records as a module takes them that looks for a part of the
// name, the apex by none; an error where that part fits another record as well.
func byPart(all, recs []libdns.Record) ([]libdns.Record, error) {
	out := slices.Clone(recs)
	for i, rec := range recs {
		rr := rec.RR()
		if rr.Name == "@" {
			rr.Name = ""
		}
		fitting := 0
		for _, other := range all {
			if o := other.RR(); o.Type == rr.Type && strings.Contains(o.Name, rr.Name) {
				fitting++
			}
		}
		if fitting > 1 {
			return nil, zoneio.As(zoneio.Unsupported, fmt.Errorf("%s %s: the module might delete another record, since it looks for a part of the name alone; delete it by the vendor's own means", rec.RR().Name, rr.Type))
		}
		out[i] = rr
	}
	return out, nil
}

// unquoted gives data without its outer quotes, even where only one of them is
// there: of texts, but of CAA and HTTPS records too.
func unquoted(recs []libdns.Record) []libdns.Record {
	out := make([]libdns.Record, len(recs))
	for i, rec := range recs {
		rr := rec.RR()
		rr.Data = strings.Trim(rr.Data, `"`)
		out[i] = rr
	}
	return out
}

// notThere reports whether a module says that there is no such record.
func notThere(err error) bool { return err != nil && notThereText.MatchString(err.Error()) }
