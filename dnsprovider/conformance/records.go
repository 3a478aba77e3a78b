package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"domherre/portfolio"
)

func testTypes(t *testing.T, z *zone) {
	all := []portfolio.RRset{
		z.set("@", "A", 300, "192.0.2.10"),
		z.set("@", "AAAA", 300, "2001:DB8:0:0::10"),
		z.set("@", "MX", 300, "0 ."),
		z.set("@", "TXT", 300, "v=spf1 -all"),
		z.set("@", "CAA", 300, `0 issue "letsencrypt.org; accounturi=https://ca.example/acct/1; validationmethods=dns-01"`,
			`0 issuewild ";"`, `0 iodef "mailto:ca@kopasex.se"`),
		z.set("@", "HTTPS", 300, `1 . alpn="h2,http/1.1"`),
		z.set("www", "CNAME", 300, "www.xn--duavgr-0xa.se."),
		z.set("mail", "MX", 300, "10 mx1.kopasex.se.", "20 mx2.kopasex.se."),
		z.set("_sip._tcp", "SRV", 300, "10 5 5060 sip.kopasex.se."),
		z.set("_443._tcp", "TLSA", 300, "3 1 1 "+strings.Repeat("ab", 32)),
		z.set("sub", "NS", 300, "ns1.kopasex.se.", "ns2.kopasex.se."),
		z.set("host", "SSHFP", 300, "4 2 "+strings.Repeat("cd", 32)),
		z.set("svc", "SVCB", 300, `1 svc.kopasex.se. alpn="h3" port="8443"`),
		z.set("alias", "HTTPS", 300, "0 www.kopasex.se."),
	}
	all = z.held(all)
	z.puts(all...)
	got := z.observe()
	rest := slices.DeleteFunc(slices.Clone(got.RRsets), isApexNS)
	portfolio.SortRRsets(all)
	if !slices.EqualFunc(rest, all, same) {
		t.Errorf("the zone holds\n%s\nnot\n%s", text(rest), text(all))
	}
	// A delegation isn't served with authority.
	z.served(slices.DeleteFunc(all, func(s portfolio.RRset) bool { return s.Name == "sub" })...)
}

func testNames(t *testing.T, z *zone) {
	owners := []string{"@", "www", "*", "_dmarc", "*._domainkey", "_domherre", "a.b.c", "xn--kpasex-wxa", "1"}
	var all []portfolio.RRset
	for i, owner := range owners {
		all = append(all, z.set(owner, "TXT", 300, fmt.Sprintf("text %d", i)))
		if !strings.Contains(owner, "_") { // no host name: BIND refuses an address there
			all = append(all, z.set(owner, "A", 300, fmt.Sprintf("192.0.2.%d", i+1)))
		}
	}
	z.puts(all...)
	z.holds(all...)
}

func testTexts(t *testing.T, z *zone) {
	long := strings.Repeat("0123456789", 30)
	texts := []string{
		"plain", "with spaces  inside ", `quote " inside`, `\"at the start"`, `back\\slash`, `ends in a backslash\\`,
		`semi;colon; "quoted; too"`, "åäö köpasex – ß 漢字", `\000\001\255 octets`, "tab\\009tab", "$ORIGIN @ ( )", "'apostrophes'",
		long, long + `"` + long + `\\` + long + "åäö", "v=DKIM1; p=", "_", "%s %d",
	}
	var all []portfolio.RRset
	for i, text := range texts {
		all = append(all, z.set(fmt.Sprintf("t%d", i), "TXT", 300, text))
	}
	all = z.held(append(all, z.set("many", "TXT", 300, texts...)))
	z.puts(all...)
	z.holds(all...)
	// What can be written can be taken away.
	for _, s := range all {
		z.write(portfolio.Step{Delete: []portfolio.RRset{s}})
	}
	z.holds()
}

func testValues(t *testing.T, z *zone) {
	z.puts(z.set("www", "A", 300, "192.0.2.1", "192.0.2.2", "192.0.2.3"))
	z.holds(z.set("www", "A", 300, "192.0.2.1", "192.0.2.2", "192.0.2.3"))
	z.puts(z.set("www", "A", 300, "192.0.2.2", "192.0.2.4"))
	z.holds(z.set("www", "A", 300, "192.0.2.2", "192.0.2.4"))
	z.puts(z.set("www", "A", 300, "192.0.2.5"))
	z.holds(z.set("www", "A", 300, "192.0.2.5"))
	if z.OneCase {
		return
	}
	z.puts(z.set("www", "TXT", 300, "Case", "case"), z.set("www", "A", 300, "192.0.2.5", "192.0.2.6"))
	z.holds(z.set("www", "A", 300, "192.0.2.5", "192.0.2.6"), z.set("www", "TXT", 300, "Case", "case"))
	z.puts(z.set("www", "TXT", 300, "case"))
	z.holds(z.set("www", "A", 300, "192.0.2.5", "192.0.2.6"), z.set("www", "TXT", 300, "case"))
}

func testTTL(t *testing.T, z *zone) {
	for _, ttl := range []uint32{3600, 300, 86400} {
		z.puts(z.set("www", "A", ttl, "192.0.2.1", "192.0.2.2"), z.set("@", "TXT", ttl, "text"))
		z.holds(z.set("www", "A", ttl, "192.0.2.1", "192.0.2.2"), z.set("@", "TXT", ttl, "text"))
	}
}

func testConverges(t *testing.T, z *zone) {
	states := [][]portfolio.RRset{
		{z.set("@", "A", 300, "192.0.2.1"), z.set("www", "CNAME", 300, "a.kopasex.se."), z.set("x", "TXT", 300, "1")},
		{z.set("@", "A", 300, "192.0.2.2"), z.set("www", "A", 300, "192.0.2.2"), z.set("x", "TXT", 600, "1", "2")},
		{z.set("www", "A", 300, "192.0.2.2"), z.set("x", "CNAME", 300, "www.kopasex.se.")},
		{},
		{z.set("*", "A", 300, "192.0.2.9")},
	}
	for _, want := range states {
		before := z.observe()
		step := portfolio.Step{Set: want}
		for _, s := range before.RRsets {
			gone := !slices.ContainsFunc(want, func(w portfolio.RRset) bool { return w.Key() == s.Key() })
			if gone && !isApexNS(s) {
				step.Delete = append(step.Delete, s)
			}
		}
		z.write(step)
		z.holds(want...)
		serial := z.observe().Serial
		z.write(step)
		if again := z.observe().Serial; again != serial {
			t.Errorf("writing what is there already changes the serial from %d to %d", serial, again)
		}
	}
}

func testDeletes(t *testing.T, z *zone) {
	a, aaaa := z.set("www", "A", 300, "192.0.2.1", "192.0.2.2"), z.set("www", "AAAA", 300, "2001:db8::1")
	below, beside := z.set("a.www", "A", 300, "192.0.2.1"), z.set("www2", "A", 300, "192.0.2.1")
	z.puts(a, aaaa, below, beside)
	z.write(portfolio.Step{Delete: []portfolio.RRset{a}})
	z.holds(aaaa, below, beside)
	z.write(portfolio.Step{Delete: []portfolio.RRset{aaaa, beside}})
	z.holds(below)
}

func testAlias(t *testing.T, z *zone) {
	a, txt := z.set("www", "A", 300, "192.0.2.1"), z.set("www", "TXT", 300, "text")
	alias := z.set("www", "CNAME", 300, "kopasex.se.")
	other := z.set("www", "CNAME", 300, "other.kopasex.se.")
	z.puts(a, txt)
	z.write(portfolio.Step{Delete: []portfolio.RRset{a, txt}, Set: []portfolio.RRset{alias}})
	z.holds(alias)
	z.puts(other)
	z.holds(other)
	z.write(portfolio.Step{Delete: []portfolio.RRset{other}}, portfolio.Step{Set: []portfolio.RRset{a, txt}})
	z.holds(a, txt)
}

func testApexNS(t *testing.T, z *zone) {
	for _, ns := range []portfolio.RRset{
		z.set("@", "NS", 300, "ns1.kopasex.se.", "ns2.kopasex.se."),
		z.set("@", "NS", 600, "ns2.kopasex.se.", "ns3.kopasex.se."),
		z.set("@", "NS", 600, "ns4.kopasex.se."),
	} {
		z.puts(ns)
		if got, _ := z.observe().Find(ns.Key()); !same(got, ns) {
			t.Errorf("the apex NS are %v with TTL %d, not %v with TTL %d", got.Data, got.TTL, ns.Data, ns.TTL)
		}
		z.served(ns)
	}
}

func testThousand(t *testing.T, z *zone) {
	var all []portfolio.RRset
	for i := range cmp.Or(z.Many, 500) {
		all = append(all, z.set(fmt.Sprintf("h%03d", i), "A", 300, "192.0.2.1"), z.set(fmt.Sprintf("h%03d", i), "TXT", 300, "text of some length, so that one message may not hold them all"))
	}
	had := len(z.observe().RRsets)
	z.puts(all...)
	if n := len(z.observe().RRsets); n != len(all)+had {
		t.Errorf("the zone has %d RRsets, not %d", n, len(all)+had)
	}
	z.write(portfolio.Step{Delete: all})
	z.holds()
}
