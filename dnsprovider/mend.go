package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
)

// quirks are the ways in which a module departs from libdns' contract, as far
// as they can be mended from outside.
type quirks struct {
	quoted     bool     // it takes texts as zone files have them, and gives them so
	bared      bool     // likewise, but gives them without the outer quotes
	blind      []string // types that it reads wrongly: left out, so that the rest of the zone can be kept
	page       int      // it reads the first so many records alone: such zones are refused
	oneByOne   bool     // of several records in one call it does the first alone
	byRecord   bool     // it deletes only what reading gave
	ttlAsIs    bool     // it sends a TTL in nanoseconds
	apexByName bool     // it takes "@" for a name below the apex
	missingOK  bool     // deleting what isn't there is an error that means nothing
	firstZones bool     // it lists the first page of zones alone
	keeps      string   // why nothing may be deleted by it
}

// mended stands between the adapter and a module.
type mended struct {
	keeper
	quirks
}

// lister is a mended module that lists zones.
type lister struct {
	mended
	libdns.ZoneLister
}

// setter is a mended module whose SetRecords is used.
type setter struct {
	mended
	libdns.RecordSetter
}

// mendedBy makes the row's modules answer through m.
func (r row) mendedBy(q quirks) row {
	r.partial = q.firstZones
	open := r.open
	r.open = func(settings any, cfg Config, d Deps) (any, error) {
		impl, err := open(settings, cfg, d)
		if err != nil {
			return nil, err
		}
		m := mended{impl.(keeper), q}
		if zones, ok := impl.(libdns.ZoneLister); ok {
			return lister{m, zones}, nil
		}
		if s, ok := impl.(libdns.RecordSetter); ok && r.how == bySet {
			return setter{m, s}, nil
		}
		return m, nil
	}
	return r
}

func (m mended) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	recs, err := m.keeper.GetRecords(ctx, zone)
	if err != nil {
		return nil, err
	}
	if m.page > 0 && len(recs) >= m.page {
		return nil, zoneio.As(zoneio.Unsupported, fmt.Errorf("the module reads the first %d records of a zone alone, and this zone has as many or more", m.page))
	}
	var out []libdns.Record
	for _, rec := range recs {
		if rec == nil || slices.Contains(m.blind, rec.RR().Type) {
			continue
		}
		out = append(out, m.read(rec))
	}
	return out, nil
}

func (m mended) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return m.each(m.written(zone, recs), func(recs []libdns.Record) ([]libdns.Record, error) {
		return m.keeper.AppendRecords(ctx, zone, recs)
	})
}

func (m mended) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	if m.keeps != "" {
		return nil, zoneio.As(zoneio.Unsupported, errors.New(m.keeps))
	}
	recs, err := m.held(ctx, zone, recs)
	if err != nil {
		return nil, err
	}
	return m.each(m.written(zone, recs), func(recs []libdns.Record) ([]libdns.Record, error) {
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

func (m mended) each(recs []libdns.Record, do func([]libdns.Record) ([]libdns.Record, error)) (out []libdns.Record, err error) {
	if !m.oneByOne && !m.quoted {
		return do(recs)
	}
	for _, rec := range recs {
		done, err := do([]libdns.Record{rec})
		if err != nil {
			return out, err
		}
		out = append(out, done...)
	}
	return out, nil
}

// held gives, of the records that the module has, those that are in recs.
func (m mended) held(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	if !m.byRecord {
		return recs, nil
	}
	has, err := m.keeper.GetRecords(ctx, zone)
	if err != nil {
		return nil, err
	}
	var out []libdns.Record
	for _, rec := range has {
		if rec == nil || slices.Contains(m.blind, rec.RR().Type) {
			continue
		}
		rr, err := zoneio.ToRR(zone, rec)
		if err != nil {
			continue // none that could have been asked for
		}
		for _, gone := range recs {
			if ok, err := zoneio.Matches(zone, gone.RR(), rr); err != nil {
				return nil, err
			} else if ok {
				out = append(out, rec)
				break
			}
		}
	}
	return out, nil
}

// read gives a record as libdns has it.
func (m mended) read(rec libdns.Record) libdns.Record {
	rr := rec.RR()
	switch {
	case rr.Type == "TXT" && (m.quoted || m.bared):
		text := rr.Data
		if m.bared {
			if rest := strings.TrimRight(text, `\`); (len(text)-len(rest))%2 == 1 {
				text += `"` // it ended in a quote, which went with the outer ones
			}
			text = `"` + text + `"`
		}
		if plain, err := zoneio.Unquote(text); err == nil {
			return libdns.TXT{Name: rr.Name, TTL: rr.TTL, Text: plain}
		}
	case rr.Type == "CAA":
		if caa, ok := rec.(libdns.CAA); ok { // some keep the quotes, and quote once more
			caa.Value = strings.Trim(caa.Value, `"`)
			return caa
		}
	}
	return rec
}

// written gives records in the form in which the module takes them.
func (m mended) written(zone string, recs []libdns.Record) []libdns.Record {
	if !m.quoted && !m.bared && !m.ttlAsIs && !m.apexByName {
		return recs
	}
	out := make([]libdns.Record, len(recs))
	for i, rec := range recs {
		rr := rec.RR()
		if rr.Type == "TXT" && (m.quoted || m.bared) {
			rr.Data = zoneio.Quote(rr.Data)
			rec = libdns.TXT{Name: rr.Name, TTL: rr.TTL, Text: rr.Data}
		}
		if m.ttlAsIs {
			rr.TTL /= time.Second
			rec = rr
		}
		if m.apexByName && rr.Name == "@" {
			rr.Name = strings.TrimSuffix(zone, ".")
			rec = rr
		}
		out[i] = rec
	}
	return out
}

// unquoted gives texts without their outer quotes.
func unquoted(recs []libdns.Record) []libdns.Record {
	out := slices.Clone(recs)
	for i, rec := range out {
		if txt, ok := rec.(libdns.TXT); ok {
			txt.Text = strings.Trim(txt.Text, `"`)
			out[i] = txt
		}
	}
	return out
}

// notThere reports whether a module says that there is no such record.
func notThere(err error) bool { return err != nil && notThereText.MatchString(err.Error()) }
