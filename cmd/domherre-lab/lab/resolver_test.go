package lab

import (
	"crypto"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestResolver(t *testing.T) {
	t.Parallel()
	long := `"` + strings.Repeat("x", 250) + `" `
	a := startAuthority(t, []string{"kopasex.se.", "a.example.", "loop.test."},
		"kopasex.se. 60 IN A 127.0.0.1",
		"kopasex.se. 60 IN NS ns1.domherre.example.",
		"www.kopasex.se. 60 IN CNAME kopasex.se.",
		"far.kopasex.se. 60 IN CNAME www.a.example.",
		"nowhere.kopasex.se. 60 IN CNAME missing.a.example.",
		"www.a.example. 60 IN A 127.0.0.2",
		"big.kopasex.se. 60 IN TXT "+strings.Repeat(long, 6),
		"one.loop.test. 60 IN CNAME two.loop.test.",
		"two.loop.test. 60 IN CNAME one.loop.test.",
	)
	registry, _, resolver := startNet(t, provider(a.addr))
	if err := registry.Unregister("fri.se"); err != nil {
		t.Fatal(err)
	}
	dead := Nameserver{"ns.stumm.example", netip.MustParseAddrPort("127.0.0.1:1")}
	if err := registry.Delegate("stum.se", dead); err != nil {
		t.Fatal(err)
	}
	if err := registry.Delegate("halv.se", append([]Nameserver{dead}, provider(a.addr)...)...); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		qtype  uint16
		rcode  int
		answer string
		ns     string
	}{
		{"kopasex.se.", dns.TypeA, 0, "kopasex.se. A 127.0.0.1", ""},
		{"KOPASEX.se.", dns.TypeA, 0, "kopasex.se. A 127.0.0.1", ""},
		{"kopasex.se.", dns.TypeNS, 0, "kopasex.se. NS ns1.domherre.example.", ""},
		{"kopasex.se.", dns.TypeAAAA, 0, "", "kopasex.se. SOA"},
		{"no.kopasex.se.", dns.TypeA, dns.RcodeNameError, "", "kopasex.se. SOA"},
		{"www.kopasex.se.", dns.TypeA, 0, "www.kopasex.se. CNAME kopasex.se.; kopasex.se. A 127.0.0.1", ""},
		{"www.kopasex.se.", dns.TypeCNAME, 0, "www.kopasex.se. CNAME kopasex.se.", ""},
		{"far.kopasex.se.", dns.TypeA, 0, "far.kopasex.se. CNAME www.a.example.; www.a.example. A 127.0.0.2", ""},
		{"far.kopasex.se.", dns.TypeAAAA, 0, "far.kopasex.se. CNAME www.a.example.", "a.example. SOA"},
		{"nowhere.kopasex.se.", dns.TypeA, dns.RcodeNameError, "nowhere.kopasex.se. CNAME missing.a.example.", "a.example. SOA"},
		{"one.loop.test.", dns.TypeA, dns.RcodeServerFailure, "", ""},
		{"fri.se.", dns.TypeA, dns.RcodeNameError, "", "se. SOA"},
		{"stum.se.", dns.TypeA, dns.RcodeServerFailure, "", ""},
		{"halv.se.", dns.TypeA, dns.RcodeServerFailure, "", ""}, // its servers don't have it
		{"com.", dns.TypeA, dns.RcodeNameError, "", ". SOA"},
		{"ns1.domherre.example.", dns.TypeA, 0, "ns1.domherre.example. A 127.0.0.1", ""},
	}
	for _, network := range []string{"udp", "tcp"} {
		for _, tt := range tests {
			m := question(t, network, resolver.Addr(), tt.name, tt.qtype)
			if m.Rcode != tt.rcode || texts(m.Answer) != tt.answer || texts(m.Ns) != tt.ns ||
				!m.RecursionAvailable || m.AuthenticatedData {
				t.Errorf("%s %s %s: got\n%v", network, tt.name, dns.TypeToString[tt.qtype], m)
			}
		}
	}
	if m := question(t, "udp", resolver.Addr(), "big.kopasex.se.", dns.TypeTXT); !m.Truncated {
		t.Errorf("1,500 octets in one datagram: %v", m)
	}
	if m := question(t, "tcp", resolver.Addr(), "big.kopasex.se.", dns.TypeTXT); len(m.Answer) != 1 {
		t.Errorf("nothing by TCP: %v", m)
	}
}

// A change at the registry or the provider shows in the next answer.
func TestResolverKeepsNothing(t *testing.T) {
	t.Parallel()
	one := startAuthority(t, []string{"kopasex.se."}, "kopasex.se. 3600 IN A 127.0.0.1")
	two := startAuthority(t, []string{"kopasex.se."}, "kopasex.se. 3600 IN A 127.0.0.2")
	registry, _, resolver := startNet(t, provider(one.addr))
	ask := func() string { return texts(question(t, "udp", resolver.Addr(), "kopasex.se.", dns.TypeA).Answer) }
	if got := ask(); got != "kopasex.se. A 127.0.0.1" {
		t.Fatalf("got %q", got)
	}
	if err := registry.Delegate("kopasex.se", Nameserver{"ns.parking.example", two.addr}); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != "kopasex.se. A 127.0.0.2" {
		t.Errorf("after the move: %q", got)
	}
	if err := registry.Hold("kopasex.se"); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != "" {
		t.Errorf("on hold: %q", got)
	}
}

func TestResolverBogus(t *testing.T) {
	t.Parallel()
	key := &dns.DNSKEY{
		Hdr:   dns.RR_Header{Name: "signerad.se.", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 60},
		Flags: dns.SEP | dns.ZONE, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
	}
	if _, err := key.Generate(256); err != nil {
		t.Fatal(err)
	}
	a := startAuthority(t, []string{"signerad.se."}, "signerad.se. 60 IN A 127.0.0.1", key.String())
	registry, _, resolver := startNet(t, provider(a.addr))
	good := key.ToDS(dns.SHA256)
	bad := &dns.DS{KeyTag: good.KeyTag, Algorithm: good.Algorithm, DigestType: good.DigestType, Digest: strings.Repeat("00", crypto.SHA256.Size())}
	checked := func(*dns.Msg) {}
	unchecked := func(m *dns.Msg) { m.CheckingDisabled = true }
	for _, tt := range []struct {
		name  string
		ds    []*dns.DS
		how   func(*dns.Msg)
		rcode int
	}{
		{"unsigned", nil, checked, dns.RcodeSuccess},
		{"fits", []*dns.DS{bad, good}, checked, dns.RcodeSuccess},
		{"bogus", []*dns.DS{bad}, checked, dns.RcodeServerFailure},
		{"bogus, unchecked", []*dns.DS{bad}, unchecked, dns.RcodeSuccess},
	} {
		if err := registry.SetDS("signerad.se", tt.ds...); err != nil {
			t.Fatal(err)
		}
		m := question(t, "udp", resolver.Addr(), "signerad.se.", dns.TypeA, tt.how)
		if m.Rcode != tt.rcode {
			t.Errorf("%s: %v", tt.name, m)
		}
		if m.Rcode == dns.RcodeServerFailure {
			ede, ok := m.IsEdns0().Option[0].(*dns.EDNS0_EDE)
			if !ok || ede.InfoCode != dns.ExtendedErrorCodeDNSKEYMissing {
				t.Errorf("%s: no extended error: %v", tt.name, m)
			}
		}
	}
}

func TestRootThatIsGone(t *testing.T) {
	t.Parallel()
	resolver, err := StartResolver(ResolverOptions{Listen: "127.0.0.1:0", Root: netip.MustParseAddrPort("127.0.0.1:1")})
	if err != nil {
		t.Fatal(err)
	}
	defer resolver.Close()
	if m := question(t, "udp", resolver.Addr(), "kopasex.se.", dns.TypeA); m.Rcode != dns.RcodeServerFailure {
		t.Errorf("got %v", m)
	}
}
