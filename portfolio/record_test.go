package portfolio

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// spellings: all of one group are the same data.
var spellings = []struct {
	typ  string
	want string
	data []string
}{
	{"A", "192.0.2.10", []string{"192.0.2.10", " 192.0.2.10 ", `\# 4 c000020A`}},
	{"AAAA", "2001:db8::10", []string{"2001:DB8::10", "2001:db8:0:0:0:0:0:10", "2001:0db8::0010", `\# 16 20010db8000000000000000000000010`}},
	{"AAAA", "::ffff:192.0.2.10", []string{"::ffff:192.0.2.10", "::FFFF:c000:20a"}},
	{"CNAME", "www.kopasex.se.", []string{"www.kopasex.se", "WWW.kopasex.se.", `\119ww.kopasex.se`, `w\ww.kopasex.se`}},
	{"CNAME", "kopasex.se.", []string{"@", "kopasex.se", "KOPASEX.SE."}},
	{"CNAME", "www.xn--duavgr-0xa.se.", []string{"www.duavgör.se", "WWW.DUAVGÖR.se.", "www.xn--duavgr-0xa.se"}},
	{"NS", "ns1.example.", []string{"ns1.example.", "NS1.Example"}},
	{"PTR", "www.kopasex.se.", []string{"www.kopasex.se."}},
	{"DNAME", "kopasex.example.", []string{"kopasex.example"}},
	{"MX", "0 .", []string{"0 .", "00 .", "0\t."}},
	{"MX", "10 mail.kopasex.se.", []string{"10 mail.kopasex.se", "10  MAIL.kopasex.se.", `\# 19 000a 046d61696c076b6f706173657802736500`}},
	{"MX", "10 kopasex.se.", []string{"10 @"}},
	{"MX", "10 se.", []string{"10 se."}},
	{"SRV", "10 5 443 www.kopasex.se.", []string{"10 5 443 www.kopasex.se", "010 5 443 WWW.Kopasex.se."}},
	{"SRV", "0 0 0 .", []string{"0 0 0 ."}},
	{"CAA", `0 issue "letsencrypt.org"`, []string{`0 issue "letsencrypt.org"`, `0 ISSUE letsencrypt.org`, `0  Issue  "letsencrypt.org"`}},
	{"CAA", `128 issue ";"`, []string{`128 issue ";"`, `128 Issue "\;"`, `128 issue "\059"`}},
	{"CAA", `0 issue "a\\b\"c\255"`, []string{`0 issue "a\\b\"c\255"`, `0 issue "\097\092b\034c\255"`}},
	{"CAA", `0 iodef "mailto:ops@kopasex.se"`, []string{`0 iodef mailto:ops@kopasex.se`}},
	{"CAA", `0 issue "letsencrypt.org; accounturi=https://acme.example/1; validationmethods=dns-01"`,
		[]string{`0 issue "letsencrypt.org; accounturi=https://acme.example/1; validationmethods=dns-01"`}},
	{"HTTPS", `1 . alpn="h2,http/1.1"`, []string{`1 . alpn="h2,http/1.1"`, `1 . alpn=h2,http/1.1`}},
	{"HTTPS", `1 . alpn="h2" port="8443" ipv6hint="2001:db8::1"`,
		[]string{`1 . ipv6hint=2001:DB8:0::1 port=8443 alpn=h2`, `1 . port="8443" alpn="h2" ipv6hint="2001:db8::1"`}},
	{"HTTPS", "0 www.kopasex.se.", []string{"0 WWW.kopasex.se"}},
	{"SVCB", `1 kopasex.se. mandatory="alpn,port" alpn="h2" port="53"`, []string{`1 @ port=53 mandatory=port,alpn alpn=h2`}},
	{"TLSA", "3 1 1 abcdef", []string{"3 1 1 ABCDEF", "3 1 1 AB CDef"}},
	{"SSHFP", "4 2 ABCDEF", []string{"4 2 abcdef", "4 2 abcd EF"}},
	{"DS", "60485 13 2 ABCDEF", []string{"60485 13 2 abcdef", "60485 ECDSAP256SHA256 2 abcdef"}},
	{"NAPTR", `100 10 "u" "E2U+sip" "!^.*$!sip:info@kopasex.se!" .`, []string{`100 10 "u" "E2U+sip" "!^.*$!sip:info@kopasex.se!" .`, `100  10 "u" "E2U+sip" "!^.*$!sip:info\@kopasex.se!" .`}},
	{"URI", `10 1 "https://www.kopasex.se/"`, []string{`10 1 "https://www.kopasex.se/"`, `10 01 "https://www.kopasex\046se/"`}},
	{"LOC", "59 19 45.000 N 18 04 7.000 E 10m 1m 10000m 10m", []string{"59 19 45 N 18 4 7 E 10m", "59 19 45.000 N 18 04 07.000 E 10.00m 1m 10000m 10m"}},
	{"RP", "ops.kopasex.se. www.kopasex.se.", []string{"ops.kopasex.se WWW.kopasex.se"}},
	{"HINFO", `"a" "b"`, []string{`"a" "b"`, `"\097" b`}},
	{"TYPE65280", `\# 4 deadbeef`, []string{`\# 4 DEADBEEF`, `\# 4 dead beef`}},
	{"TYPE65280", `\# 0`, []string{`\# 0`}},

	{"TXT", "v=spf1 -all", []string{"v=spf1 -all", `"v=spf1 -all"`, `"v=spf1" " -all"`, `"v=spf1"" -all"`, `"\118=spf1 -all"`}},
	{"TXT", "v=DKIM1; p=", []string{"v=DKIM1; p=", `"v=DKIM1; p="`, `v=DKIM1\; p=`}},
	{"TXT", "", []string{"", `""`, `"" ""`}},
	{"TXT", "åäö", []string{"åäö", `"åäö"`, `"\195\165\195\164\195\182"`, `\195\165äö`}},
	{"TXT", `\255`, []string{`\255`, `"\255"`, "\xff"}},
	{"TXT", `a\010b\009c\127`, []string{"a\nb\tc\x7f", `"a\010b\009c\127"`}},
	{"TXT", `a\\b"c`, []string{`a\\b"c`, `a\\b\"c`, `"a\\b\"c"`}},
	{"TXT", `\"a"`, []string{`\"a"`, `"\"a\""`}},
	{"TXT", ` a `, []string{` a `, `" a "`}},
	{"TXT", `a\194\173b`, []string{"a\u00adb", `"a\194\173b"`}},
	{"SPF", "v=spf1 -all", []string{`"v=spf1 " "-all"`}},
}

func TestSpellingsAreEqual(t *testing.T) {
	t.Parallel()
	zone := parsedName(t, "kopasex.se")
	for _, c := range spellings {
		for _, data := range c.data {
			s, err := NewRRset(zone, "www", c.typ, 300, []string{data})
			if err != nil {
				t.Errorf("%s %q: %v", c.typ, data, err)
				continue
			}
			if want := (RRset{"www", c.typ, 300, []string{c.want}}); !reflect.DeepEqual(s, want) {
				t.Errorf("%s %q = %q, want %q", c.typ, data, s.Data, want.Data)
			}
		}
		checkFixpoint(t, zone, RRset{"www", c.typ, 300, []string{c.want}})
	}
}

func TestNewRRsetSortsAndDropsDuplicates(t *testing.T) {
	t.Parallel()
	zone := parsedName(t, "kopasex.se")
	s, err := NewRRset(zone, "WWW.kopasex.se.", "aaaa", 300, []string{"2001:db8::2", "2001:DB8::1", "2001:db8:0::2"})
	want := RRset{"www", "AAAA", 300, []string{"2001:db8::1", "2001:db8::2"}}
	if err != nil || !reflect.DeepEqual(s, want) {
		t.Errorf("got %v, %v; want %v", s, err, want)
	}
}

func TestNewRRsetNames(t *testing.T) {
	t.Parallel()
	zone := parsedName(t, "köpasex.se")
	for in, want := range map[string]string{
		"@":                       "@",
		"xn--kpasex-wxa.se.":      "@",
		"XN--KPASEX-WXA.SE.":      "@",
		"köpasex.se.":             "@",
		"www":                     "www",
		"Www.xn--kpasex-wxa.se.":  "www",
		"*":                       "*",
		"*._domainkey":            "*._domainkey",
		"_DMARC":                  "_dmarc",
		"Ö":                       "xn--nda",
		`\119ww`:                  "www",
		`a\.b`:                    `a\.b`,
		`a\ b`:                    `a\ b`,
		`a\007B`:                  `a\007b`,
		"💩":                       "xn--ls8h", // foreign, from a provider that shows Unicode
		"www.köpasex.se":          "www.xn--kpasex-wxa.se",
		`\*`:                      "*",
		strings.Repeat("a", 63):   strings.Repeat("a", 63),
		"a.b.c.d.e.f.g.h.i.j.k.l": "a.b.c.d.e.f.g.h.i.j.k.l",
	} {
		s, err := NewRRset(zone, in, "A", 300, []string{"192.0.2.10"})
		if err != nil || s.Name != want {
			t.Errorf("name %q = %q, %v; want %q", in, s.Name, err, want)
		}
	}
}

func TestNewRRsetRefuses(t *testing.T) {
	t.Parallel()
	zone := parsedName(t, "kopasex.se")
	ok := []string{"192.0.2.10"}
	const wireFault = "has a name with an empty label, one over 63 octets, or over 255 octets in all"
	for _, c := range []struct {
		name, typ    string
		ttl          uint32
		data         []string
		reason, hint string
	}{
		{"", "A", 1, ok, "has no name", `write "@" for the domain itself`},
		{"www.kopasex.nu.", "A", 1, ok, "lies outside the zone kopasex.se", "write the name relative to the zone"},
		{"notkopasex.se.", "A", 1, ok, "lies outside the zone kopasex.se", "write the name relative to the zone"},
		{`www\.kopasex.se.`, "A", 1, ok, "lies outside the zone kopasex.se", "write the name relative to the zone"},
		{"a..b", "A", 1, ok, wireFault, "shorten it"},
		{strings.Repeat("a", 64), "A", 1, ok, wireFault, "shorten it"},
		{strings.Repeat("a.", 125) + "a", "A", 1, ok, wireFault, "shorten it"},
		{"www", "A", 1 << 31, ok, "has a TTL of 2147483648 seconds", "write at most 2147483647 seconds"},
		{"www", "A", 1, nil, "has no data", "write at least one value"},
		{"www", "CNAME", 1, []string{"a.se", "b.se"}, "has more than one value", "keep one; a name has at most one CNAME"},

		{"www", "B", 1, ok, "is of an unknown type", "write A, AAAA, CNAME, TXT, …, or TYPEnnn for a type by number"},
		{"www", "TYPE65536", 1, ok, "is of an unknown type", "write A, AAAA, CNAME, TXT, …, or TYPEnnn for a type by number"},
		{"@", "SOA", 1, ok, "is kept by the name server", "leave the SOA out; the provider writes it"},
		{"@", "TYPE6", 1, ok, "is kept by the name server", "leave the SOA out; the provider writes it"},
		{"@", "DNSKEY", 1, ok, "is kept by the name server that signs the zone", "leave it out; DNSSEC is set up at the provider"},
		{"@", "ANY", 1, ok, "is of a type that zones don't hold", "write the type of a record"},
		{"@", "TYPE0", 1, ok, "is of a type that zones don't hold", "write the type of a record"},

		{"www", "A", 1, []string{"192.0.2.300"}, "is not an IPv4 address", "write it like 192.0.2.10"},
		{"www", "A", 1, []string{"192.0.2.010"}, "is not an IPv4 address", "write it like 192.0.2.10"},
		{"www", "A", 1, []string{"2001:db8::1"}, "is an IPv6 address", "write it under type AAAA"},
		{"www", "AAAA", 1, []string{"192.0.2.1"}, "is an IPv4 address", "write it under type A"},
		{"www", "AAAA", 1, []string{"fe80::1%eth0"}, "is not an IPv6 address", "write it like 2001:db8::10"},
		{"www", "AAAA", 1, []string{""}, "is not an IPv6 address", "write it like 2001:db8::10"},

		{"www", "CNAME", 1, []string{"mail"}, `has the target "mail" without a dot`, "write mail.kopasex.se., or mail. for a top-level domain"},
		{"www", "MX", 1, []string{"10 mail"}, `has the target "mail" without a dot`, "write mail.kopasex.se., or mail. for a top-level domain"},
		{"www", "MX", 1, []string{"mail.kopasex.se"}, `is no data of type MX (bad MX Pref: "mail.kopasex.se")`, "write it like 10 mail.kopasex.se."},
		{"www", "MX", 1, []string{"10 a.se b.se"}, `is no data of type MX (garbage after rdata: "b.se")`, "write it like 10 mail.kopasex.se."},
		{"www", "MX", 1, []string{"10 kоpasex.se"}, `mixes Latin letters with the Cyrillic "о" (U+043E)`, hintScript},
		{"www", "CNAME", 1, []string{"a..se"}, `is no data of type CNAME (bad CNAME Target: "a..se")`, "write it like www.kopasex.se."},
		{"@", "CAA", 1, []string{"0 issue ;"}, "has a semicolon outside quotes, which starts a comment", `write it in quotes, like 0 issue ";"`},
		{"@", "CAA", 1, []string{`0 issue "letsencrypt.org`}, "has a quote that is not closed", `close it, or write \" for a text that starts with a quote`},
		{"@", "CAA", 1, []string{"0 issue \"a\"\n@ 1 IN A 192.0.2.1"}, "has the control character U+000A", "write each value on one line"},
		{"@", "HTTPS", 1, []string{"1 . alpn=h2 alpn=h3"}, "is no data of type HTTPS (repeated SVCB keys are not allowed)", `write it like 1 . alpn="h2,http/1.1"`},
		{"@", "TYPE65280", 1, []string{"deadbeef"}, `is no data of type TYPE65280 (bad RFC3597 Rdata: "deadbeef")`, ""},
		{"@", "TYPE65280", 1, []string{`\# 3 deadbeef`}, `is no data of type TYPE65280 (bad RFC3597 Rdata: "3")`, ""},

		{"@", "SRV", 1, []string{`\# 6 000100020003`}, "has an empty target", `write "." for the root`},
		{"@", "A", 1, []string{`\# 0`}, "is no data of type A (no data)", ""},

		{"@", "TXT", 1, []string{`a\`}, "ends in a lone backslash", `write \\ for a backslash`},
		{"@", "TXT", 1, []string{`a\25`}, "has an escape that is no octet", `write \DDD with three digits from 000 to 255, or \\ for a backslash`},
		{"@", "TXT", 1, []string{`a\256`}, "has an escape that is no octet", `write \DDD with three digits from 000 to 255, or \\ for a backslash`},
		{"@", "TXT", 1, []string{`"a" "b`}, "has a quote that is not closed", `close it, or write \" for a text that starts with a quote`},
		{"@", "TXT", 1, []string{strings.Repeat("a", 65001)}, "is longer than a DNS message can carry", "write at most 65000 octets"},
	} {
		s, err := NewRRset(zone, c.name, c.typ, c.ttl, c.data)
		var refused *RecordError
		if !errors.As(err, &refused) {
			t.Errorf("%s %s %q = %v, %v; want it refused", c.name, c.typ, c.data, s, err)
			continue
		}
		if refused.Reason != c.reason || refused.Hint != c.hint {
			t.Errorf("%s %s %.60q\n got %q, %q\nwant %q, %q", c.name, c.typ, c.data, refused.Reason, refused.Hint, c.reason, c.hint)
		}
	}
}

func TestRecordError(t *testing.T) {
	t.Parallel()
	zone := parsedName(t, "kopasex.se")
	_, err := NewRRset(zone, "www", "A", 300, []string{"192.0.2.300"})
	if got, want := err.Error(), `record www A: "192.0.2.300" is not an IPv4 address`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	_, err = NewRRset(zone, "www", "A", 300, nil)
	if got, want := err.Error(), `record www A has no data`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSortRRsets(t *testing.T) {
	t.Parallel()
	sets := []RRset{{Name: "www", Type: "A"}, {Name: "*", Type: "TXT"}, {Name: "@", Type: "TXT"}, {Name: "www", Type: "AAAA"}, {Name: "@", Type: "A"}, {Name: "!", Type: "A"}}
	SortRRsets(sets)
	var got []string
	for _, s := range sets {
		got = append(got, s.Name+" "+s.Type)
	}
	if want := []string{"@ A", "@ TXT", "! A", "* TXT", "www A", "www AAAA"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestZoneFind(t *testing.T) {
	t.Parallel()
	z := Zone{RRsets: []RRset{{Name: "@", Type: "A", TTL: 1}, {Name: "www", Type: "A", TTL: 2}}}
	if s, ok := z.Find(Key{"www", "A"}); !ok || s.TTL != 2 {
		t.Errorf("found %v, %v", s, ok)
	}
	if s, ok := z.Find(Key{"www", "AAAA"}); ok {
		t.Errorf("found %v", s)
	}
}

func TestZoneDigest(t *testing.T) {
	t.Parallel()
	zone := func(change func(*Zone)) string {
		z := Zone{Name: parsedName(t, "kopasex.se"), Serial: 7, RRsets: []RRset{
			{"@", "A", 300, []string{"192.0.2.10"}}, {"@", "TXT", 300, []string{"a", "b"}},
		}}
		change(&z)
		return z.Digest()
	}
	same := zone(func(*Zone) {})
	if want := "sha256:"; !strings.HasPrefix(same, want) || len(same) != len(want)+64 {
		t.Errorf("digest %q", same)
	}
	if got := zone(func(z *Zone) { z.Serial = 8 }); got != same {
		t.Error("the serial changes the digest")
	}
	seen := map[string]string{same: "nothing"}
	for what, change := range map[string]func(*Zone){
		"another name":   func(z *Zone) { z.Name = parsedName(t, "kopasex.nu") },
		"missing":        func(z *Zone) { z.Missing = true },
		"a TTL":          func(z *Zone) { z.RRsets[0].TTL = 301 },
		"an owner":       func(z *Zone) { z.RRsets[0].Name = "www" },
		"data":           func(z *Zone) { z.RRsets[0].Data = []string{"192.0.2.11"} },
		"joined data":    func(z *Zone) { z.RRsets[1].Data = []string{"ab"} },
		"one set less":   func(z *Zone) { z.RRsets = z.RRsets[:1] },
		"nothing at all": func(z *Zone) { z.RRsets = nil },
	} {
		got := zone(change)
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s have one digest", what, other)
		}
		seen[got] = what
	}
}

func TestRRsetJSON(t *testing.T) {
	t.Parallel()
	s := RRset{"@", "TXT", 300, []string{`\"å\\`}}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back RRset
	if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("%s reads back as %v, %v", b, back, err)
	}
}
