package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// lines gives records in one comparable form, without those at the apex that
// zones start with.
func (z *zone) lines(recs []libdns.Record) []string {
	z.t.Helper()
	sets, err := zoneio.RRsets(z.name(), recs)
	if err != nil {
		z.t.Fatal(err)
	}
	var out []string
	for _, s := range slices.DeleteFunc(sets, isApexNS) {
		for _, d := range s.Data {
			out = append(out, strings.Join([]string{s.Name, (time.Duration(s.TTL) * time.Second).String(), s.Type, d}, " "))
		}
	}
	return out
}

// has demands what GetRecords gives.
func (z *zone) has(want ...string) {
	z.t.Helper()
	recs, err := z.Records.GetRecords(z.ctx(), z.name().FQDN())
	z.do(err)
	for _, rec := range recs {
		if name := rec.RR().Name; name == "" || strings.HasSuffix(name, ".") {
			z.t.Errorf("the name %q isn't relative to the zone", name)
		}
	}
	if got := z.lines(recs); !slices.Equal(got, want) {
		z.t.Errorf("the zone has\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// gave demands what a call returned.
func (z *zone) gave(recs []libdns.Record, err error) func(want ...string) {
	z.t.Helper()
	z.do(err)
	return func(want ...string) {
		z.t.Helper()
		if got := z.lines(recs); !slices.Equal(got, want) {
			z.t.Errorf("the call gave\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

const minute = time.Minute

func testLibdns(t *testing.T, z *zone) {
	if z.Records == nil {
		return
	}
	ctx, fqdn := z.ctx(), z.name().FQDN()
	txt := func(text string) libdns.TXT { return libdns.TXT{Name: "www", TTL: minute, Text: text} }

	z.gave(z.Records.AppendRecords(ctx, fqdn, []libdns.Record{txt(`one "two" \three; åäö`), txt("second")}))(
		`www 1m0s TXT one "two" \\three; åäö`, "www 1m0s TXT second")
	z.gave(z.Records.AppendRecords(ctx, fqdn, []libdns.Record{libdns.RR{Name: "@", TTL: minute, Type: "A", Data: "192.0.2.1"}}))(
		"@ 1m0s A 192.0.2.1")
	z.has("@ 1m0s A 192.0.2.1", `www 1m0s TXT one "two" \\three; åäö`, "www 1m0s TXT second")

	z.gave(z.Records.SetRecords(ctx, fqdn, []libdns.Record{txt("third"), libdns.ServiceBinding{
		Scheme: "https", Name: "@", TTL: minute, Priority: 1, Target: ".", Params: libdns.SvcParams{"alpn": {"h2", "http/1.1"}},
	}}))(`@ 1m0s HTTPS 1 . alpn="h2,http/1.1"`, "www 1m0s TXT third")
	z.has("@ 1m0s A 192.0.2.1", `@ 1m0s HTTPS 1 . alpn="h2,http/1.1"`, "www 1m0s TXT third")

	if _, err := z.Records.AppendRecords(ctx, fqdn, []libdns.Record{libdns.CNAME{Name: "www", TTL: minute, Target: "kopasex.se."}}); err == nil {
		t.Error("a CNAME beside a TXT is taken without an error")
	}
	z.gave(z.Records.SetRecords(ctx, fqdn, []libdns.Record{libdns.CNAME{Name: "alias", TTL: minute, Target: "kopasex.se"}}))(
		"alias 1m0s CNAME kopasex.se.")
	if _, err := z.Records.SetRecords(ctx, fqdn, []libdns.Record{libdns.TXT{Name: "alias", TTL: minute, Text: "beside"}}); err == nil {
		t.Error("a TXT beside a CNAME is taken without an error")
	}
	z.has("@ 1m0s A 192.0.2.1", `@ 1m0s HTTPS 1 . alpn="h2,http/1.1"`, "alias 1m0s CNAME kopasex.se.", "www 1m0s TXT third")
}

func testLibdnsDeletes(t *testing.T, z *zone) {
	if z.Records == nil {
		return
	}
	ctx, fqdn := z.ctx(), z.name().FQDN()
	z.puts(z.set("www", "A", 60, "192.0.2.1", "192.0.2.2"), z.set("www", "TXT", 60, "one", "two"), z.set("mail", "A", 60, "192.0.2.1"))
	remove := func(rec libdns.Record, want ...string) {
		t.Helper()
		z.gave(z.Records.DeleteRecords(ctx, fqdn, []libdns.Record{rec}))(want...)
	}
	remove(libdns.RR{Name: "www", TTL: minute, Type: "A", Data: "192.0.2.9"})
	remove(libdns.RR{Name: "www", TTL: 2 * minute, Type: "A", Data: "192.0.2.1"})
	remove(libdns.RR{Name: "nothing", TTL: minute, Type: "A", Data: "192.0.2.1"})
	remove(libdns.RR{Name: "www", TTL: minute, Type: "A", Data: "192.0.2.1"}, "www 1m0s A 192.0.2.1")
	remove(libdns.TXT{Name: "www", Text: "two"}, "www 1m0s TXT two")
	z.has("mail 1m0s A 192.0.2.1", "www 1m0s A 192.0.2.2", "www 1m0s TXT one")
	remove(libdns.RR{Name: "www"}, "www 1m0s A 192.0.2.2", "www 1m0s TXT one")
	z.has("mail 1m0s A 192.0.2.1")
	z.holds(portfolio.RRset(z.set("mail", "A", 60, "192.0.2.1")))
}
