package powerdns_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"domherre/dnsprovider/dnstest"
	"domherre/dnsprovider/powerdns"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

func name(t *testing.T, s string) portfolio.Name {
	t.Helper()
	n, err := portfolio.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The server takes parameters in one spelling only, and not the usual one.
func TestServiceParameters(t *testing.T) {
	t.Parallel()
	s := dnstest.StartPowerDNS(t, "a.example")
	p, err := powerdns.New(powerdns.Settings{ServerURL: s.API, APIToken: s.Token}, powerdns.Options{})
	if err != nil {
		t.Fatal(err)
	}
	zone := name(t, "a.example")
	for _, data := range []string{
		`1 . alpn="h2,http/1.1" port="8443" ipv4hint="192.0.2.1,192.0.2.2" ipv6hint="2001:db8::1"`,
		`1 . alpn="h2" no-default-alpn=""`, `1 . mandatory="alpn,port" alpn="h2" port="1"`,
		`1 . alpn="h3" ech="AEX+DQBBzQAgACA="`, `1 . key65000="abc"`, `0 www.kopasex.se.`,
	} {
		for _, typ := range []string{"HTTPS", "SVCB"} {
			before, err := p.ReadZone(t.Context(), zone)
			if err != nil {
				t.Fatal(err)
			}
			want, err := portfolio.NewRRset(zone, "x", typ, 300, []string{data})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.WriteZone(t.Context(), zone.FQDN(), before, []portfolio.Step{{Set: []portfolio.RRset{want}}}); err != nil {
				t.Error(err)
				continue
			}
			after, err := p.ReadZone(t.Context(), zone)
			if got, _ := after.Find(want.Key()); err != nil || len(got.Data) != 1 || got.Data[0] != want.Data[0] {
				t.Errorf("%s comes back as %v, %v", want.Data, got.Data, err)
			}
		}
	}
}

// So it does of locations.
func TestLocations(t *testing.T) {
	t.Parallel()
	s := dnstest.StartPowerDNS(t, "a.example")
	p, err := powerdns.New(powerdns.Settings{ServerURL: s.API, APIToken: s.Token}, powerdns.Options{})
	if err != nil {
		t.Fatal(err)
	}
	zone := name(t, "a.example")
	for _, data := range []string{
		"59 19 57 N 18 4 12 E 10m", "33 51 24.5 S 151 12 3.25 W -12.34m 3m 200m 5000000m", "0 0 0 N 0 0 0 E 0m 0m 0m 0m",
	} {
		before, err := p.ReadZone(t.Context(), zone)
		if err != nil {
			t.Fatal(err)
		}
		want, err := portfolio.NewRRset(zone, "x", "LOC", 300, []string{data})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.WriteZone(t.Context(), zone.FQDN(), before, []portfolio.Step{{Set: []portfolio.RRset{want}}}); err != nil {
			t.Error(err)
			continue
		}
		after, err := p.ReadZone(t.Context(), zone)
		if got, _ := after.Find(want.Key()); err != nil || len(got.Data) != 1 || got.Data[0] != want.Data[0] {
			t.Errorf("%s comes back as %v, %v", want.Data, got.Data, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := dnstest.StartPowerDNS(t, "a.example")
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }))
	t.Cleanup(page.Close)
	for _, c := range []struct {
		settings powerdns.Settings
		zone     string
		kind     zoneio.Kind
		want     string
	}{
		{powerdns.Settings{ServerURL: s.API, APIToken: "hemlig"}, "a.example", zoneio.Credentials, "compare api_token"},
		{powerdns.Settings{ServerURL: "http://127.0.0.1:1", APIToken: "hemlig"}, "a.example", zoneio.Temporary, "check that the server runs"},
		{powerdns.Settings{ServerURL: page.URL, APIToken: "hemlig"}, "a.example", zoneio.Other, "compare server_url"},
		{powerdns.Settings{ServerURL: s.API, APIToken: s.Token}, "new.example", zoneio.NoZone, "write nameservers under the provider"},
	} {
		p, err := powerdns.New(c.settings, powerdns.Options{})
		if err != nil {
			t.Fatal(err)
		}
		zone := name(t, c.zone)
		set, _ := portfolio.NewRRset(zone, "@", "A", 300, []string{"192.0.2.1"})
		before, err := p.ReadZone(t.Context(), zone)
		if err == nil {
			err = p.WriteZone(t.Context(), zone.FQDN(), before, []portfolio.Step{{Set: []portfolio.RRset{set}}})
		}
		if err == nil || zoneio.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hemlig") {
			t.Errorf("%s: %v", c.want, err)
		}
	}
	for _, bad := range []string{"", "localhost:8081", "http://a@x", "http://x/api", "ftp://x"} {
		if _, err := powerdns.New(powerdns.Settings{ServerURL: bad}, powerdns.Options{}); err == nil {
			t.Errorf("the URL %q is taken", bad)
		}
	}
}
