// Package libdnstest_test holds our implementations of the libdns interfaces to
// libdns' own conformance suite.
package libdnstest_test

import (
	"testing"

	"github.com/libdns/libdns"
	"github.com/libdns/libdns/libdnstest"

	"domherre/dnsprovider/dnstest"
	"domherre/dnsprovider/embedded"
	"domherre/dnsprovider/powerdns"
	"domherre/dnsprovider/rfc2136"
)

const zone = "c00.example"

// run runs the suite, but for some types.
func run(t *testing.T, p libdnstest.Provider, without ...string) {
	t.Helper()
	suite := libdnstest.NewTestSuite(p, zone+".")
	suite.SkipRRTypes = map[string]bool{}
	for _, typ := range without {
		suite.SkipRRTypes[typ] = true
	}
	suite.RunTests(t)
}

// PowerDNS 4.7 doesn't find a service binding by its data in an update where it
// has a target. (Zones are written by whole RRsets, which it finds.)
var cannot = map[string][]string{"powerdns": {"HTTPS", "SVCB"}}

func TestRFC2136(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB, ...string) *dnstest.Server{
		"knot": dnstest.StartKnot, "bind": dnstest.StartBIND, "powerdns": dnstest.StartPowerDNS,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, zone)
			p, err := rfc2136.New(rfc2136.Settings{Server: s.Addr, KeyName: s.KeyName, KeyAlg: s.KeyAlg, Key: s.Key}, nil)
			if err != nil {
				t.Fatal(err)
			}
			run(t, libdnstest.WrapNoZoneLister(p), cannot[name]...)
		})
	}
}

func TestPowerDNS(t *testing.T) {
	t.Parallel()
	s := dnstest.StartPowerDNS(t, zone)
	p, err := powerdns.New(powerdns.Settings{ServerURL: s.API, APIToken: s.Token}, powerdns.Options{Nameservers: []string{dnstest.NameServer}})
	if err != nil {
		t.Fatal(err)
	}
	run(t, p)
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	p, err := embedded.NewProvider(dnstest.NewStore(), embedded.Options{Nameservers: []embedded.Nameserver{{Name: dnstest.NameServer}}})
	if err != nil {
		t.Fatal(err)
	}
	recs := []libdns.Record{libdns.TXT{Name: "new", TTL: 60, Text: "new"}}
	if _, err := p.AppendRecords(t.Context(), zone+".", recs); err != nil {
		t.Fatal(err)
	}
	run(t, p)
}
