package lab

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

func TestNames(t *testing.T) {
	t.Parallel()
	registry, names, _ := startNet(t, provider(netip.MustParseAddrPort("127.0.0.1:5353")))
	unsigned := &dns.DS{KeyTag: 7, Algorithm: 13, DigestType: 2, Digest: "AB"}
	for _, err := range []error{
		registry.Unregister("fri.se"),
		registry.Hold("köpasex.nu"),
		registry.Delegate("utan.test"),
		registry.Delegate("egen.se", Nameserver{"ns.egen.se", netip.MustParseAddrPort("127.0.0.2:53")}),
		registry.SetDS("signerad.se", unsigned),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	referral := "ns1.domherre.example.; kopasex.se. NS ns2.domherre.example."
	tests := []struct {
		name   string
		qtype  uint16
		rcode  int
		aa     bool
		answer string
		ns     string
		extra  string
	}{
		{".", dns.TypeSOA, 0, true, ". SOA", "", ""},
		{".", dns.TypeNS, 0, true, ". NS a.root-servers.test.", "", "a.root-servers.test. A 127.0.0.1"},
		{"se.", dns.TypeNS, 0, true, "se. NS a.nic.se.", "", "a.nic.se. A 127.0.0.1"},
		{"se.", dns.TypeA, 0, true, "", "se. SOA", ""},
		{"se.", dns.TypeDS, 0, true, "", ". SOA", ""},
		{"com.", dns.TypeA, dns.RcodeNameError, true, "", ". SOA", ""},
		{"kopasex.se.", dns.TypeA, 0, false, "", "kopasex.se. NS " + referral, ""},
		{"WWW.KopaSex.se.", dns.TypeA, 0, false, "", "kopasex.se. NS " + referral, ""},
		{"kopasex.se.", dns.TypeDS, 0, true, "", "se. SOA", ""},
		{
			"a.example.", dns.TypeA, 0, false, "", "a.example. NS ns1.domherre.example.; a.example. NS ns2.domherre.example.",
			"ns1.domherre.example. A 127.0.0.1; ns2.domherre.example. A 127.0.0.1",
		},
		{"ns1.domherre.example.", dns.TypeA, 0, true, "ns1.domherre.example. A 127.0.0.1", "", ""},
		{"ns1.domherre.example.", dns.TypeAAAA, 0, true, "", "example. SOA", ""},
		{"domherre.example.", dns.TypeNS, 0, true, "", "example. SOA", ""},
		{"a.nic.nu.", dns.TypeA, 0, true, "a.nic.nu. A 127.0.0.1", "", ""},
		{"fri.se.", dns.TypeA, dns.RcodeNameError, true, "", "se. SOA", ""},
		{"www.fri.se.", dns.TypeA, dns.RcodeNameError, true, "", "se. SOA", ""},
		{"xn--kpasex-wxa.nu.", dns.TypeNS, dns.RcodeNameError, true, "", "nu. SOA", ""},
		{"utan.test.", dns.TypeNS, dns.RcodeNameError, true, "", "test. SOA", ""},
		{"egen.se.", dns.TypeA, 0, false, "", "egen.se. NS ns.egen.se.", "ns.egen.se. A 127.0.0.2"},
		{"signerad.se.", dns.TypeDS, 0, true, "signerad.se. DS 7 13 2 AB", "", ""},
		{"kopasex.se.", dns.TypeAXFR, dns.RcodeRefused, false, "", "", ""},
	}
	for _, network := range []string{"udp", "tcp"} {
		for _, tt := range tests {
			m := question(t, network, names.Addr(), tt.name, tt.qtype)
			extra := m.Extra[:0:0]
			for _, rr := range m.Extra {
				if rr.Header().Rrtype != dns.TypeOPT {
					extra = append(extra, rr)
				}
			}
			if m.Rcode != tt.rcode || m.Authoritative != tt.aa || m.RecursionAvailable ||
				texts(m.Answer) != tt.answer || texts(m.Ns) != tt.ns || texts(extra) != tt.extra {
				t.Errorf("%s %s %s: got\n%v", network, tt.name, dns.TypeToString[tt.qtype], m)
			}
		}
	}
}

func TestReferralWithDS(t *testing.T) {
	t.Parallel()
	registry, names, _ := startNet(t, provider(netip.MustParseAddrPort("127.0.0.1:5353")))
	if err := registry.SetDS("signerad.se", &dns.DS{KeyTag: 7, Algorithm: 13, DigestType: 2, Digest: "AB"}); err != nil {
		t.Fatal(err)
	}
	do := func(m *dns.Msg) { m.IsEdns0().SetDo() }
	if m := question(t, "udp", names.Addr(), "www.signerad.se.", dns.TypeA, do); len(m.Ns) != 3 || m.Ns[2].Header().Rrtype != dns.TypeDS {
		t.Errorf("no DS in the referral: %v", m)
	}
	if m := question(t, "udp", names.Addr(), "www.signerad.se.", dns.TypeA); len(m.Ns) != 2 {
		t.Errorf("a DS for one who didn't ask: %v", m)
	}
}

func TestRegistryRefuses(t *testing.T) {
	t.Parallel()
	registry, _, _ := startNet(t, nil)
	for _, name := range []string{"", "se", "www.kopasex.se", "kopasex.com", "a..se"} {
		if err := registry.Hold(name); err == nil {
			t.Errorf("%q passed for a second-level name", name)
		}
		if _, ok := registry.Lookup(name); ok {
			t.Errorf("%q is registered", name)
		}
	}
	for _, text := range []string{"", "ns1.example", "ns1.example=127.0.0.1", "=127.0.0.1:53", "a b=127.0.0.1:53"} {
		if ns, err := ParseNameserver(text); err == nil {
			t.Errorf("%q passed for a name server: %v", text, ns)
		}
	}
}

func TestRegistryOrders(t *testing.T) {
	t.Parallel()
	registry, _, _ := startNet(t, provider(netip.MustParseAddrPort("127.0.0.1:5353")))
	before := registry.Serial()
	if err := registry.Hold("Köpasex.se"); err != nil {
		t.Fatal(err)
	}
	if reg, ok := registry.Lookup("xn--kpasex-wxa.se."); !ok || !reg.Held() || registry.Serial() == before {
		t.Errorf("not held: %+v, serial %d after %d", reg, registry.Serial(), before)
	}
	if err := registry.Unregister("köpasex.se"); err != nil {
		t.Fatal(err)
	}
	if _, ok := registry.Lookup("köpasex.se"); ok {
		t.Error("still registered")
	}
	if err := registry.Register("köpasex.se"); err != nil {
		t.Fatal(err)
	}
	if reg, ok := registry.Lookup("köpasex.se"); !ok || reg.Held() || len(reg.Nameservers) != 2 {
		t.Errorf("not as at first: %+v", reg)
	}
}

func FuzzParseNameserver(f *testing.F) {
	f.Add("ns1.domherre.example=127.0.0.1:18053")
	f.Add("ns.köpasex.example=[::1]:53")
	f.Fuzz(func(t *testing.T, text string) {
		ns, err := ParseNameserver(text)
		if err == nil && (!dns.IsFqdn(ns.Name) || !ns.Addr.IsValid()) {
			t.Errorf("%q passed as %+v", text, ns)
		}
	})
}
