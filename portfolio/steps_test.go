package portfolio

import (
	"fmt"
	"strings"
	"testing"
)

func dumpSteps(steps []Step) string {
	var b strings.Builder
	keys := func(sets []RRset) string {
		var s []string
		for _, x := range sets {
			s = append(s, x.Name+" "+x.Type)
		}
		return strings.Join(s, ", ")
	}
	for _, s := range steps {
		if len(s.Delete) > 0 {
			fmt.Fprintf(&b, "delete %s", keys(s.Delete))
		}
		if len(s.Set) > 0 {
			fmt.Fprintf(&b, "set %s", keys(s.Set))
		}
		b.WriteString("\n")
	}
	return strings.ReplaceAll(b.String(), "set", " set")
}

func TestSteps(t *testing.T) {
	t.Parallel()
	here := set("@", "A", 300, "192.0.2.10")
	for name, c := range map[string]struct {
		edit func(*Domain)
		obs  []RRset
		want string
	}{
		"nothing":      {obs: []RRset{here, owning("duavgor", "@ A")}},
		"create":       {want: " set @ A\n set _domherre TXT\n"},
		"adopt":        {obs: []RRset{here}, want: " set _domherre TXT\n"},
		"ours already": {obs: []RRset{owning("duavgor", "@ A")}, want: " set @ A\n"},
		"delete":       {obs: []RRset{here, set("www", "A", 60, "192.0.2.1"), owning("duavgor", "@ A", "www A")}, want: "delete www A\n set _domherre TXT\n"},
		"delete the last": {
			edit: func(d *Domain) { d.DNS.Addresses = nil },
			obs:  []RRset{here, owning("duavgor", "@ A")},
			want: "delete @ A\ndelete _domherre TXT\n",
		},
		"create and delete": {
			obs:  []RRset{set("www", "A", 60, "192.0.2.1"), set("www", "TXT", 60, "x"), set("a.www", "A", 60, "192.0.2.1"), owning("duavgor", "www A", "www TXT x", "a.www A")},
			want: " set @ A\n set _domherre TXT\ndelete a.www A, www TXT, www A\n set _domherre TXT\n",
		},
		"swap": {
			edit: func(d *Domain) {
				d.DNS.Hosts, d.DNS.Mail, d.DNS.MailExplicit = []string{"@", "www"}, MailNone, true
				d.DNS.Records = []RRset{set("blog", "CNAME", 0, "x.example.")}
			},
			obs: []RRset{set("www", "CNAME", 60, "p.example."), set("*", "CNAME", 60, "p.example."), set("blog", "A", 60, "192.0.2.1"), set("blog", "TXT", 60, "x")},
			want: " set @ A, @ MX, @ TXT, _dmarc TXT, *._domainkey TXT\ndelete * CNAME set * TXT\ndelete blog A, blog TXT set blog CNAME\n" +
				"delete www CNAME set www A, www MX, www TXT\n set _domherre TXT\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := plain(t)
			if c.edit != nil {
				c.edit(&d)
			}
			zone := Zone{Name: d.Name, RRsets: c.obs}
			SortRRsets(zone.RRsets)
			f := facts(d)
			f.Certified = false
			if got := dumpSteps(Steps(Diff(Desire(&d, f, now), zone, "duavgor"))); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}
