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
	mayQuote   bool     // it may give texts as zone files have them
	blind      []string // types that it reads wrongly: left out, so that the rest of the zone can be kept
	page       int      // it reads the first so many records alone: such zones are refused
	neverEmpty bool     // where it fails, it gives an empty zone
	ttl        uint32   // it tells no TTLs, or those of the zone: records have this one
	bareZone   bool     // it takes a zone's name without the dot
	oneByOne   bool     // of several records in one call it does the first alone
	byRecord   bool     // it deletes only what reading gave
	dropsAll   bool     // it deletes the RRset with the record; once more is an error
	loose      bool     // it deletes the first record of the type whose name contains the one given
	ttlAsIs    bool     // it sends a TTL in nanoseconds
	apexByName bool     // it takes "@" for a name below the apex
	missingOK  bool     // deleting what isn't there is an error that means nothing
	swallows   bool     // what it could not add it leaves out of its answer, without an error
	loses      []string // a write loses records of these types: zones that hold some are refused
	alone      bool     // calls at the same time disturb each other
	firstZones bool     // it lists the first page of zones alone
	keeps      string   // why nothing may be deleted by it
}

// mended stands between the adapter and a module.
type mended struct {
	keeper
	quirks
	turn chan struct{} // nil where calls may overlap
}

// lister is a mended module that lists zones.
type lister struct {
	mended
	libdns.ZoneLister
}

// mendedBy makes the row's modules answer through q.
func (r row) mendedBy(q quirks) row {
	r.partial = q.firstZones
	return r.through(func(impl any) any {
		m := mended{keeper: impl.(keeper), quirks: q}
		if q.alone {
			m.turn = make(chan struct{}, 1)
		}
		if zones, ok := impl.(libdns.ZoneLister); ok {
			return lister{m, zones}
		}
		return m
	})
}

// begin waits for the module's turn. The zone is named as the module takes it.
func (m mended) begin(ctx context.Context, zone string) (_ string, end func(), err error) {
	if m.bareZone {
		zone = strings.TrimSuffix(zone, ".")
	}
	if m.turn == nil {
		return zone, func() {}, nil
	}
	select {
	case m.turn <- struct{}{}:
		return zone, func() { <-m.turn }, nil
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
}

func (m mended) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	zone, end, err := m.begin(ctx, zone)
	if err != nil {
		return nil, err
	}
	defer end()
	recs, err := m.whole(ctx, zone)
	if err != nil {
		return nil, err
	}
	out := make([]libdns.Record, 0, len(recs))
	for _, rec := range recs {
		if m.sees(rec) {
			out = append(out, m.read(rec))
		}
	}
	return out, nil
}

// whole gives what the module reads, where that can be a whole zone.
func (m mended) whole(ctx context.Context, zone string) ([]libdns.Record, error) {
	recs, err := m.keeper.GetRecords(ctx, zone)
	switch {
	case err != nil:
		return nil, err
	case m.page > 0 && len(recs) >= m.page:
		return nil, zoneio.As(zoneio.Unsupported, fmt.Errorf("the module reads the first %d records of a zone alone, and this zone has as many or more", m.page))
	case m.neverEmpty && len(recs) == 0:
		return nil, errors.New("the zone reads as empty, which is how this module tells failures: look at the credentials and whether the vendor has the zone")
	}
	return recs, nil
}

// sees reports whether a record that the module gave means anything.
func (m mended) sees(rec libdns.Record) bool {
	return rec != nil && !slices.Contains(m.blind, rec.RR().Type)
}

func (m mended) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return m.put(ctx, zone, recs, m.keeper.AppendRecords)
}

// SetRecords is for modules that have one.
func (m mended) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	setter, ok := m.keeper.(libdns.RecordSetter)
	if !ok {
		return nil, errors.New("the module can't set records")
	}
	return m.put(ctx, zone, recs, setter.SetRecords)
}

// write is one of libdns' calls that change a zone.
type write func(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error)

func (m mended) put(ctx context.Context, zone string, recs []libdns.Record, do write) ([]libdns.Record, error) {
	zone, end, err := m.begin(ctx, zone)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := m.bears(ctx, zone); err != nil {
		return nil, err
	}
	done, err := m.each(m.named(zone, m.written(recs)), func(recs []libdns.Record) ([]libdns.Record, error) {
		return do(ctx, zone, recs)
	})
	if err == nil && m.swallows && len(done) < len(recs) {
		return done, fmt.Errorf("the module wrote %d of %d records, and doesn't tell why not the others; look at the zone by the vendor's own means", len(done), len(recs))
	}
	return done, err
}

// bears reports, by an error, a zone that a write would harm.
func (m mended) bears(ctx context.Context, zone string) error {
	if len(m.loses) == 0 {
		return nil
	}
	recs, err := m.keeper.GetRecords(ctx, zone)
	if err != nil {
		return err
	}
	for _, rec := range recs {
		if rec != nil && slices.Contains(m.loses, rec.RR().Type) {
			rr := rec.RR()
			return zoneio.As(zoneio.Unsupported, fmt.Errorf("the zone holds %s %s, which any write by this module would lose; move it elsewhere first", rr.Name, rr.Type))
		}
	}
	return nil
}

// each hands records to do, one by one where the module needs that.
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

// read gives a record as libdns has it.
func (m mended) read(rec libdns.Record) libdns.Record {
	rr := rec.RR()
	if m.ttl > 0 {
		rr.TTL = time.Duration(m.ttl) * time.Second
		rec = rr
	}
	switch rr.Type {
	case "TXT":
		if plain, ok := m.plain(rr.Data); ok {
			return libdns.TXT{Name: rr.Name, TTL: rr.TTL, Text: plain}
		}
	case "CAA":
		if caa, ok := rec.(libdns.CAA); ok { // some keep the quotes, and quote once more
			caa.Value = strings.Trim(caa.Value, `"`)
			return caa
		}
	}
	return rec
}

// plain undoes the form in which the module gives a text.
func (m mended) plain(text string) (string, bool) {
	switch {
	case m.bared:
		if rest := strings.TrimRight(text, `\`); (len(text)-len(rest))%2 == 1 {
			text += `"` // it ended in a quote, which went with the outer ones
		}
		text = `"` + text + `"`
	case m.quoted:
	case m.mayQuote && len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"':
	case m.mayQuote && strings.Contains(text, `" "`): // parts of it, without the outer quotes
		text = `"` + text + `"`
	default:
		return "", false
	}
	plain, err := zoneio.Unquote(text)
	return plain, err == nil
}

// written gives texts and TTLs in the form in which the module takes them.
func (m mended) written(recs []libdns.Record) []libdns.Record {
	out := slices.Clone(recs) // some modules change what they are given
	for i, rec := range out {
		rr := rec.RR()
		if rr.Type == "TXT" && (m.quoted || m.bared) {
			rr.Data = zoneio.Quote(rr.Data)
			rec = libdns.TXT{Name: rr.Name, TTL: rr.TTL, Text: rr.Data}
		}
		if m.ttlAsIs {
			rr.TTL /= time.Second
			rec = rr
		}
		out[i] = rec
	}
	return out
}

// named gives records by the names that the module takes.
func (m mended) named(zone string, recs []libdns.Record) []libdns.Record {
	if !m.apexByName {
		return recs
	}
	for i, rec := range recs {
		if rr := rec.RR(); rr.Name == "@" {
			rr.Name = strings.TrimSuffix(zone, ".")
			recs[i] = rr
		}
	}
	return recs
}
