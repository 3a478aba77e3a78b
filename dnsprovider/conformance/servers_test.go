package conformance_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"

	"github.com/libdns/libdns"

	"domherre/dnsprovider"
	"domherre/dnsprovider/conformance"
	"domherre/dnsprovider/dnstest"
	"domherre/dnsprovider/embedded"
	"domherre/dnsprovider/powerdns"
	"domherre/dnsprovider/rfc2136"
	"domherre/portfolio"
)

const (
	idn     = "xn--kpasex-wxa.example"
	missing = "missing.example"
)

func zones() []string {
	var out []string
	for i := range 20 {
		out = append(out, fmt.Sprintf("c%02d.example", i))
	}
	return out
}

// open opens a Set of one provider that is served at addr.
func open(t *testing.T, cfg dnsprovider.Config, addr string, d dnsprovider.Deps) *dnsprovider.Set {
	t.Helper()
	cfg.Name = "main"
	cfg.Nameservers = []dnsprovider.Nameserver{{Name: "ns1.dnstest.example", Addr: netip.MustParseAddrPort(addr)}}
	set, err := dnsprovider.Open([]dnsprovider.Config{cfg}, d)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestRFC2136(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB, ...string) *dnstest.Server{
		"knot": dnstest.StartKnot, "bind": dnstest.StartBIND, "powerdns": dnstest.StartPowerDNS,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, append(zones(), idn)...)
			records, err := rfc2136.New(rfc2136.Settings{Server: s.Addr, KeyName: s.KeyName, KeyAlg: s.KeyAlg, Key: s.Key}, nil)
			if err != nil {
				t.Fatal(err)
			}
			conformance.Run(t, conformance.Subject{
				Provider: open(t, dnsprovider.Config{Type: "rfc2136", Settings: s.Settings()}, s.Addr, dnsprovider.Deps{}),
				Records:  records, Zones: zones(), IDN: idn, Missing: missing,
				OneCase: name == "powerdns",
			})
		})
	}
}

func TestPowerDNS(t *testing.T) {
	t.Parallel()
	s := dnstest.StartPowerDNS(t, append(zones(), idn)...)
	records, err := powerdns.New(powerdns.Settings{ServerURL: s.API, APIToken: s.Token}, powerdns.Options{Nameservers: []string{dnstest.NameServer}})
	if err != nil {
		t.Fatal(err)
	}
	conformance.Run(t, conformance.Subject{
		Provider: open(t, dnsprovider.Config{Type: "powerdns", Settings: map[string]any{"server_url": s.API, "api_token": s.Token}}, s.Addr, dnsprovider.Deps{}),
		Records:  records, Zones: zones(), IDN: idn, Missing: missing, Creates: true,
	})
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	server, addr := serve(t)
	store := server.Store()
	records, err := embedded.NewProvider(store, embedded.Options{Nameservers: []embedded.Nameserver{{Name: dnstest.NameServer}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, zone := range append(zones(), idn) {
		create(t, records, zone)
	}
	conformance.Run(t, conformance.Subject{
		Provider: open(t, dnsprovider.Config{Type: "embedded"}, addr, dnsprovider.Deps{Store: store}),
		Records:  records, Zones: zones(), IDN: idn, Missing: missing, Creates: true,
	})
}

// serve starts an embedded server over an empty store.
func serve(t *testing.T) (server *embedded.Server, addr string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	server, err := embedded.NewServer(ctx, dnstest.NewStore(), embedded.ServerOptions{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	udp, tcp, err := embedded.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(ctx, udp, tcp); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return server, tcp.Addr().String()
}

// create makes a zone without records of its own.
func create(t *testing.T, p *embedded.Provider, zone string) {
	t.Helper()
	name, err := portfolio.ParseName(zone)
	if err != nil {
		t.Fatal(err)
	}
	recs, err := p.AppendRecords(t.Context(), name.FQDN(), []libdns.Record{libdns.TXT{Name: "new", TTL: 60, Text: "new"}})
	if err == nil {
		_, err = p.DeleteRecords(t.Context(), name.FQDN(), recs)
	}
	if err != nil {
		t.Fatal(err)
	}
}
