package zoneio

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/portfolio"
)

func TestRelativeName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fqdn, zone, want string
		ok               bool
	}{
		{"www.duavgor.se.", "duavgor.se.", "www", true},
		{"WWW.Duavgor.SE", "duavgor.se.", "www", true},
		{"duavgor.se", "duavgor.se.", "@", true},
		{"a.b.duavgor.se.", "duavgor.se", "a.b", true},
		{"notduavgor.se.", "duavgor.se.", "", false},
		{"duavgor.se.example.", "duavgor.se.", "", false},
		{"se.", "duavgor.se.", "", false},
	} {
		got, ok := RelativeName(c.fqdn, c.zone)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s in %s is %q, %v", c.fqdn, c.zone, got, ok)
		}
		if ok && AbsoluteName(got, c.zone) != dns.CanonicalName(c.fqdn) {
			t.Errorf("%s in %s comes back as %s", c.fqdn, c.zone, AbsoluteName(got, c.zone))
		}
	}
}

func zone(t testing.TB) portfolio.Name {
	t.Helper()
	n, err := portfolio.ParseName("köpasex.example")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Every value comes back as it went, by libdns' own type where there is one.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	z := zone(t)
	for _, c := range []struct{ owner, typ, data, as string }{
		{"@", "A", "192.0.2.1", "libdns.Address"},
		{"*", "AAAA", "2001:db8::1", "libdns.Address"},
		{"www", "CNAME", "www.xn--duavgr-0xa.se.", "libdns.CNAME"},
		{"@", "MX", "0 .", "libdns.MX"},
		{"sub", "NS", "ns1.kopasex.se.", "libdns.NS"},
		{"_sip._tcp", "SRV", "1 2 3 sip.kopasex.se.", "libdns.SRV"},
		{"sip", "SRV", "1 2 3 sip.kopasex.se.", "libdns.RR"}, // libdns.SRV has no room for such a name
		{"@", "CAA", `0 issue ";"`, "libdns.CAA"},
		{"@", "CAA", `128 issue "ca.example; accounturi=https://ca.example/1"`, "libdns.CAA"},
		{"@", "HTTPS", `1 . alpn="h2,http/1.1"`, "libdns.ServiceBinding"},
		{"@", "HTTPS", "0 www.kopasex.se.", "libdns.ServiceBinding"},
		{"@", "HTTPS", `1 . alpn="h2" port="8443" ipv4hint="192.0.2.1,192.0.2.2"`, "libdns.ServiceBinding"},
		{"svc", "SVCB", `1 svc.kopasex.se. port="8443"`, "libdns.RR"},
		{"_443._tcp", "TLSA", "3 1 1 " + strings.Repeat("ab", 32), "libdns.RR"},
		{"x", "TYPE65280", `\# 3 010203`, "libdns.RR"},
		{"@", "TXT", "v=spf1 -all", "libdns.TXT"},
		{"@", "TXT", `quote " backslash \\ semicolon ; åäö \000\255`, "libdns.TXT"},
		{"@", "TXT", strings.Repeat("å", 400), "libdns.TXT"},
		{"@", "TXT", `\"starts with a quote`, "libdns.TXT"},
		{"@", "TXT", "", "libdns.TXT"},
	} {
		set, err := portfolio.NewRRset(z, c.owner, c.typ, 300, []string{c.data})
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		recs, err := Records(z, set)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		if as := fmt.Sprintf("%T", recs[0]); as != c.as {
			t.Errorf("%s %s %s is a %s, not a %s", c.owner, c.typ, c.data, as, c.as)
		}
		for range 5 { // the parameters' order changes from call to call
			back, err := RRsets(z, recs)
			if err != nil || len(back) != 1 || fmt.Sprint(back[0]) != fmt.Sprint(set) {
				t.Fatalf("%v comes back as %v, %v", set, back, err)
			}
		}
	}
}

func TestToRR(t *testing.T) {
	t.Parallel()
	z := zone(t)
	for _, c := range []struct {
		rec  libdns.Record
		want string
	}{
		{libdns.RR{Name: "@", Type: "CNAME", TTL: time.Minute, Data: "www.kopasex.se"}, "www.kopasex.se."},
		{libdns.RR{Name: "", Type: "a", TTL: time.Minute, Data: "192.0.2.1"}, "192.0.2.1"},
		{libdns.RR{Name: "www." + z.FQDN(), Type: "A", TTL: 1500 * time.Millisecond, Data: "192.0.2.1"}, "\t1\tIN"},
		{libdns.RR{Name: "@", Type: "ALIAS", Data: "x."}, "no DNS type"},
		{libdns.RR{Name: "@", Type: "A", Data: "192.0.2.1\n@ 1 IN A 192.0.2.2"}, "more than one line"},
		{libdns.RR{Name: "@", Type: "A", Data: "192.0.2.1.5"}, "can't be read"},
		{libdns.RR{Name: "@", Type: "A", Data: "; a comment"}, "A"},
	} {
		rr, err := ToRR(z.FQDN(), c.rec)
		if got := fmt.Sprint(rr, err); !strings.Contains(got, c.want) {
			t.Errorf("%+v: %s", c.rec, got)
		}
	}
	// The providers' own types are not looked at; what lies outside is an error.
	sets, err := RRsets(z, []libdns.Record{libdns.RR{Name: "@", Type: "REDIRECT", Data: "x"}, libdns.RR{Name: "@", Type: "A", Data: "192.0.2.1"}})
	if err != nil || len(sets) != 1 {
		t.Errorf("%v, %v", sets, err)
	}
	if _, err := RRsets(z, []libdns.Record{libdns.RR{Name: "www.other.example.", Type: "A", Data: "192.0.2.1"}}); err == nil {
		t.Error("a record of another zone is taken")
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want Kind
	}{
		{errors.New("x"), Other},
		{As(NoZone, errors.New("x")), NoZone},
		{fmt.Errorf("wrapped: %w", As(Credentials, errors.New("x"))), Credentials},
		{fmt.Errorf("wrapped: %w", &net.OpError{Op: "dial", Err: errors.New("refused")}), Temporary},
		{fmt.Errorf("wrapped: %w", io.EOF), Temporary},
		{&Error{Kind: Temporary, RetryAfter: time.Second, Err: errors.New("x")}, Temporary},
	} {
		if got := KindOf(c.err); got != c.want {
			t.Errorf("%v is of kind %d, not %d", c.err, got, c.want)
		}
	}
	if As(Temporary, nil) != nil {
		t.Error("no error has become one")
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", `"`, `\`, "\x00\xff", strings.Repeat(`å"\;`, 100)} {
		f.Add(s)
	}
	z := zone(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 60000 {
			return
		}
		rr, err := ToRR(z.FQDN(), libdns.TXT{Name: "@", TTL: time.Minute, Text: text})
		if err != nil {
			t.Fatal(err)
		}
		wire := make([]byte, 65535)
		n, err := dns.PackRR(rr, wire, 0, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		rr, _, err = dns.UnpackRR(wire[:n], 0)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := FromRR(z.FQDN(), rr)
		if txt, ok := rec.(libdns.TXT); err != nil || !ok || txt.Text != text {
			t.Errorf("%q comes back as %v, %v", text, rec, err)
		}
	})
}

func FuzzToRR(f *testing.F) {
	f.Add("www", "A", "192.0.2.1")
	f.Add("@", "HTTPS", `1 . alpn="h2"`)
	f.Add("@", "CAA", `0 issue ";"`)
	f.Add("@", "TYPE65280", `\# 1 00`)
	f.Add("@", "MX", "10 $ORIGIN")
	z := zone(f)
	f.Fuzz(func(t *testing.T, name, typ, data string) {
		rr, err := ToRR(z.FQDN(), libdns.RR{Name: name, Type: typ, TTL: time.Minute, Data: data})
		if err != nil || rr == nil {
			return
		}
		rec, err := FromRR(z.FQDN(), rr)
		if err != nil {
			return // outside the zone
		}
		back, err := ToRR(z.FQDN(), rec)
		if err == nil && !dns.IsDuplicate(rr, back) {
			t.Errorf("%v comes back as %v", rr, back)
		}
	})
}
