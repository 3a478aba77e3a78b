package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
)

// Each departure, what comes of it, and what comes of it when it is mended.
func TestMended(t *testing.T) {
	t.Parallel()
	quote := func(r libdns.RR) libdns.Record {
		if r.Type == "TXT" {
			r.Data = zoneio.Quote(r.Data)
		}
		return r
	}
	bare := func(r libdns.RR) libdns.Record {
		r = quote(r).RR()
		r.Data = strings.Trim(r.Data, `"`)
		return r
	}
	noTTL := func(r libdns.RR) libdns.Record {
		r.TTL = 0
		return r
	}
	dotless := func(r libdns.RR) libdns.Record {
		r.Data = strings.TrimSuffix(r.Data, ".")
		return r
	}
	sameData := func(given, has libdns.RR) bool {
		return given.Name == has.Name && given.Type == has.Type && given.Data == has.Data
	}
	for name, c := range map[string]struct {
		quirks        quirks
		module        faulty
		has           []libdns.RR
		do            func(keeper, *faulty) string
		broken, right string // parts of what comes of it
	}{
		"mayQuote": {quirks{mayQuote: true}, faulty{form: quote}, []libdns.RR{rr("@", "TXT", `say "hej" \ å`)}, reading,
			`"say \"hej\"`, `@ 300 TXT say "hej" \ å`},
		"mayQuote parts": {quirks{mayQuote: true}, faulty{form: bare}, []libdns.RR{rr("@", "TXT", strings.Repeat("x", 300))}, reading,
			`x" "x`, "@ 300 TXT " + strings.Repeat("x", 300)},
		"bared": {quirks{bared: true}, faulty{form: bare}, []libdns.RR{rr("@", "TXT", strings.Repeat("x", 300))}, reading,
			`x" "x`, "@ 300 TXT " + strings.Repeat("x", 300)},
		"bared writes": {quirks{bared: true}, faulty{}, nil, adding(txt("@", `a "b"`)), `@ 300 TXT a "b"`, `@ 300 TXT "a \"b\""`},
		"quoted deletes": {quirks{quoted: true}, faulty{deletes: func(f *faulty, _ string, recs []libdns.Record) error {
			for _, rec := range recs {
				if f.drops(func(r libdns.RR) bool { return zoneio.Quote(r.Data) == rec.RR().Data }) == 0 {
					return errors.New("record not found")
				}
			}
			return nil
		}}, []libdns.RR{rr("@", "TXT", "x y")}, deleting(txt("@", "x y")), "record not found", ""},
		"blind": {quirks{blind: []string{"MX"}}, faulty{}, []libdns.RR{rr("@", "MX", "mail"), rr("@", "A", "192.0.2.1")}, reading,
			"@ 300 MX mail", "@ 300 A 192.0.2.1"},
		"nil records": {quirks{}, faulty{form: func(r libdns.RR) libdns.Record {
			if r.Type == "MX" {
				return nil
			}
			return r
		}}, []libdns.RR{rr("@", "MX", "10 mail."), rr("@", "A", "192.0.2.1")}, reading, "nothing", "@ 300 A 192.0.2.1"},
		"page": {quirks{page: 2}, faulty{reads: func(_ string, recs []libdns.Record) ([]libdns.Record, error) { return recs[:2], nil }},
			[]libdns.RR{rr("a", "A", "192.0.2.1"), rr("b", "A", "192.0.2.1"), rr("c", "A", "192.0.2.1")}, reading, "b 300 A", "as many or more"},
		"neverEmpty": {quirks{neverEmpty: true}, faulty{reads: func(string, []libdns.Record) ([]libdns.Record, error) { return nil, nil }},
			[]libdns.RR{rr("a", "A", "192.0.2.1")}, reading, "", "reads as empty"},
		"ttl": {quirks{ttl: 60}, faulty{form: noTTL}, []libdns.RR{rr("@", "A", "192.0.2.1")}, reading, "@ 0 A", "@ 60 A 192.0.2.1"},
		"bareZone": {quirks{bareZone: true}, faulty{reads: func(zone string, recs []libdns.Record) ([]libdns.Record, error) {
			if strings.HasSuffix(zone, ".") {
				return nil, errors.New("no zone " + zone)
			}
			return recs, nil
		}}, []libdns.RR{rr("@", "A", "192.0.2.1")}, reading, "no zone", "@ 300 A 192.0.2.1"},
		"oneByOne": {quirks{oneByOne: true}, faulty{deletes: func(f *faulty, _ string, recs []libdns.Record) error {
			i := slices.IndexFunc(f.recs, func(r libdns.RR) bool { return r.Name == recs[0].RR().Name }) // whatever its data
			f.recs = slices.Delete(f.recs, i, i+1)
			return nil
		}}, []libdns.RR{rr("@", "A", "192.0.2.1"), rr("@", "A", "192.0.2.2")}, deleting(rr("@", "A", "192.0.2.1"), rr("@", "A", "192.0.2.2")),
			"@ 300 A 192.0.2.2", ""},
		"byRecord": {quirks{byRecord: true}, faulty{form: dotless, deletes: func(f *faulty, _ string, recs []libdns.Record) error {
			for _, rec := range recs {
				f.drops(func(r libdns.RR) bool { return sameData(rec.RR(), dotless(r).RR()) })
			}
			return nil
		}}, []libdns.RR{rr("www", "CNAME", "kopasex.se."), rr("wwww", "CNAME", "kopasex.se.")}, deleting(libdns.CNAME{Name: "www", TTL: 300 * time.Second, Target: "kopasex.se."}),
			"www 300 CNAME", "wwww 300 CNAME kopasex.se."},
		"byRecord spares an empty text's neighbours": {quirks{byRecord: true}, faulty{}, []libdns.RR{rr("@", "TXT", ""), rr("@", "TXT", "x")},
			deleting(txt("@", "")), "@ 300 TXT x", "@ 300 TXT x"},
		"dropsAll": {quirks{dropsAll: true}, faulty{deletes: func(f *faulty, _ string, recs []libdns.Record) error {
			for _, rec := range recs {
				if f.drops(func(r libdns.RR) bool { return r.Name == rec.RR().Name }) == 0 {
					return errors.New("HTTP 404")
				}
			}
			return nil
		}}, []libdns.RR{rr("@", "A", "192.0.2.1"), rr("@", "A", "192.0.2.2")}, deleting(rr("@", "A", "192.0.2.1"), rr("@", "A", "192.0.2.2")), "404", ""},
		"loose refuses": {quirks{loose: true}, faulty{deletes: byPartOfName}, []libdns.RR{rr("xwww", "A", "192.0.2.9"), rr("www", "A", "192.0.2.1")},
			deleting(rr("www", "A", "192.0.2.1")), "www 300 A 192.0.2.1", "might delete another"},
		"loose": {quirks{loose: true}, faulty{deletes: byPartOfName}, []libdns.RR{rr("@", "TXT", "x"), rr("www", "A", "192.0.2.1")},
			deleting(txt("@", "x")), "record not found", "www 300 A 192.0.2.1"},
		"ttlAsIs": {quirks{ttlAsIs: true}, faulty{appends: func(f *faulty, _ string, recs []libdns.Record) ([]libdns.Record, error) {
			for _, rec := range recs {
				r := rec.RR()
				r.TTL = time.Duration(int(r.TTL)) * time.Second // nanoseconds taken for seconds
				f.recs = append(f.recs, r)
			}
			return recs, nil
		}}, nil, adding(rr("@", "A", "192.0.2.1")), "A 192.0.2.1", "@ 300 A 192.0.2.1"},
		"apexByName": {quirks{apexByName: true}, faulty{appends: func(f *faulty, zone string, recs []libdns.Record) ([]libdns.Record, error) {
			for _, rec := range recs {
				r := rec.RR()
				if r.Name+"." != zone {
					r.Name += "." + zone
				}
				f.recs = append(f.recs, r)
			}
			return recs, nil
		}}, nil, adding(rr("@", "A", "192.0.2.1")), "@.kopasex.se.", "kopasex.se 300 A 192.0.2.1"},
		"missingOK": {quirks{missingOK: true}, faulty{deletes: func(*faulty, string, []libdns.Record) error { return errors.New("record @ of type A not found") }},
			nil, deleting(rr("@", "A", "192.0.2.1")), "not found", ""},
		"swallows": {quirks{swallows: true}, faulty{appends: func(*faulty, string, []libdns.Record) ([]libdns.Record, error) { return nil, nil }},
			nil, adding(rr("@", "A", "192.0.2.1")), "", "wrote 0 of 1 records"},
		"loses": {quirks{loses: []string{"MX"}}, faulty{appends: func(f *faulty, _ string, recs []libdns.Record) ([]libdns.Record, error) {
			f.drops(func(r libdns.RR) bool { return r.Type == "MX" })
			f.recs = append(f.recs, recs[0].RR())
			return recs, nil
		}}, []libdns.RR{rr("@", "MX", "10 mail.")}, adding(rr("@", "A", "192.0.2.1")), "@ 300 A 192.0.2.1", "any write by this module would lose"},
		"keeps": {quirks{keeps: "delete it yourself"}, faulty{deletes: func(f *faulty, _ string, _ []libdns.Record) error {
			f.recs[0].Data = "127.0.0.1"
			return nil
		}}, []libdns.RR{rr("@", "A", "192.0.2.1")}, deleting(rr("@", "A", "192.0.2.1")), "127.0.0.1", "delete it yourself"},
		"given records stay": {quirks{apexByName: true, ttlAsIs: true}, faulty{}, nil, func(m keeper, f *faulty) string {
			recs := []libdns.Record{rr("@", "A", "192.0.2.1")}
			_, _ = m.AppendRecords(context.Background(), zone, recs)
			return fmt.Sprint(recs[0].RR().Name, " ", recs[0].RR().TTL)
		}, "@ 5m0s", "@ 5m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := func(mend bool) string {
				f := c.module
				f.recs = slices.Clone(c.has)
				if !mend {
					return c.do(&f, &f)
				}
				return c.do(mendedModule(t, &f, c.quirks), &f)
			}
			if out := got(false); !strings.Contains(out, c.broken) || out == c.right && c.broken != c.right {
				t.Errorf("the module itself: %s, not %s", out, c.broken)
			}
			if out := got(true); !strings.Contains(out, c.right) || c.right == "" && out != "" {
				t.Errorf("mended: %s, not %s", out, c.right)
			}
		})
	}
}

// A module whose calls disturb each other makes one at a time, however many are
// asked for; who waits can give up.
func TestMendedAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var under, most atomic.Int32
		f := &faulty{reads: func(_ string, recs []libdns.Record) ([]libdns.Record, error) {
			most.Store(max(most.Load(), under.Add(1)))
			time.Sleep(time.Second)
			under.Add(-1)
			return recs, nil
		}}
		m := mendedModule(t, f, quirks{alone: true})
		for range 5 {
			go func() { _, _ = m.GetRecords(t.Context(), zone) }()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if _, err := m.GetRecords(ctx, zone); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who waits too long gets %v", err)
		}
		time.Sleep(10 * time.Second)
		if most.Load() != 1 {
			t.Errorf("%d calls at once", most.Load())
		}
	})
}

// A listing that lacks zones says nothing of those that it lacks.
func TestMendedLists(t *testing.T) {
	t.Parallel()
	r := row{open: func(any, Config, Deps) (any, error) { return &fake{zones: []string{"a.example"}}, nil }}.mendedBy(quirks{firstZones: true})
	impl, err := r.open(nil, Config{}, Deps{})
	if _, lists := impl.(libdns.ZoneLister); err != nil || !lists || !r.partial {
		t.Errorf("lists: %v, partly: %v, %v", lists, r.partial, err)
	}
}
