package portfolio

import (
	"net"
	"reflect"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// checkFixpoint wants that a canonical RRset stays what it is: as input, as
// records, over the wire.
func checkFixpoint(t *testing.T, zone Name, s RRset) {
	t.Helper()
	again, err := NewRRset(zone, s.Name, s.Type, s.TTL, s.Data)
	if err != nil || !reflect.DeepEqual(again, s) {
		t.Fatalf("%#v as input gives %#v, %v", s, again, err)
	}
	rrs, err := s.Records(zone)
	if err != nil {
		t.Fatalf("%#v: %v", s, err)
	}
	if back, err := RRsetsOf(zone, rrs); err != nil || !reflect.DeepEqual(back, []RRset{s}) {
		t.Fatalf("%#v as records gives %#v, %v", s, back, err)
	}
	if s.Type == "CAA" || s.Type == "URI" {
		return // miekg/dns v1.1 loses the backslashes of these when it unpacks them
	}
	var wired []dns.RR
	for _, rr := range rrs {
		buf := make([]byte, 1<<17)
		n, err := dns.PackRR(rr, buf, 0, nil, false)
		if err != nil {
			t.Fatalf("%#v: %v", s, err)
		}
		rr, _, err = dns.UnpackRR(buf[:n], 0)
		if err != nil {
			t.Fatalf("%#v: %v", s, err)
		}
		wired = append(wired, rr)
	}
	if back, err := RRsetsOf(zone, wired); err != nil || !reflect.DeepEqual(back, []RRset{s}) {
		t.Fatalf("%#v over the wire gives %#v, %v", s, back, err)
	}
}

func TestLongTexts(t *testing.T) {
	t.Parallel()
	zone := parsedName(t, "kopasex.se")
	for name, text := range map[string]string{
		"255":           strings.Repeat("a", 255),
		"256":           strings.Repeat("a", 256),
		"65000":         strings.Repeat("a", 65000),
		"quotes":        strings.Repeat(`\"`, 1) + strings.Repeat(`"`, 600),
		"backslashes":   strings.Repeat(`\\`, 600),
		"semicolons":    strings.Repeat("; ", 600),
		"across a cut":  strings.Repeat("a", 254) + strings.Repeat("å", 400),
		"octets":        strings.Repeat(`\255\000`, 600),
		"a bit of each": strings.Repeat(`a"\\;å\007 `, 200),
	} {
		s, err := NewRRset(zone, "@", "TXT", 300, []string{text})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Data[0] != text {
			t.Errorf("%s: got %.80q, want %.80q", name, s.Data[0], text)
		}
		checkFixpoint(t, zone, s)
		rrs, err := s.Records(zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, chunk := range rrs[0].(*dns.TXT).Txt {
			octets, f := unescape(nil, chunk)
			if f != nil || len(octets) > 255 {
				t.Errorf("%s: a chunk of %d octets, %v", name, len(octets), f)
			}
		}
		// as a zone file writes it
		quoted := strings.TrimPrefix(rrs[0].String(), rrs[0].Header().String())
		if again, err := NewRRset(zone, "@", "TXT", 300, []string{quoted}); err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%s: zone-file form gives %v", name, err)
		}
	}
}

func TestRRsetsOf(t *testing.T) {
	t.Parallel()
	zone := parsedName(t, "köpasex.se")
	zp := dns.NewZoneParser(strings.NewReader(`
$ORIGIN XN--kpasex-WXA.se.
$TTL 1h
@ SOA ns1.example. hostmaster.example. 1 2 3 4 5
@ NS NS2.example.
@ 300 NS ns1.example.
@ DNSKEY 257 3 13 oJMRESz5E4gYzS/q6XDrvU1qMPYIjCWzJaOau8XNEZeqCYKD5ar0IRd8KqXXFJkqmVfRvMGPmM1x8fGAa2XhSA==
@ CDS 0 0 0 00
@ RRSIG A 13 2 300 20300101000000 20200101000000 1 @ AAAA
www NSEC @ A
www A 192.0.2.11
WWW A 192.0.2.10
www A 192.0.2.10
@ TXT "v=spf1" " -all"
@ TXT "åäö"
*.lab CNAME @
a\.b TYPE65280 \# 1 00
`), "", "")
	var rrs []dns.RR
	for rr, ok := zp.Next(); ok; rr, ok = zp.Next() {
		rrs = append(rrs, rr)
	}
	if err := zp.Err(); err != nil {
		t.Fatal(err)
	}
	got, err := RRsetsOf(zone, rrs)
	want := []RRset{
		{"@", "NS", 300, []string{"ns1.example.", "ns2.example."}},
		{"@", "TXT", 3600, []string{"v=spf1 -all", "åäö"}},
		{"*.lab", "CNAME", 3600, []string{"xn--kpasex-wxa.se."}},
		{`a\.b`, "TYPE65280", 3600, []string{`\# 1 00`}},
		{"www", "A", 3600, []string{"192.0.2.10", "192.0.2.11"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %#v, %v\nwant %#v", got, err, want)
	}
	if got, err := RRsetsOf(zone, nil); err != nil || got == nil || len(got) != 0 {
		t.Errorf("no records give %v, %v", got, err)
	}
}

func TestRRsetsOfOddRecords(t *testing.T) {
	t.Parallel()
	zone := parsedName(t, "kopasex.se")
	header := func(name string, typ uint16) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: typ, Class: dns.ClassINET, Ttl: 300}
	}
	for _, c := range []struct {
		rr   dns.RR
		want RRset
	}{
		{&dns.A{Hdr: header("www.kopasex.se", dns.TypeA), A: net.ParseIP("192.0.2.10")}, RRset{"www", "A", 300, []string{"192.0.2.10"}}},
		{&dns.TXT{Hdr: header("kopasex.se.", dns.TypeTXT), Txt: []string{`a\"`, `\098c`}}, RRset{"@", "TXT", 300, []string{`a"bc`}}},
		{&dns.TXT{Hdr: header("kopasex.se.", dns.TypeTXT)}, RRset{"@", "TXT", 300, []string{""}}},
		{&dns.MX{Hdr: header("kopasex.se.", dns.TypeMX), Mx: "MAIL.example."}, RRset{"@", "MX", 300, []string{"0 mail.example."}}},
		{&dns.CAA{Hdr: header("kopasex.se.", dns.TypeCAA), Tag: "ISSUE", Value: ";"}, RRset{"@", "CAA", 300, []string{`0 issue ";"`}}},
		{&dns.CAA{Hdr: header("kopasex.se.", dns.TypeCAA), Tag: "a b", Value: `c"\\`}, RRset{"@", "CAA", 300, []string{`\# 8 000361206263225c`}}},
		{&dns.RFC3597{Hdr: header("kopasex.se.", dns.TypeA), Rdata: "c000020a"}, RRset{"@", "A", 300, []string{"192.0.2.10"}}},
		{&dns.NULL{Hdr: header("kopasex.se.", dns.TypeNULL), Data: "a"}, RRset{"@", "NULL", 300, []string{`\# 1 61`}}},
		{&dns.NS{Hdr: dns.RR_Header{Name: "kopasex.se.", Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 1 << 31}, Ns: "ns1.example."}, RRset{"@", "NS", 0, []string{"ns1.example."}}},
	} {
		got, err := RRsetsOf(zone, []dns.RR{c.rr})
		if err != nil || !reflect.DeepEqual(got, []RRset{c.want}) {
			t.Errorf("%v\n got %#v, %v\nwant %#v", c.rr, got, err, c.want)
		}
	}
	for want, rr := range map[string]dns.RR{
		"record www.kopasex.nu. A lies outside the zone kopasex.se":               &dns.A{Hdr: header("www.kopasex.nu.", dns.TypeA), A: net.IPv4(192, 0, 2, 1)},
		"record kopasex.se. A is of class CH, not IN":                             &dns.A{Hdr: dns.RR_Header{Name: "kopasex.se.", Rrtype: dns.TypeA, Class: dns.ClassCHAOS}, A: net.IPv4(192, 0, 2, 1)},
		"record kopasex.se. OPT is of a type that zones don't hold":               &dns.OPT{Hdr: header("kopasex.se.", dns.TypeOPT)},
		`record kopasex.se. MX can't be read: it has the relative name "mail"`:    &dns.MX{Hdr: header("kopasex.se.", dns.TypeMX), Mx: "mail"},
		`record kopasex.se. TXT can't be read: the text ends in a lone backslash`: &dns.TXT{Hdr: header("kopasex.se.", dns.TypeTXT), Txt: []string{`a\`}},
		"record kopasex.se. A can't be read: no IPv4 address":                     &dns.A{Hdr: header("kopasex.se.", dns.TypeA)},
	} {
		if got, err := RRsetsOf(zone, []dns.RR{rr}); err == nil || err.Error() != want {
			t.Errorf("got %v, %v; want %s", got, err, want)
		}
	}
}

func TestRecordsRefuses(t *testing.T) {
	t.Parallel()
	zone := parsedName(t, "kopasex.se")
	for _, s := range []RRset{
		{"@", "A", 300, []string{"x"}}, {"@", "AAAA", 300, []string{"192.0.2.1"}}, {"@", "NOTYPE", 300, []string{"x"}},
		{"@", "TXT", 300, []string{`\`}}, {"@", "MX", 300, []string{"x"}},
	} {
		if rrs, err := s.Records(zone); err == nil {
			t.Errorf("%v gives %v", s, rrs)
		}
	}
}

func FuzzNewRRset(f *testing.F) {
	for _, c := range spellings {
		for _, data := range c.data {
			f.Add("www", c.typ, data)
		}
	}
	f.Add(`a\.b`, "APL", "1:192.0.2.0/24 !2:2001:db8::/32")
	f.Add("*", "CERT", "PKIX 1 RSASHA256 AAAA")
	f.Add("_x", "IPSECKEY", "10 3 2 www.kopasex.se. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==")
	f.Add("å", "AMTRELAY", "10 0 3 www.kopasex.se.")
	f.Add("x", "HIP", "2 200100107B1A74DF365639CC39F1D578 AwEAAQ== rvs.kopasex.se.")
	f.Add("x", "EUI48", "00-00-5e-00-53-2a")
	f.Add("x", "CSYNC", "66 3 A NS AAAA")
	f.Add("x", "ZONEMD", "2018031500 1 1 C68090D90A7AED716BC459F9340E3D7C1370D4D24B7E2FC3A1DDC0B9A87153B9A9713B3C9AE5CC27777F98B8E730044C")
	f.Add("x", "SVCB", `1 . key65333="a\"b" ech=AAAA dohpath=/q{?dns}`)
	f.Add("x", "SRV", `\# 6 000100020003`)
	f.Add("x", "GPOS", "-32.6882 116.8652 10.0")
	zone, err := ParseName("kopasex.se")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, typ, data string) {
		s, err := NewRRset(zone, name, typ, 300, []string{data})
		if err != nil {
			return
		}
		checkFixpoint(t, zone, s)
	})
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a", `"`, `\`, "\xff", "å", "\u00ad", strings.Repeat("a", 300)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		text := encodeText(octets)
		back, fault := textOctets(text)
		if len(octets) > maxText {
			return
		}
		if fault != nil || string(back) != string(octets) {
			t.Fatalf("%q is written %q and read back as %q, %v", octets, text, back, fault)
		}
		if again, fault := canonicalText(text); fault != nil || again != text {
			t.Fatalf("%q is not canonical: %q, %v", text, again, fault)
		}
	})
}

func BenchmarkNewRRset(b *testing.B) {
	zone, err := ParseName("kopasex.se")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct{ typ, data string }{
		{"A", "192.0.2.10"},
		{"TXT", "v=spf1 -all"},
		{"TXT", `"v=spf1 -all"`},
		{"MX", "0 ."},
		{"CNAME", "www.kopasex.se."},
		{"CAA", `0 issue "letsencrypt.org"`},
		{"HTTPS", `1 . alpn="h2,http/1.1"`},
	} {
		b.Run(c.typ, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := NewRRset(zone, "www", c.typ, 300, []string{c.data}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRRsetsOf(b *testing.B) {
	zone, err := ParseName("kopasex.se")
	if err != nil {
		b.Fatal(err)
	}
	var rrs []dns.RR
	for _, c := range [][3]string{
		{"@", "A", "192.0.2.10"}, {"@", "AAAA", "2001:db8::10"}, {"@", "MX", "0 ."}, {"@", "TXT", "v=spf1 -all"},
		{"@", "CAA", `0 issue "letsencrypt.org"`}, {"@", "HTTPS", `1 . alpn="h2,http/1.1"`}, {"@", "NS", "ns1.example."},
		{"www", "A", "192.0.2.10"}, {"www", "AAAA", "2001:db8::10"}, {"www", "MX", "0 ."}, {"www", "TXT", "v=spf1 -all"}, {"_dmarc", "TXT", "v=DMARC1; p=reject"},
	} {
		s, err := NewRRset(zone, c[0], c[1], 300, []string{c[2]})
		if err != nil {
			b.Fatal(err)
		}
		more, err := s.Records(zone)
		if err != nil {
			b.Fatal(err)
		}
		rrs = append(rrs, more...)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := RRsetsOf(zone, rrs); err != nil {
			b.Fatal(err)
		}
	}
}
