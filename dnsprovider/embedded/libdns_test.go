package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
)

const zone = "kopasex.example."

// lines shows records without the provider's own NS, sorted.
func lines(recs []libdns.Record) string {
	var out []string
	for _, rec := range recs {
		r := rec.RR()
		if r.Type != "NS" || r.Name != "@" {
			out = append(out, fmt.Sprintf("%s %d %s %s", r.Name, int(r.TTL.Seconds()), r.Type, r.Data))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func a(name string, ttl int, addr string) libdns.Record {
	return libdns.Address{Name: name, TTL: time.Duration(ttl) * time.Second, IP: netip.MustParseAddr(addr)}
}

func txt(name string, ttl int, text string) libdns.Record {
	return libdns.TXT{Name: name, TTL: time.Duration(ttl) * time.Second, Text: text}
}

// TestContract plays the examples of libdns' contract, and its corners.
func TestContract(t *testing.T) {
	t.Parallel()
	type op func(context.Context, string, []libdns.Record) ([]libdns.Record, error)
	start := []libdns.Record{a("@", 3600, "192.0.2.1"), a("@", 3600, "192.0.2.2"), txt("@", 3600, "hello world"), libdns.CNAME{Name: "www", TTL: time.Hour, Target: "kopasex.example."}}
	const held = "@ 3600 A 192.0.2.1\n@ 3600 A 192.0.2.2\n@ 3600 TXT hello world\nwww 3600 CNAME kopasex.example."
	for _, test := range []struct {
		name  string
		op    string
		input []libdns.Record
		gives string // "error: …" where it fails
		after string // held where empty
	}{
		{"set replaces", "set", []libdns.Record{a("@", 3600, "192.0.2.3")},
			"@ 3600 A 192.0.2.3", "@ 3600 A 192.0.2.3\n@ 3600 TXT hello world\nwww 3600 CNAME kopasex.example."},
		{"set of several", "set", []libdns.Record{a("@", 60, "192.0.2.1"), a("@", 60, "192.0.2.5"), a("new", 60, "2001:db8::1")},
			"@ 60 A 192.0.2.1\n@ 60 A 192.0.2.5\nnew 60 AAAA 2001:db8::1",
			"@ 3600 TXT hello world\n@ 60 A 192.0.2.1\n@ 60 A 192.0.2.5\nnew 60 AAAA 2001:db8::1\nwww 3600 CNAME kopasex.example."},
		{"set with two TTLs takes the lower", "set", []libdns.Record{a("new", 60, "192.0.2.1"), a("new", 30, "192.0.2.2")},
			"new 30 A 192.0.2.1\nnew 30 A 192.0.2.2", held[:strings.Index(held, "www")] + "new 30 A 192.0.2.1\nnew 30 A 192.0.2.2\nwww 3600 CNAME kopasex.example."},
		{"set of what stands", "set", []libdns.Record{txt("@", 3600, "hello world")}, "@ 3600 TXT hello world", ""},
		{"set of nothing", "set", nil, "", ""},
		{"set of a CNAME over others", "set", []libdns.Record{libdns.CNAME{Name: "@", Target: "x.example."}}, "error: a CNAME can't stand at the apex", ""},
		{"set beside a CNAME", "set", []libdns.Record{a("new", 60, "192.0.2.1"), a("www", 60, "192.0.2.1")}, "error: www has a CNAME to kopasex.example. beside A records", ""},
		{"set of a SOA", "set", []libdns.Record{libdns.RR{Name: "@", Type: "SOA", Data: "a. b. 1 2 3 4 5"}}, "error: @ SOA can't be set", ""},
		{"set of no type", "set", []libdns.Record{libdns.RR{Name: "@", Type: "ALIAS", Data: "x."}}, `error: @ has the type "ALIAS", which is no DNS type`, ""},
		{"set of bad data", "set", []libdns.Record{a("ok", 60, "192.0.2.1"), libdns.RR{Name: "@", Type: "A", Data: "x"}}, "error: @ A has the data", ""},
		{"append adds", "append", []libdns.Record{a("@", 3600, "192.0.2.3")}, "@ 3600 A 192.0.2.3", "@ 3600 A 192.0.2.1\n@ 3600 A 192.0.2.2\n@ 3600 A 192.0.2.3\n@ 3600 TXT hello world\nwww 3600 CNAME kopasex.example."},
		{"append keeps the TTL that is there", "append", []libdns.Record{txt("@", 60, "more")}, "@ 3600 TXT more", "@ 3600 A 192.0.2.1\n@ 3600 A 192.0.2.2\n@ 3600 TXT hello world\n@ 3600 TXT more\nwww 3600 CNAME kopasex.example."},
		{"append of what stands", "append", []libdns.Record{txt("@", 3600, "hello world")}, "@ 3600 TXT hello world", ""},
		{"append of a second CNAME", "append", []libdns.Record{libdns.CNAME{Name: "www", Target: "x.example."}}, "error: record www CNAME has more than one value", ""},
		{"append of a new name", "append", []libdns.Record{txt("_acme-challenge", 0, `a"b\c;d å`)}, `_acme-challenge 0 TXT a"b\c;d å`, held[:strings.Index(held, "www")] + `_acme-challenge 0 TXT a"b\c;d å` + "\nwww 3600 CNAME kopasex.example."},
		{"delete one", "delete", []libdns.Record{a("@", 3600, "192.0.2.1")}, "@ 3600 A 192.0.2.1", "@ 3600 A 192.0.2.2\n@ 3600 TXT hello world\nwww 3600 CNAME kopasex.example."},
		{"delete what isn't there", "delete", []libdns.Record{a("@", 3600, "192.0.2.9"), a("no", 3600, "192.0.2.1")}, "", ""},
		{"delete with another TTL", "delete", []libdns.Record{a("@", 60, "192.0.2.1")}, "", ""},
		{"delete of any TTL", "delete", []libdns.Record{a("@", 0, "192.0.2.1")}, "@ 3600 A 192.0.2.1", "@ 3600 A 192.0.2.2\n@ 3600 TXT hello world\nwww 3600 CNAME kopasex.example."},
		{"delete of any data", "delete", []libdns.Record{libdns.RR{Name: "@", Type: "A"}}, "@ 3600 A 192.0.2.1\n@ 3600 A 192.0.2.2", "@ 3600 TXT hello world\nwww 3600 CNAME kopasex.example."},
		{"delete of any type", "delete", []libdns.Record{libdns.RR{Name: "www"}}, "www 3600 CNAME kopasex.example.", held[:strings.LastIndex(held, "\n")]},
		{"delete in another case", "delete", []libdns.Record{libdns.CNAME{Name: "WWW", TTL: time.Hour, Target: "KOPASEX.example."}}, "www 3600 CNAME kopasex.example.", held[:strings.LastIndex(held, "\n")]},
		{"delete of the type alone, elsewhere", "delete", []libdns.Record{libdns.RR{Name: "no", Type: "A"}}, "", ""},
		{"delete of bad data", "delete", []libdns.Record{libdns.RR{Name: "@", Type: "A", Data: "x"}}, "error: @ A has the data", ""},
		{"delete of data without a type", "delete", []libdns.Record{libdns.RR{Name: "@", Data: "x"}}, "error: @ has data but no type", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, openState(t, t.TempDir()))
			_, err := p.SetRecords(t.Context(), zone, start)
			must(t, err)
			before, err := p.ReadZone(t.Context(), name(t, "kopasex.example"))
			must(t, err)
			do := map[string]op{"set": p.SetRecords, "append": p.AppendRecords, "delete": p.DeleteRecords}[test.op]
			gave, err := do(t.Context(), zone, test.input)
			if message, fails := strings.CutPrefix(test.gives, "error: "); fails {
				if err == nil || !strings.Contains(err.Error(), "zone kopasex.example") || !strings.Contains(err.Error(), message) {
					t.Errorf("gave %v, %v", gave, err)
				}
			} else if must(t, err); lines(gave) != test.gives {
				t.Errorf("gave\n%s\nwant\n%s", lines(gave), test.gives)
			}
			for _, rec := range gave {
				if _, opaque := rec.(libdns.RR); opaque {
					t.Errorf("%v is of no type of its own", rec)
				}
			}
			want := test.after
			if want == "" {
				want = held
			}
			recs, err := p.GetRecords(t.Context(), zone)
			must(t, err)
			if lines(recs) != want {
				t.Errorf("the zone holds\n%s\nwant\n%s", lines(recs), want)
			}
			after, err := p.ReadZone(t.Context(), name(t, "kopasex.example"))
			must(t, err)
			if changed := want != held; changed != (after.Serial != before.Serial) {
				t.Errorf("serial %d after %d", after.Serial, before.Serial)
			}
		})
	}
}

func TestZones(t *testing.T) {
	t.Parallel()
	p := newProvider(t, openState(t, t.TempDir()))
	if zones, err := p.ListZones(t.Context()); err != nil || len(zones) != 0 {
		t.Errorf("%v, %v", zones, err)
	}
	if _, err := p.GetRecords(t.Context(), zone); zoneio.KindOf(err) != zoneio.NoZone {
		t.Errorf("records of no zone: %v", err)
	}
	if gone, err := p.DeleteRecords(t.Context(), zone, []libdns.Record{libdns.RR{Name: "@"}}); err != nil || len(gone) > 0 {
		t.Errorf("deleting from no zone: %v, %v", gone, err)
	}
	for _, z := range []string{"köpasex.example.", "kopasex.example.", "DUAVGOR.example"} {
		_, err := p.AppendRecords(t.Context(), z, []libdns.Record{a("@", 60, "192.0.2.1")})
		must(t, err)
	}
	zones, err := p.ListZones(t.Context())
	must(t, err)
	if want := []libdns.Zone{{Name: "duavgor.example."}, {Name: "kopasex.example."}, {Name: "xn--kpasex-wxa.example."}}; !slices.Equal(zones, want) {
		t.Errorf("%v", zones)
	}
	if _, err := p.SetRecords(t.Context(), "example.", []libdns.Record{a("@", 60, "192.0.2.1")}); err == nil {
		t.Error("took a public suffix for a zone")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, listErr := p.ListZones(ctx)
	_, getErr := p.GetRecords(ctx, zone)
	_, setErr := p.SetRecords(ctx, zone, []libdns.Record{a("@", 60, "192.0.2.2")})
	_, deleteErr := p.DeleteRecords(ctx, zone, []libdns.Record{a("@", 60, "192.0.2.1")})
	for _, err := range []error{listErr, getErr, setErr, deleteErr} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("under a cancelled context: %v", err)
		}
	}
}

// TestAppendTogether appends from many sides: both outcomes of each two show.
func TestAppendTogether(t *testing.T) {
	t.Parallel()
	location := t.TempDir()
	first, second := newProvider(t, openState(t, location)), newProvider(t, openState(t, location))
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			p := first
			if i%2 == 1 {
				p = second
			}
			if _, err := p.AppendRecords(t.Context(), zone, []libdns.Record{txt("@", 60, fmt.Sprint(i))}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	recs, err := first.GetRecords(t.Context(), zone)
	must(t, err)
	if n := strings.Count(lines(recs), "TXT"); n != 20 {
		t.Errorf("%d of 20 records are there", n)
	}
}
