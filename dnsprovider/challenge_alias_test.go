package dnsprovider

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"domherre/dnsprovider/dnstest"
	"domherre/portfolio"
)

// A challenge that is delegated by CNAME goes to where it leads: into a zone
// that isn't on the list, at another of our providers. That can be one below a
// registrable domain, which may delegate it or be somebody else's.
func TestChallengeDelegated(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		zone  string
		above string // the zone that delegates it; empty: not ours
	}{
		"a domain":              {zone: "challenges.example"},
		"below another's":       {zone: "acme.bydomain.example"},
		"delegated by our own":  {zone: "acme.bydomain.example", above: "bydomain.example"},
		"delegated from deeper": {zone: "a.acme.bydomain.example", above: "bydomain.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			knot := dnstest.StartKnot(t, test.zone)
			s, err := Open([]Config{{Name: "main", Type: "embedded"}, {Name: "challenges", Type: "rfc2136", Settings: knot.Settings(),
				Nameservers: []Nameserver{{Name: "ns1.example.net", Addr: netip.MustParseAddrPort(knot.Addr)}}}}, Deps{Store: dnstest.NewStore(),
				Provider: func(n portfolio.Name) (string, bool) { return "main", n.ASCII() == "kopasex.se" }})
			if err != nil {
				t.Fatal(err)
			}
			put(t, s, "main", "kopasex.se", "_acme-challenge", "CNAME", "kopasex."+test.zone+".")
			if test.above != "" {
				put(t, s, "main", test.above, strings.TrimSuffix(test.zone, "."+test.above), "NS", "ns1.elsewhere.example.")
			}
			const name = "_acme-challenge.kopasex.se."
			if err := s.Present(t.Context(), name, "proof"); err != nil {
				t.Fatal(err)
			}
			if err := s.Wait(t.Context(), name, "proof"); err != nil {
				t.Error(err)
			}
			if got := served(t, s, test.zone); !slices.Equal(got, []string{"proof"}) {
				t.Errorf("where the alias leads: %q", got)
			}
			if err := s.CleanUp(t.Context(), name, "proof"); err != nil {
				t.Fatal(err)
			}
			if got := served(t, s, test.zone); len(got) > 0 {
				t.Errorf("left behind: %q", got)
			}
		})
	}
}

// zoneOf gives a zone of ours, registrable or not.
func zoneOf(t *testing.T, name, provider string) portfolio.Domain {
	t.Helper()
	d := portfolio.Domain{Provider: provider}
	if err := d.Name.UnmarshalText([]byte(name)); err != nil {
		t.Fatal(err)
	}
	return d
}

// put makes a zone with one RRset.
func put(t *testing.T, s *Set, provider, zone, owner, kind, data string) {
	t.Helper()
	d := zoneOf(t, zone, provider)
	set := rrset(t, d, owner, kind, 60, data)
	err := s.Write(t.Context(), portfolio.Write{Domain: d,
		Observed: portfolio.Zone{Name: d.Name, Missing: true}, Steps: []portfolio.Step{{Set: []portfolio.RRset{set}}}})
	if err != nil {
		t.Fatal(err)
	}
}

// served gives the challenges in a zone.
func served(t *testing.T, s *Set, zone string) []string {
	t.Helper()
	z, err := s.ObserveFull(t.Context(), zoneOf(t, zone, "challenges"))
	if err != nil {
		t.Fatal(err)
	}
	set, _ := z.Find(portfolio.Key{Name: "kopasex", Type: "TXT"})
	return set.Data
}
