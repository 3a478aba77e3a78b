package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libdns/libdns"
)

// faulty is a module that departs from libdns' contract in one way.
type faulty struct {
	recs    []libdns.RR
	form    func(libdns.RR) libdns.Record                                                        // in which it gives records
	reads   func(zone string, recs []libdns.Record) ([]libdns.Record, error)                     // what it makes of a zone
	appends func(f *faulty, zone string, recs []libdns.Record) (done []libdns.Record, err error) // instead
	deletes func(f *faulty, zone string, recs []libdns.Record) error                             // instead
}

func (f *faulty) GetRecords(_ context.Context, zone string) ([]libdns.Record, error) {
	var out []libdns.Record
	for _, rr := range f.recs {
		rec := libdns.Record(rr)
		if f.form != nil {
			rec = f.form(rr)
		}
		out = append(out, rec)
	}
	if f.reads != nil {
		return f.reads(zone, out)
	}
	return out, nil
}

func (f *faulty) AppendRecords(_ context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	if f.appends != nil {
		return f.appends(f, zone, recs)
	}
	for _, rec := range recs {
		f.recs = append(f.recs, rec.RR())
	}
	return recs, nil
}

func (f *faulty) DeleteRecords(_ context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	if f.deletes != nil {
		return recs, f.deletes(f, zone, recs)
	}
	for _, rec := range recs {
		f.drops(func(r libdns.RR) bool { return r == rec.RR() })
	}
	return recs, nil
}

// drops removes what matches, and gives how many those were.
func (f *faulty) drops(match func(libdns.RR) bool) int {
	before := len(f.recs)
	f.recs = slices.DeleteFunc(f.recs, match)
	return before - len(f.recs)
}

func rr(name, typ, data string) libdns.RR {
	return libdns.RR{Name: name, Type: typ, TTL: 300 * time.Second, Data: data}
}

func txt(name, text string) libdns.TXT {
	return libdns.TXT{Name: name, TTL: 300 * time.Second, Text: text}
}

const zone = "kopasex.se."

// read, added and deleted give what a module's zone holds thereafter, as the
// module itself keeps it, or the error.
func held(f *faulty, err error) string {
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, r := range f.recs {
		lines = append(lines, fmt.Sprintf("%s %d %s %s", r.Name, int64(r.TTL/time.Second), r.Type, r.Data))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func reading(m keeper, _ *faulty) string {
	recs, err := m.GetRecords(context.Background(), zone)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, rec := range recs {
		if rec == nil {
			lines = append(lines, "nothing")
			continue
		}
		r := rec.RR()
		lines = append(lines, fmt.Sprintf("%s %d %s %s", r.Name, int64(r.TTL/time.Second), r.Type, r.Data))
	}
	return strings.Join(lines, "\n")
}

func adding(recs ...libdns.Record) func(keeper, *faulty) string {
	return func(m keeper, f *faulty) string {
		_, err := m.AppendRecords(context.Background(), zone, recs)
		return held(f, err)
	}
}

func deleting(recs ...libdns.Record) func(keeper, *faulty) string {
	return func(m keeper, f *faulty) string {
		_, err := m.DeleteRecords(context.Background(), zone, recs)
		return held(f, err)
	}
}

// byPartOfName deletes the first record of the type whose name contains the one
// that was given.
func byPartOfName(f *faulty, _ string, recs []libdns.Record) error {
	for _, rec := range recs {
		i := slices.IndexFunc(f.recs, func(r libdns.RR) bool {
			name := strings.TrimSuffix(r.Name, "@") // the vendor's apex has none
			return r.Type == rec.RR().Type && strings.Contains(name, rec.RR().Name)
		})
		if i < 0 {
			return errors.New("record not found")
		}
		f.recs = slices.Delete(f.recs, i, i+1)
	}
	return nil
}

func mendedModule(t *testing.T, module keeper, q quirks) keeper {
	t.Helper()
	r := row{open: func(any, Config, Deps) (any, error) { return module, nil }}.mendedBy(q)
	impl, err := r.open(nil, Config{}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return impl.(keeper)
}
