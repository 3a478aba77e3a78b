package byid

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/zoneio"
)

const zone = "kopasex.example"

// fake is a zone by ids, and what was done to it.
type fake struct {
	held []Record
	last int
	did  []string
}

func newFake(t *testing.T, lines ...string) *fake {
	f := new(fake)
	for _, line := range lines {
		f.last++
		f.held = append(f.held, Record{fmt.Sprint(f.last), record(t, line)})
	}
	return f
}

func record(t *testing.T, line string) dns.RR {
	t.Helper()
	rr, err := dns.NewRR("$ORIGIN " + zone + ".\n" + line)
	if err != nil {
		t.Fatal(err)
	}
	return rr
}

func (f *fake) Records(context.Context, string, []string) ([]Record, error) {
	return slices.Clone(f.held), nil
}

func (f *fake) Add(_ context.Context, _ string, rr dns.RR) error {
	f.last++
	f.held = append(f.held, Record{fmt.Sprint(f.last), rr})
	f.did = append(f.did, "add "+zoneio.Presentation(rr))
	return nil
}

func (f *fake) Change(_ context.Context, _ string, was Record, rr dns.RR) error {
	at := slices.IndexFunc(f.held, func(h Record) bool { return h.ID == was.ID })
	f.held[at].RR = rr
	f.did = append(f.did, fmt.Sprintf("change %s to %d %s", was.ID, rr.Header().Ttl, zoneio.Presentation(rr)))
	return nil
}

func (f *fake) Remove(_ context.Context, _ string, r Record) error {
	f.held = slices.DeleteFunc(f.held, func(h Record) bool { return h.ID == r.ID })
	f.did = append(f.did, "remove "+r.ID)
	return nil
}

func address(ttl int, data ...string) []libdns.Record {
	var out []libdns.Record
	for _, d := range data {
		out = append(out, libdns.RR{Name: "www", Type: "A", TTL: time.Duration(ttl) * time.Second, Data: d})
	}
	return out
}

// An RRset becomes what it shall be by the fewest changes; others stay.
func TestSet(t *testing.T) {
	t.Parallel()
	held := []string{"www 300 A 192.0.2.1", "www 300 A 192.0.2.2", "www 300 AAAA 2001:db8::1", "@ 300 A 192.0.2.1"}
	for _, c := range []struct {
		set  []libdns.Record
		want string
	}{
		{address(300, "192.0.2.2", "192.0.2.1"), ""},
		{address(300, "192.0.2.1"), "remove 2"},
		{address(300, "192.0.2.2", "192.0.2.3"), "change 1 to 300 192.0.2.3"},
		{address(60, "192.0.2.2", "192.0.2.1"), "change 2 to 60 192.0.2.2, change 1 to 60 192.0.2.1"},
		{address(60, "192.0.2.2", "192.0.2.9"), "change 2 to 60 192.0.2.2, change 1 to 60 192.0.2.9"},
		{address(300, "192.0.2.1", "192.0.2.2", "192.0.2.3"), "add 192.0.2.3"},
		{address(300, "192.0.2.3", "192.0.2.4", "192.0.2.5"), "change 1 to 300 192.0.2.3, change 2 to 300 192.0.2.4, add 192.0.2.5"},
		{address(300, "192.0.2.9"), "change 1 to 300 192.0.2.9, remove 2"},
	} {
		f := newFake(t, held...)
		for range 2 { // the second changes nothing
			if _, err := (Libdns{f}).SetRecords(t.Context(), zone+".", c.set); err != nil {
				t.Fatal(err)
			}
			if did := strings.Join(f.did, ", "); did != c.want {
				t.Errorf("%v does %q, not %q", c.set, did, c.want)
			}
		}
	}
}

// What is there already isn't added, and only what was meant is deleted, however
// it is spelt.
func TestAppendAndDelete(t *testing.T) {
	t.Parallel()
	f := newFake(t, "www 300 A 192.0.2.1", "www 300 AAAA 2001:db8::1", "a.www 300 A 192.0.2.1")
	l := Libdns{f}
	if _, err := l.AppendRecords(t.Context(), zone+".", address(60, "192.0.2.1", "192.0.2.2", "192.0.2.2")); err != nil {
		t.Fatal(err)
	}
	gone, err := l.DeleteRecords(t.Context(), zone+".", []libdns.Record{
		libdns.RR{Name: "WWW", Type: "AAAA", Data: "2001:DB8:0::1"}, libdns.RR{Name: "www", Type: "A", TTL: time.Hour},
	})
	if err != nil || len(gone) != 1 {
		t.Errorf("%v, %v", gone, err)
	}
	if did := strings.Join(f.did, ", "); did != "add 192.0.2.2, remove 2" {
		t.Error(did)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, data, want string }{
		{"CNAME", "www.example.net.", "www.example.net."},
		{"CNAME", "www", "www.kopasex.example."},
		{"MX", "10 mail", "10 mail.kopasex.example."},
		{"SRV", "1 2 3 sip.example.net.", "1 2 3 sip.example.net."},
		{"TXT", `v=spf1 "-all`, `"v=spf1 \"-all"`},
		{"TXT", `"v=DKIM1; " "p="`, `"v=DKIM1; p="`},
		{"TXT", `"`, `"\""`},
	} {
		rr, err := Parse(zone, "@", c.typ, 300, c.data)
		if err != nil || zoneio.Presentation(rr) != c.want {
			t.Errorf("%s %s is %v, %v", c.typ, c.data, rr, err)
		}
	}
	if rr, err := Parse(zone, "@", "URL", 300, "https://example.net"); rr != nil || err != nil {
		t.Errorf("a redirect is %v, %v", rr, err)
	}
	if _, err := Parse(zone, "@", "A", 300, "example.net"); err == nil {
		t.Error("an address that is none is taken")
	}
}

// A text comes back as it went, or is refused.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", `"`, `""`, `"in quotes"`, `\`, "åäö\t", "\x00\xff", strings.Repeat(`å"\;`, 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 60000 {
			return
		}
		rr, err := zoneio.ToRR(zone+".", libdns.TXT{Name: "@", TTL: time.Minute, Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if back, err := zoneio.Unquote(Quoted(rr.(*dns.TXT))); err != nil || back != text {
			t.Errorf("%q in quotes comes back as %q, %v", text, back, err)
		}
		sent, err := Text(rr.(*dns.TXT))
		var refusal *zoneio.Error
		if errors.As(err, &refusal) && refusal.Kind == zoneio.Unsupported {
			return
		}
		back, failure := Parse(zone, "@", "TXT", 60, sent)
		if err != nil || failure != nil || !dns.IsDuplicate(back, rr) {
			t.Errorf("%q comes back as %v, %v, %v", text, back, err, failure)
		}
	})
}
