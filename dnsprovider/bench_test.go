package dnsprovider_test

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"domherre/dnsprovider"
	"domherre/dnsprovider/dnstest"
	"domherre/portfolio"
)

const benchZones = 1000

func benchDomains(b *testing.B) (domains []portfolio.Domain, zones []string) {
	b.Helper()
	for i := range benchZones {
		zone := fmt.Sprintf("b%04d.example", i)
		name, err := portfolio.ParseName(zone)
		if err != nil {
			b.Fatal(err)
		}
		zones = append(zones, zone)
		domains = append(domains, portfolio.Domain{Name: name})
	}
	return domains, zones
}

// each does something for every domain, sixteen at once.
func each(b *testing.B, domains []portfolio.Domain, do func(portfolio.Domain) error) {
	b.Helper()
	places := make(chan struct{}, 16)
	var wg sync.WaitGroup
	for _, d := range domains {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			if err := do(d); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
}

// BenchmarkServers measures a thousand zones at real servers: filling them with
// twelve RRsets each, reading them again unchanged, asking what is served.
func BenchmarkServers(b *testing.B) {
	domains, zones := benchDomains(b)
	for _, c := range []struct {
		name  string
		start func(testing.TB, ...string) *dnstest.Server
		typ   string
	}{
		{"knot", dnstest.StartKnot, "rfc2136"},
		{"bind", dnstest.StartBIND, "rfc2136"},
		{"powerdns", dnstest.StartPowerDNS, "powerdns"},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := c.start(b, zones...)
			settings := s.Settings()
			if c.typ == "powerdns" {
				settings = map[string]any{"server_url": s.API, "api_token": s.Token}
			}
			set, err := dnsprovider.Open([]dnsprovider.Config{{
				Name: "main", Type: c.typ, Settings: settings,
				Nameservers: []dnsprovider.Nameserver{{Name: "ns1.dnstest.example", Addr: netip.MustParseAddrPort(s.Addr)}},
			}}, dnsprovider.Deps{})
			if err != nil {
				b.Fatal(err)
			}
			round := 0
			b.Run("write", func(b *testing.B) {
				for b.Loop() {
					round++
					each(b, domains, func(d portfolio.Domain) error {
						z, err := set.Observe(b.Context(), d)
						if err != nil {
							return err
						}
						return set.Write(b.Context(), portfolio.Write{Domain: d, Observed: z, Steps: []portfolio.Step{{Set: benchSets(b, d, round)}}})
					})
				}
			})
			b.Run("observe", func(b *testing.B) {
				for b.Loop() {
					each(b, domains, func(d portfolio.Domain) error {
						_, err := set.Observe(b.Context(), d)
						return err
					})
				}
			})
			b.Run("verify", func(b *testing.B) {
				for b.Loop() {
					each(b, domains, func(d portfolio.Domain) error {
						if served := set.Verify(b.Context(), d, benchSets(b, d, round)); !served.All() {
							return fmt.Errorf("%s", served)
						}
						return nil
					})
				}
			})
		})
	}
}

func benchSets(b *testing.B, d portfolio.Domain, round int) []portfolio.RRset {
	b.Helper()
	var out []portfolio.RRset
	for i := range 12 {
		s, err := portfolio.NewRRset(d.Name, fmt.Sprintf("h%d", i), "A", 300, []string{fmt.Sprintf("192.0.2.%d", round%250+1)})
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}
