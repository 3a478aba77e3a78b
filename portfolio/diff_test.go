package portfolio

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// lines dumps a plan of a domain: changes, notes, what the marker lists, and
// the error alone where there is one.
func (p DomainPlan) lines() string {
	if p.Err != nil {
		return "error: " + p.Error + "\n"
	}
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%s %s %s", c.Op, c.Name, c.Type)
		if c.Before != nil {
			owner := "foreign"
			if c.Before.Owned {
				owner = "ours"
			}
			fmt.Fprintf(&b, " %d %s (%s)", c.Before.TTL, strings.Join(c.Before.Data, " | "), owner)
		}
		if c.After != nil {
			fmt.Fprintf(&b, " → %d %s", c.After.TTL, strings.Join(c.After.Data, " | "))
		}
		b.WriteString("\n")
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	if p.Marker.Before.Equal(p.Marker.After) {
		return b.String()
	}
	var owned []string
	for _, o := range p.Marker.After.Owned {
		owned = append(owned, strings.Join(append([]string{o.Name + " " + o.Type}, o.Values...), "+"))
	}
	fmt.Fprintf(&b, "marker: %s\n", strings.Join(owned, ", "))
	return b.String()
}

// plain is a domain for which nothing is derived but an A record at the apex.
func plain(t testing.TB) Domain {
	d := entry(t, "kopasex.se")
	d.DNS.Mail, d.DNS.CAA, d.DNS.Hosts = MailKeep, CAANone, []string{"@"}
	d.DNS.Addresses = d.DNS.Addresses[:1]
	return d
}

// owning is the marker RRset of a portfolio that owns the keys, and the TXT
// values.
func owning(portfolio string, keys ...string) RRset {
	m := Marker{Portfolio: MarkerID(portfolio)}
	for _, k := range keys {
		f := strings.SplitN(k, " ", 3)
		o := Owned{Key: Key{f[0], f[1]}}
		if len(f) == 3 {
			o.Values = []string{hashValue(f[2])}
		}
		m.Owned = append(m.Owned, o)
	}
	m.Owned = tidyOwned(m.Owned)
	return m.RRset()
}

const apexA = "create @ A → 300 192.0.2.10\n"

func TestDiff(t *testing.T) {
	t.Parallel()
	spf, dmarc := "v=spf1 -all", dmarcNone
	mail := func(d *Domain) { d.DNS.Mail, d.DNS.Addresses = MailNone, nil }
	ours := func(keys ...string) RRset { return owning("duavgor", keys...) }
	here := set("@", "A", 300, "192.0.2.10")

	for name, c := range map[string]struct {
		edit func(*Domain)
		obs  []RRset
		want string
	}{
		"new": {
			want: apexA + "note: marks the zone as managed by this portfolio\nmarker: @ A\n",
		},
		"as wanted": {obs: []RRset{here, ours("@ A")}},
		"equal but not ours yet": {
			obs:  []RRset{here},
			want: "note: marks the zone as managed by this portfolio\nnote: takes over 1 RRset that already stands as wanted: @ A\nmarker: @ A\n",
		},
		"equal, in a zone of ours": {
			obs:  []RRset{here, ours("www A"), set("www", "A", 60, "192.0.2.1")},
			want: "delete www A 60 192.0.2.1 (ours)\nnote: takes over 1 RRset that already stands as wanted: @ A\nmarker: @ A\n",
		},
		"what stood there is replaced": {
			obs:  []RRset{set("@", "A", 3600, "198.51.100.7")},
			want: "update @ A 3600 198.51.100.7 (foreign) → 300 192.0.2.10\nnote: marks the zone as managed by this portfolio\nmarker: @ A\n",
		},
		"a TTL alone": {
			obs:  []RRset{set("@", "A", 60, "192.0.2.10"), ours("@ A")},
			want: "update @ A 60 192.0.2.10 (ours) → 300 192.0.2.10\n",
		},
		"drift": {
			obs:  []RRset{ours("@ A")},
			want: apexA,
		},
		"no longer wanted": {
			edit: func(d *Domain) { d.DNS.Addresses = nil },
			obs:  []RRset{here, set("www", "A", 60, "192.0.2.1"), ours("@ A")},
			want: "delete @ A 300 192.0.2.10 (ours)\nnote: takes this portfolio's mark off the zone\nmarker: \n",
		},
		"gone already": {
			obs:  []RRset{here, ours("@ A", "www A")},
			want: "marker: @ A\n",
		},
		"foreign stays": {
			obs: []RRset{here, ours("@ A"), set("blog", "A", 60, "198.51.100.1"), set("@", "TXT", 60, "x"), set("@", "MX", 60, "10 mx.example.")},
		},
		"foreign marker": {
			obs:  []RRset{owning("other")},
			want: "error: kopasex.se: the zone is managed by another portfolio (d010aa9b54db455c): take the domain out of one of the two lists; if the other has given it up, delete the TXT RRset at _domherre.kopasex.se\n",
		},
		"foreign marker with ownership none": {
			edit: func(d *Domain) { d.DNS.Ownership = OwnNone },
			obs:  []RRset{owning("other")},
			want: "error: kopasex.se: the zone is managed by another portfolio (d010aa9b54db455c): take the domain out of one of the two lists; if the other has given it up, delete the TXT RRset at _domherre.kopasex.se\n",
		},
		"unreadable marker": {
			obs: []RRset{set("_domherre", "TXT", 60, "hello"), set("www", "A", 60, "192.0.2.1")},
			want: "error: kopasex.se: the marker \"hello\" can't be read: it is not from domherre; update domherre, or delete the TXT RRset at _domherre.kopasex.se: " +
				"nothing else is lost, what already stands as wanted is taken over\n",
		},

		"CNAME in the way": {
			edit: func(d *Domain) { d.DNS.Hosts = []string{"www"} },
			obs:  []RRset{set("www", "CNAME", 60, "parking.example.")},
			want: "create www A → 300 192.0.2.10\ndelete www CNAME 60 parking.example. (foreign)\nnote: marks the zone as managed by this portfolio\nmarker: www A\n",
		},
		"alias kinds in the way": {
			obs:  []RRset{set("@", "ALIAS", 60, "parking.example."), set("www", "ALIAS", 60, "parking.example.")},
			want: apexA + "delete @ ALIAS 60 parking.example. (foreign)\nnote: marks the zone as managed by this portfolio\nmarker: @ A\n",
		},
		"records in the way of a CNAME": {
			edit: func(d *Domain) {
				d.DNS.Addresses, d.DNS.Records = nil, []RRset{set("blog", "CNAME", 0, "x.example.")}
			},
			obs: []RRset{set("blog", "A", 60, "198.51.100.1"), set("blog", "TXT", 60, "x")},
			want: "delete blog A 60 198.51.100.1 (foreign)\ncreate blog CNAME → 300 x.example.\ndelete blog TXT 60 x (foreign)\n" +
				"note: marks the zone as managed by this portfolio\nmarker: blog CNAME\n",
		},
		"CNAME in the way that is never touched": {
			edit: func(d *Domain) { d.DNS.Hosts, d.DNS.Ignore = []string{"www"}, []string{"* CNAME"} },
			obs:  []RRset{set("www", "CNAME", 60, "parking.example.")},
			want: "error: kopasex.se: www CNAME stands in the way of what is wanted there, and is never touched: delete it at the provider, or take www out of the entry\n",
		},
		"delegation in the way": {
			edit: func(d *Domain) { d.DNS.Hosts = []string{"a.www"} },
			obs:  []RRset{set("www", "NS", 60, "ns.example.")},
			want: "error: kopasex.se: a.www can't be reached: www has NS records that lead elsewhere: delete it at the provider, or take a.www out of the entry\n",
		},
		"DNAME in the way": {
			edit: func(d *Domain) { d.DNS.Hosts = []string{"www"} },
			obs:  []RRset{set("@", "DNAME", 60, "other.example.")},
			want: "error: kopasex.se: www can't be reached: @ has DNAME records that lead elsewhere: delete it at the provider, or take www out of the entry\n",
		},

		"never touched": {
			edit: func(d *Domain) {
				d.DNS.Ownership, d.DNS.Ignore = OwnExclusive, []string{"*.lab TXT", "keep*"}
			},
			obs: []RRset{
				here, ours("@ A"), set("@", "NS", 60, "ns.example."), set("_acme-challenge", "TXT", 60, "x"), set("_acme-challenge.www", "CNAME", 60, "x.example."),
				set("a.lab", "TXT", 60, "x"), set("a.lab", "A", 60, "198.51.100.1"), set("keeper", "MX", 60, "10 x.example."),
			},
			want: "delete a.lab A 60 198.51.100.1 (foreign)\n",
		},
		"declared where never touched": {
			edit: func(d *Domain) {
				d.DNS.Records = []RRset{set("_acme-challenge", "CNAME", 0, "x.example.")}
			},
			obs:  []RRset{here, ours("@ A")},
			want: "note: _acme-challenge CNAME is left out: it matches what is never touched\n",
		},
		"ours, but ignored since": {
			edit: func(d *Domain) { d.DNS.Ignore = []string{"www"} },
			obs:  []RRset{here, set("www", "A", 60, "198.51.100.1"), ours("@ A", "www A")},
		},
		"apex NS declared": {
			edit: func(d *Domain) { d.DNS.Records = []RRset{set("@", "NS", 0, "ns.example.")} },
			obs:  []RRset{here, set("@", "NS", 60, "old.example."), ours("@ A")},
			want: "update @ NS 60 old.example. (foreign) → 300 ns.example.\n",
		},

		"exclusive": {
			edit: func(d *Domain) { d.DNS.Ownership = OwnExclusive },
			obs:  []RRset{here, set("@", "TXT", 60, "x", "y"), set("@", "MX", 60, "10 mx.example."), set("blog", "A", 60, "198.51.100.1")},
			want: "delete @ MX 60 10 mx.example. (foreign)\ndelete @ TXT 60 x | y (foreign)\ndelete blog A 60 198.51.100.1 (foreign)\n" +
				"note: marks the zone as managed by this portfolio\nnote: takes over 1 RRset that already stands as wanted: @ A\nmarker: @ A\n",
		},
		"none never deletes, never marks": {
			edit: func(d *Domain) { d.DNS.Ownership = OwnNone },
			obs:  []RRset{set("@", "A", 300, "198.51.100.7"), set("www", "A", 60, "192.0.2.1"), set("@", "TXT", 60, "x"), ours("www A")},
			want: "update @ A 300 198.51.100.7 (foreign) → 300 192.0.2.10\n",
		},
		"none with a CNAME in the way": {
			edit: func(d *Domain) { d.DNS.Ownership, d.DNS.Hosts = OwnNone, []string{"www"} },
			obs:  []RRset{set("www", "CNAME", 60, "parking.example.")},
			want: "error: kopasex.se: www CNAME stands in the way of what is wanted there, and with ownership: none nothing is deleted: delete it at the provider, or take www out of the entry\n",
		},

		"TXT shared with others": {
			edit: func(d *Domain) {
				d.DNS.Addresses, d.DNS.Records = nil, []RRset{set("@", "TXT", 0, "ours=1")}
			},
			obs:  []RRset{set("@", "TXT", 3600, "theirs=1")},
			want: "update @ TXT 3600 theirs=1 (foreign) → 3600 ours=1 | theirs=1\nnote: marks the zone as managed by this portfolio\nmarker: @ TXT+" + hashValue("ours=1") + "\n",
		},
		"TXT shared, as wanted but for the TTL": {
			edit: func(d *Domain) {
				d.DNS.Addresses, d.DNS.Records = nil, []RRset{set("@", "TXT", 0, "ours=1")}
			},
			obs: []RRset{set("@", "TXT", 3600, "ours=1", "theirs=1"), ours("@ TXT ours=1")},
		},
		"TXT value replaced beside others": {
			edit: func(d *Domain) {
				d.DNS.Addresses, d.DNS.Records = nil, []RRset{set("@", "TXT", 0, "ours=2")}
			},
			obs:  []RRset{set("@", "TXT", 3600, "ours=1", "theirs=1"), ours("@ TXT ours=1")},
			want: "update @ TXT 3600 ours=1 | theirs=1 (ours) → 3600 ours=2 | theirs=1\nmarker: @ TXT+" + hashValue("ours=2") + "\n",
		},
		"TXT value no longer wanted": {
			obs:  []RRset{here, set("@", "TXT", 3600, "ours=1", "theirs=1"), ours("@ A", "@ TXT ours=1")},
			want: "update @ TXT 3600 ours=1 | theirs=1 (ours) → 3600 theirs=1\nmarker: @ A\n",
		},
		"TXT wholly ours no longer wanted": {
			obs:  []RRset{here, set("@", "TXT", 3600, "ours=1"), ours("@ A", "@ TXT ours=1")},
			want: "delete @ TXT 3600 ours=1 (ours)\nmarker: @ A\n",
		},
		"TXT value that others put in ours": {
			obs:  []RRset{here, set("@", "TXT", 3600, "theirs=1"), ours("@ A", "@ TXT ours=1")},
			want: "marker: @ A\n",
		},
		"one SPF and one DMARC": {
			edit: mail,
			obs: []RRset{
				set("@", "TXT", 60, "V=spf1 include:x.example ~all", "theirs=1"), set("_dmarc", "TXT", 60, "v = DMARC1; p=none"),
				set("*._domainkey", "TXT", 60, "k=rsa; p=AAAA"), set("@", "MX", 300, "0 ."), set("*", "TXT", 60, "v=spf10 x"),
			},
			want: "update @ TXT 60 V=spf1 include:x.example ~all | theirs=1 (foreign) → 60 theirs=1 | v=spf1 -all\n" +
				"update * TXT 60 v=spf10 x (foreign) → 60 v=spf1 -all | v=spf10 x\n" +
				"update *._domainkey TXT 60 k=rsa; p=AAAA (foreign) → 300 v=DKIM1; p=\n" +
				"update _dmarc TXT 60 v = DMARC1; p=none (foreign) → 300 " + dmarc + "\n" +
				"note: marks the zone as managed by this portfolio\nnote: takes over 1 RRset that already stands as wanted: @ MX\n" +
				"marker: @ MX, @ TXT+" + hashValue(spf) + ", * TXT+" + hashValue(spf) + ", *._domainkey TXT+" + hashValue(dkimNone) + ", _dmarc TXT+" + hashValue(dmarc) + "\n",
		},
		"foreign MX": {
			edit: func(d *Domain) {
				mail(d)
				d.DNS.Records = []RRset{set("@", "TXT", 0, "ours=1")}
			},
			obs: []RRset{set("@", "MX", 60, "10 mx.example."), set("@", "TXT", 60, "v=spf1 mx -all")},
			want: "update @ TXT 60 v=spf1 mx -all (foreign) → 60 ours=1 | v=spf1 mx -all\n" +
				"note: mail: none is left out: @ has an MX that isn't ours (10 mx.example.); say mail: none (or keep) in the domain's own entry to settle it\n" +
				"note: marks the zone as managed by this portfolio\nmarker: @ TXT+" + hashValue("ours=1") + "\n",
		},
		"foreign MX at another name": {
			edit: mail,
			obs:  []RRset{set("news", "MX", 60, "10 mx.example.")},
			want: "note: mail: none is left out: news has an MX that isn't ours (10 mx.example.); say mail: none (or keep) in the domain's own entry to settle it\n",
		},
		"foreign MX beside a lock of ours": {
			edit: mail,
			obs: []RRset{
				set("news", "MX", 60, "10 mx.example."), set("@", "MX", 300, "0 ."), set("@", "TXT", 300, spf), set("_dmarc", "TXT", 60, "v=DMARC1; p=none"),
				ours("@ MX", "@ TXT "+spf),
			},
			want: "note: mail: none is left out: news has an MX that isn't ours (10 mx.example.); say mail: none (or keep) in the domain's own entry to settle it\n",
		},
		"foreign MX, and the entry says none": {
			edit: func(d *Domain) { mail(d); d.DNS.MailExplicit = true },
			obs:  []RRset{set("@", "MX", 60, "10 mx.example."), set("@", "TXT", 300, spf), set("*", "TXT", 300, spf), set("*._domainkey", "TXT", 300, dkimNone), set("_dmarc", "TXT", 300, dmarc)},
			want: "update @ MX 60 10 mx.example. (foreign) → 300 0 .\nnote: marks the zone as managed by this portfolio\n" +
				"note: takes over 4 RRsets that already stand as wanted: @ TXT, * TXT, *._domainkey TXT, _dmarc TXT\n" +
				"marker: @ MX, @ TXT+" + hashValue(spf) + ", * TXT+" + hashValue(spf) + ", *._domainkey TXT+" + hashValue(dkimNone) + ", _dmarc TXT+" + hashValue(dmarc) + "\n",
		},
		"MX declared": {
			edit: func(d *Domain) {
				d.DNS.Addresses, d.DNS.Records = nil, []RRset{set("@", "MX", 0, "10 new.example.")}
			},
			obs:  []RRset{set("@", "MX", 60, "10 mx.example.")},
			want: "update @ MX 60 10 mx.example. (foreign) → 300 10 new.example.\nnote: marks the zone as managed by this portfolio\nmarker: @ MX\n",
		},

		"CAA": {
			edit: func(d *Domain) { d.DNS.CAA = CAAAuto },
			obs:  []RRset{here, ours("@ A"), set("www", "MX", 60, "0 ."), set("_x", "CNAME", 60, "x.example."), set("a._x", "A", 60, "192.0.2.1")},
			want: `create @ CAA → 300 0 issue "letsencrypt.org" | 0 issuemail ";" | 0 issuewild ";"` + "\nmarker: @ A, @ CAA\n",
		},
		"CAA where others live": {
			edit: func(d *Domain) { d.DNS.CAA = CAAAuto },
			obs:  []RRset{here, ours("@ A"), set("blog", "A", 60, "192.0.2.1"), set("blog", "AAAA", 60, "2001:db8::1"), set("shop", "CNAME", 60, "x.example.")},
			want: "note: caa: auto is left out: hosts that aren't ours live in the zone (blog, shop), and CAA would bind them too; list the values for this domain to settle it\n",
		},
		"CAA where many others live": {
			edit: func(d *Domain) { d.DNS.CAA = CAAAuto },
			obs: []RRset{here, ours("@ A"), set("a", "A", 60, "192.0.2.1"), set("b", "A", 60, "192.0.2.1"), set("c", "A", 60, "192.0.2.1"),
				set("d", "A", 60, "192.0.2.1"), set("e", "A", 60, "192.0.2.1"), set("f", "A", 60, "192.0.2.1")},
			want: "note: caa: auto is left out: hosts that aren't ours live in the zone (a, b, c and 3 more), and CAA would bind them too; list the values for this domain to settle it\n",
		},
		"CAA of ours where others live since": {
			edit: func(d *Domain) { d.DNS.CAA = CAAAuto },
			obs:  []RRset{here, ours("@ A", "@ CAA"), set("@", "CAA", 60, `0 issue "x.example"`), set("*", "A", 60, "192.0.2.1")},
			want: "note: caa: auto is left out: hosts that aren't ours live in the zone (*), and CAA would bind them too; list the values for this domain to settle it\n",
		},
		"CAA beside what is swept away": {
			edit: func(d *Domain) { d.DNS.CAA, d.DNS.Hosts = CAAAuto, []string{"www"} },
			obs:  []RRset{set("www", "CNAME", 60, "x.example.")},
			want: `create @ CAA → 300 0 issue "letsencrypt.org" | 0 issuemail ";" | 0 issuewild ";"` + "\ncreate www A → 300 192.0.2.10\ndelete www CNAME 60 x.example. (foreign)\n" +
				"note: marks the zone as managed by this portfolio\nmarker: @ CAA, www A\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := plain(t)
			if c.edit != nil {
				c.edit(&d)
			}
			f := facts(d)
			f.Certified = false
			zone := Zone{Name: d.Name, RRsets: slices.Clone(c.obs)}
			SortRRsets(zone.RRsets)
			des := Desire(&d, f, now)
			p := Diff(des, zone, "duavgor")
			if got := p.lines(); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
			if again := Diff(des, p.After(), "duavgor"); again.Pending() {
				t.Errorf("not done after it is carried out:\n%s", again.lines())
			}
		})
	}
}

func TestDiffWithoutTheState(t *testing.T) {
	t.Parallel()
	d := entry(t, "kopasex.se")
	held := Diff(Desire(&d, facts(d), now), zoneOf(t, "kopasex.se"), "duavgor").After()
	if p := Diff(Desire(&d, Facts{}, now), held, "duavgor"); p.Pending() {
		t.Errorf("who doesn't hold the state changes what depends on it:\n%s", p.lines())
	}
	d.DNS.Hosts = []string{"@"}
	p := Diff(Desire(&d, Facts{}, now), held, "duavgor")
	if !strings.Contains(p.lines(), "delete www HTTPS") || strings.Contains(p.lines(), "@ HTTPS 300") {
		t.Errorf("a host that is gone:\n%s", p.lines())
	}
}

func TestIgnored(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, name, typ string
		want               bool
	}{
		{"_acme-challenge*", "_acme-challenge", "TXT", true},
		{"_acme-challenge*", "_acme-challenge.www", "CNAME", true},
		{"_acme-challenge*", "www", "TXT", false},
		{"*.lab TXT", "a.lab", "TXT", true},
		{"*.lab  txt", "a.b.lab", "TXT", true},
		{"*.lab TXT", "a.lab", "A", false},
		{"*.lab TXT", "lab", "TXT", false},
		{"WWW", "www", "A", true},
		{"*", "@", "A", true},
		{"@", "@", "A", true},
		{`\*`, "*", "A", true},
		{`\*`, "www", "A", false},
		{"* TYPE*", "www", "TYPE65280", true},
		{"a*b*c", "axxbyyc", "A", true},
		{"a*b*c", "axxbyy", "A", false},
		{"", "www", "A", false},
	} {
		if got := Ignored(c.pattern, Key{c.name, c.typ}); got != c.want {
			t.Errorf("%q on %s %s: %v", c.pattern, c.name, c.typ, got)
		}
	}
}
