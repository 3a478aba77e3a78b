package embedded_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"domherre/dnsprovider/embedded"
)

// TestSettings changes the name servers and the contact: Sync brings zones in
// line, and the zones' own NS records stand.
func TestSettings(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	s, addr := serve(t, store)
	old, err := embedded.NewProvider(s.Store(), embedded.Options{})
	must(t, err)
	write(t, old, "kopasex.example", "@ A 192.0.2.1")
	write(t, old, "own.example", "@ NS ns.own.example.\nns A 192.0.2.1")
	nsOf := func(zone string) []string {
		t.Helper()
		var names []string
		for _, rr := range ask(t, addr, "tcp", question(zone, "NS")).Answer {
			names = append(names, rr.(*dns.NS).Ns)
		}
		slices.Sort(names)
		return names
	}
	if got := nsOf("kopasex.example."); !slices.Equal(got, []string{"no-nameservers-configured.invalid."}) {
		t.Errorf("without name servers: %q", got)
	}
	fresh, err := embedded.NewProvider(s.Store(), embedded.Options{
		Settings:    embedded.Settings{Contact: "anna.andersson@dns.example"},
		Nameservers: []embedded.Nameserver{{Name: "NS1.dns.example"}, {Name: "ns2.dns.example."}, {Name: "ns1.dns.example."}},
	})
	must(t, err)
	for want := 2; want >= 0; want -= 2 {
		if changed, err := fresh.Sync(t.Context()); err != nil || changed != want {
			t.Errorf("Sync = %d, %v; want %d", changed, err, want)
		}
	}
	if got := nsOf("kopasex.example."); !slices.Equal(got, []string{"ns1.dns.example.", "ns2.dns.example."}) {
		t.Errorf("%q", got)
	}
	if got := nsOf("own.example."); !slices.Equal(got, []string{"ns.own.example."}) {
		t.Errorf("the zone's own NS: %q", got)
	}
	soa := ask(t, addr, "udp", question("kopasex.example.", "SOA")).Answer[0].(*dns.SOA)
	if soa.Ns != "ns1.dns.example." || soa.Mbox != `anna\.andersson.dns.example.` {
		t.Errorf("%v", soa)
	}
	z, err := fresh.ReadZone(t.Context(), name(t, "kopasex.example"))
	must(t, err)
	if z.Serial != soa.Serial || len(z.RRsets) != 2 {
		t.Errorf("%+v", z)
	}
}

func TestSettingsCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		settings embedded.Settings
		faults   string
	}{
		{embedded.Settings{}, ""},
		{embedded.Settings{Contact: "dns@example.se", AllowTransfer: []string{"192.0.2.1", "2001:db8::/32", "::1"}}, ""},
		{embedded.Settings{Contact: "Anna <dns@example.se>"}, "contact"},
		{embedded.Settings{Contact: "example.se"}, "contact"},
		{embedded.Settings{Contact: "åsa@example.se"}, "contact"},
		{embedded.Settings{AllowTransfer: []string{"ns1.example.se"}}, "allow_transfer"},
		{embedded.Settings{AllowTransfer: []string{"192.0.2.1/33"}, Contact: "x"}, "allow_transfer contact"},
	} {
		var keys []string
		for key := range test.settings.Check() {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		if got := strings.Join(keys, " "); got != test.faults {
			t.Errorf("%+v: faults in %q; want %q", test.settings, got, test.faults)
		}
		if _, err := embedded.NewProvider(nil, embedded.Options{Settings: test.settings}); (err != nil) != (test.faults != "") {
			t.Errorf("%+v: %v", test.settings, err)
		}
	}
	for _, bad := range []string{"", "å.example", "a..b", "-.x y"} {
		if _, err := embedded.NewProvider(nil, embedded.Options{Nameservers: []embedded.Nameserver{{Name: bad}}}); err == nil {
			t.Errorf("took %q for a name server", bad)
		}
	}
}
