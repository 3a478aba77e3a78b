package portfolio

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// lines dumps what is desired: one line per RRset, then what is kept, notes
// and the error.
func (d Desired) lines() string {
	var b strings.Builder
	for _, w := range d.Wants {
		fmt.Fprintf(&b, "%s %s %d %s (%s)\n", w.Name, w.Type, w.TTL, strings.Join(w.Data, " | "), w.Class)
	}
	for _, k := range d.Keep {
		fmt.Fprintf(&b, "keep %s %s\n", k.Name, k.Type)
	}
	for _, n := range d.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	if d.Err != nil {
		return fmt.Sprintf("error: %v\n", d.Err)
	}
	return b.String()
}

const (
	lockApex = "@ MX 300 0 . (mail)\n@ TXT 300 v=spf1 -all (mail)\n"
	lockRest = "* TXT 300 v=spf1 -all (mail)\n*._domainkey TXT 300 v=DKIM1; p= (mail)\n_dmarc TXT 300 v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s (mail)\n"
	lockWWW  = "www MX 300 0 . (mail)\nwww TXT 300 v=spf1 -all (mail)\n"
	onlyCAA  = `@ CAA 300 0 issue "letsencrypt.org" | 0 issuemail ";" | 0 issuewild ";" (caa)` + "\n"
)

func TestDesire(t *testing.T) {
	t.Parallel()
	webApex := "@ A 300 192.0.2.10 (web)\n@ AAAA 300 2001:db8::10 (web)\n"
	https := `@ HTTPS 300 1 . alpn="h2,http/1.1" (web)` + "\n"
	wwwWeb := "www A 300 192.0.2.10 (web)\nwww AAAA 300 2001:db8::10 (web)\n"
	wwwHTTPS := `www HTTPS 300 1 . alpn="h2,http/1.1" (web)` + "\n"
	standard := webApex + onlyCAA + https + lockApex + lockRest + wwwWeb + wwwHTTPS + lockWWW
	bare := func(d *Domain) { d.DNS.Mail, d.DNS.CAA, d.DNS.Addresses = MailKeep, CAANone, nil }

	for name, c := range map[string]struct {
		edit  func(*Domain)
		facts func(*Facts)
		want  string
	}{
		"defaults": {want: standard},
		"paused keeps records": {
			edit: func(d *Domain) { d.Paused = true }, want: standard,
		},
		"launch today": {
			edit: func(d *Domain) { d.Launch = now }, want: standard,
		},
		"launch to come": {
			edit: func(d *Domain) { d.Launch = now.Add(time.Second) },
			want: onlyCAA + lockApex + lockRest + lockWWW,
		},
		"no certificate yet": {
			facts: func(f *Facts) { f.Certified = false },
			want:  webApex + onlyCAA + lockApex + lockRest + wwwWeb + lockWWW,
		},
		"state not held": {
			facts: func(f *Facts) { *f = Facts{} },
			want:  webApex + lockApex + lockRest + wwwWeb + lockWWW + "keep @ HTTPS\nkeep www HTTPS\nkeep @ CAA\n",
		},
		"one family": {
			edit: func(d *Domain) {
				bare(d)
				d.DNS.Addresses = []netip.Addr{netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("::ffff:192.0.2.10"), netip.MustParseAddr("192.0.2.10")}
				d.DNS.Hosts = []string{"@"}
			},
			want: "@ A 300 192.0.2.10 | 192.0.2.9 (web)\n" + https,
		},
		"wildcard host": {
			edit: func(d *Domain) { d.DNS.Hosts, d.DNS.Addresses = []string{"*"}, nil },
			want: `@ CAA 300 0 issue "letsencrypt.org" | 0 issuemail ";" (caa)` + "\n" + lockApex + "* MX 300 0 . (mail)\n" + lockRest,
		},
		"mail kept": {
			edit: func(d *Domain) { d.DNS.Mail = MailKeep },
			want: webApex + onlyCAA + https + wwwWeb + wwwHTTPS,
		},
		"caa of several issuers": {
			edit: func(d *Domain) { bare(d); d.DNS.CAA = CAAAuto },
			facts: func(f *Facts) {
				f.CAA = []IssuerCAA{
					{Domains: []string{"letsencrypt.org"}, AccountURI: "https://acme.example/acct/1", Methods: []string{"tls-alpn-01", "http-01"}},
					{Domains: []string{"pki.example", "ca.example"}},
				}
			},
			want: `@ CAA 300 0 issue "ca.example" | 0 issue "letsencrypt.org;accounturi=https://acme.example/acct/1;validationmethods=http-01,tls-alpn-01" | 0 issue "pki.example" | 0 issuemail ";" | 0 issuewild ";" (caa)` + "\n",
		},
		"caa of a dns-01 issuer": {
			edit:  func(d *Domain) { bare(d); d.DNS.CAA = CAAAuto },
			facts: func(f *Facts) { f.CAA[0].Methods = []string{"dns-01"} },
			want:  `@ CAA 300 0 issue "letsencrypt.org;validationmethods=dns-01" | 0 issuemail ";" (caa)` + "\n",
		},
		"caa of an unknown issuer": {
			edit:  func(d *Domain) { bare(d); d.DNS.CAA = CAAAuto },
			facts: func(f *Facts) { f.CAA = append(f.CAA, IssuerCAA{AccountURI: "https://acme.example/acct/1"}) },
			want:  "keep @ CAA\nnote: caa: auto leaves CAA as it is: an issuer doesn't say by which name CAA records know it, and could be locked out\n",
		},
		"caa of an issuer that smuggles": {
			edit:  func(d *Domain) { bare(d); d.DNS.CAA = CAAAuto },
			facts: func(f *Facts) { f.CAA[0].AccountURI = `https://acme.example/"; x` },
			want:  "keep @ CAA\nnote: caa: auto leaves CAA as it is: an issuer doesn't say by which name CAA records know it, and could be locked out\n",
		},
		"caa with the internal CA alone": {
			edit:  func(d *Domain) { bare(d); d.DNS.CAA = CAAAuto },
			facts: func(f *Facts) { f.CAA = nil },
			want:  "",
		},
		"caa listed": {
			edit: func(d *Domain) {
				bare(d)
				d.DNS.CAA, d.DNS.CAAValues = CAAList, []string{`0 issuewild ";"`, `0 issue "letsencrypt.org"`}
			},
			want: `@ CAA 300 0 issue "letsencrypt.org" | 0 issuewild ";" (declared)` + "\n",
		},
		"caa listed wrong": {
			edit: func(d *Domain) { d.DNS.CAA, d.DNS.CAAValues = CAAList, []string{`issue letsencrypt.org`} },
			want: "error: kopasex.se: dns.caa: record @ CAA: \"issue letsencrypt.org\" ",
		},
		"declared takes the place of derived": {
			edit: func(d *Domain) {
				bare(d)
				d.DNS.Addresses = []netip.Addr{netip.MustParseAddr("192.0.2.10")}
				d.DNS.Hosts = []string{"www"}
				d.DNS.Records = []RRset{set("www", "A", 60, "198.51.100.1"), set("blog", "A", 0, "198.51.100.2")}
			},
			want: "blog A 300 198.51.100.2 (declared)\nwww A 60 198.51.100.1 (declared)\n" + wwwHTTPS,
		},
		"declared twice adds up": {
			edit: func(d *Domain) {
				bare(d)
				d.DNS.Records = []RRset{set("blog", "A", 0, "198.51.100.2"), set("blog", "A", 60, "198.51.100.1", "198.51.100.2")}
			},
			want: "blog A 60 198.51.100.1 | 198.51.100.2 (declared)\n",
		},
		"declared text stands beside the lock": {
			edit: func(d *Domain) {
				d.DNS.Addresses, d.DNS.CAA, d.DNS.Hosts = nil, CAANone, []string{"@"}
				d.DNS.Records = []RRset{set("@", "TXT", 3600, "site-verification=1"), set("_dmarc", "TXT", 0, "v=DMARC1; p=none")}
			},
			want: "@ MX 300 0 . (mail)\n@ TXT 3600 site-verification=1 | v=spf1 -all (declared)\n* TXT 300 v=spf1 -all (mail)\n" +
				"*._domainkey TXT 300 v=DKIM1; p= (mail)\n_dmarc TXT 300 v=DMARC1; p=none (declared)\n",
		},
		"declared alias at the wildcard answers for the lock": {
			edit: func(d *Domain) {
				d.DNS.Addresses, d.DNS.CAA, d.DNS.Hosts = nil, CAANone, []string{"@"}
				d.DNS.Records = []RRset{set("*", "CNAME", 0, "elsewhere.example.")}
			},
			want: lockApex + "* CNAME 300 elsewhere.example. (declared)\n*._domainkey TXT 300 v=DKIM1; p= (mail)\n" +
				"_dmarc TXT 300 v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s (mail)\n",
		},
		"declared HTTPS is settled without the state": {
			edit: func(d *Domain) {
				bare(d)
				d.DNS.Addresses, d.DNS.Hosts = []netip.Addr{netip.MustParseAddr("192.0.2.10")}, []string{"@"}
				d.DNS.Records = []RRset{set("@", "HTTPS", 0, "0 other.example.")}
			},
			facts: func(f *Facts) { f.Holder = false },
			want:  "@ A 300 192.0.2.10 (web)\n@ HTTPS 300 0 other.example. (declared)\n",
		},
		"alias of a host": {
			edit: func(d *Domain) { d.DNS.Records = []RRset{set("www", "CNAME", 0, "other.example.")} },
			want: "error: kopasex.se: www can't have a CNAME and AAAA at once: take the CNAME out of dns.records, or www out of dns.hosts\n",
		},
		"alias beside declared": {
			edit: func(d *Domain) {
				d.DNS.Records = []RRset{set("blog", "CNAME", 0, "other.example."), set("blog", "TXT", 0, "x")}
			},
			want: "error: kopasex.se: blog can't have a CNAME and TXT at once: take the CNAME out of dns.records, or blog out of the other dns.records\n",
		},
		"alias of the apex": {
			edit: func(d *Domain) { d.DNS.Records = []RRset{set("@", "CNAME", 0, "other.example.")} },
			want: "error: kopasex.se: a CNAME can't stand at the apex, where the zone has its SOA and NS: declare A and AAAA records instead\n",
		},
		"two aliases": {
			edit: func(d *Domain) {
				d.DNS.Records = []RRset{set("blog", "CNAME", 0, "a.example."), set("blog", "CNAME", 0, "b.example.")}
			},
			want: "error: kopasex.se: blog has 2 CNAMEs: keep one\n",
		},
		"declared marker": {
			edit: func(d *Domain) { d.DNS.Records = []RRset{set("_domherre", "TXT", 0, "x")} },
			want: "error: kopasex.se: dns.records: _domherre TXT is where domherre marks what it manages: take it out\n",
		},
		"declared SOA": {
			edit: func(d *Domain) { d.DNS.Records = []RRset{set("@", "SOA", 0, "x")} },
			want: "error: kopasex.se: dns.records: @ SOA is the provider's own: take it out\n",
		},
		"the provider's limits": {
			edit: func(d *Domain) { d.DNS.CAA, d.DNS.Hosts = CAANone, []string{"@"} },
			facts: func(f *Facts) {
				f.MinTTL, f.Unsupported = 3600, []string{"HTTPS", "MX 0 ."}
			},
			want: strings.ReplaceAll(webApex+"@ TXT 300 v=spf1 -all (mail)\n"+lockRest, " 300 ", " 3600 ") +
				"note: provider main can't hold HTTPS records: left out\nnote: provider main can't hold MX 0 . records: left out\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := entry(t, "kopasex.se")
			f := facts(d)
			if c.edit != nil {
				c.edit(&d)
			}
			if c.facts != nil {
				c.facts(&f)
			}
			des := Desire(&d, f, now)
			got := des.lines()
			if got != c.want && (!strings.HasPrefix(c.want, "error") || !strings.HasPrefix(got, c.want)) {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
			canonical(t, des)
		})
	}
}

// canonical fails where a wanted RRset isn't what NewRRset makes of it.
func canonical(t *testing.T, des Desired) {
	t.Helper()
	if des.Err != nil {
		return
	}
	for _, w := range des.Wants {
		s, err := NewRRset(des.Domain.Name, w.Name, w.Type, w.TTL, w.Data)
		if err != nil || s.Key() != w.Key() || !slices.Equal(s.Data, w.Data) {
			t.Errorf("%v is not canonical: %v (%v)", w.RRset, s, err)
		}
	}
	if !slices.IsSortedFunc(des.Wants, func(a, b Want) int { return compareRRsets(a.RRset, b.RRset) }) {
		t.Error("not sorted")
	}
}

func TestDesireLeavesItsInputAlone(t *testing.T) {
	t.Parallel()
	d := entry(t, "kopasex.se")
	d.DNS.Records = []RRset{set("@", "TXT", 0, "z", "a"), set("@", "TXT", 0, "m"), set("blog", "A", 0, "198.51.100.2")}
	d.DNS.Addresses = slices.Concat([]netip.Addr{netip.MustParseAddr("192.0.2.99")}, d.DNS.Addresses)
	before := fmt.Sprint(d)
	f := facts(d)
	f.CAA[0].Methods = []string{"tls-alpn-01", "http-01"}
	factsBefore := fmt.Sprint(f)
	first := Desire(&d, f, now).lines()
	if again := Desire(&d, f, now).lines(); again != first {
		t.Errorf("not the same twice:\n%s\n%s", first, again)
	}
	if fmt.Sprint(d) != before || fmt.Sprint(f) != factsBefore {
		t.Error("the input changed")
	}
}
