package term

import (
	"bytes"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"domherre/portfolio"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func entry(t *testing.T, name string) portfolio.Domain {
	t.Helper()
	n, err := portfolio.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	return portfolio.Domain{Name: n, Provider: "main", Frontend: "https://www.frontend.example/", DNS: portfolio.DNSSettings{
		Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.10")}, Hosts: []string{"@", "www"}, TTL: 300,
		Mail: portfolio.MailNone, CAA: portfolio.CAAAuto, Ownership: portfolio.OwnMarker,
	}}
}

// planOf plans n domains that stand as wanted, but for what edit makes of the
// entry, and spoil of the zone, of the i-th.
func planOf(t *testing.T, n int, edit func(i int, d *portfolio.Domain), spoil func(i int, z *portfolio.Zone)) portfolio.Plan {
	t.Helper()
	var plans []portfolio.DomainPlan
	for i := range n {
		name := fmt.Sprintf("kopa%04d.example", i)
		if i == n-1 {
			name = "köpasex.example"
		}
		d := entry(t, name)
		facts := portfolio.Facts{Holder: true, Certified: true, CAA: []portfolio.IssuerCAA{{Domains: []string{"letsencrypt.org"}}}}
		ns := portfolio.RRset{Name: "@", Type: "NS", TTL: 3600, Data: []string{"ns1.example.net."}}
		zone := portfolio.Zone{Name: d.Name, RRsets: []portfolio.RRset{ns}}
		zone = portfolio.Diff(portfolio.Desire(&d, facts, noon), zone, "duavgor").After()
		if edit != nil {
			edit(i, &d)
		}
		if spoil != nil {
			spoil(i, &zone)
		}
		plan := portfolio.Diff(portfolio.Desire(&d, facts, noon), zone, "duavgor")
		plan.Observed = zone.Digest()
		plans = append(plans, plan)
	}
	guard := portfolio.Guard(portfolio.GuardFacts{MaxDelete: 0.3})
	return portfolio.NewPlan("duavgor", noon, plans, guard)
}

func moved(address string) func(*portfolio.Domain) {
	return func(d *portfolio.Domain) { d.DNS.Addresses = []netip.Addr{netip.MustParseAddr(address)} }
}

// TestGoldenPlans shows plans as people and programs read them, at the sizes of
// the campaign and of a hundred campaigns.
func TestGoldenPlans(t *testing.T) {
	t.Parallel()
	empty := func(_ int, z *portfolio.Zone) {
		z.RRsets = slices.DeleteFunc(z.RRsets, func(s portfolio.RRset) bool { return s.Type != "NS" })
	}
	last := func(n int, f func(*portfolio.Domain)) func(int, *portfolio.Domain) {
		return func(i int, d *portfolio.Domain) {
			if i == n-1 {
				f(d)
			}
		}
	}
	butTwo := func(i int, d *portfolio.Domain) {
		switch i {
		case 7:
			moved("192.0.2.77")(d)
		case 8: // stays as it is
		default:
			moved("192.0.2.11")(d)
		}
	}
	drifted := func(i int, z *portfolio.Zone) {
		if i == 3 {
			z.RRsets = append(z.RRsets, portfolio.RRset{Name: "blog", Type: "A", TTL: 60, Data: []string{"198.51.100.1"}})
			for j := range z.RRsets {
				if s := &z.RRsets[j]; s.Name == "www" && s.Type == "A" {
					s.Data, s.TTL = []string{"198.51.100.7"}, 60
				}
			}
			portfolio.SortRRsets(z.RRsets)
		}
	}
	fewer := func(i int, d *portfolio.Domain) {
		if i < 20 {
			d.DNS.Hosts = []string{"@"}
		}
	}
	for name, c := range map[string]struct {
		n     int
		edit  func(int, *portfolio.Domain)
		spoil func(int, *portfolio.Zone)
		lines int // at most; 0: any number
	}{
		"new-50":          {50, nil, empty, 0},
		"none-50":         {50, nil, nil, 1},
		"one-50":          {50, last(50, moved("192.0.2.11")), nil, 9},
		"drift-50":        {50, nil, drifted, 9},
		"refused-50":      {50, fewer, nil, 0},
		"exceptions-5000": {5000, butTwo, nil, 20},
		"new-5000":        {5000, nil, empty, 0},
		"one-5000":        {5000, last(5000, moved("192.0.2.11")), nil, 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := planOf(t, c.n, c.edit, c.spoil)
			var text, coloured bytes.Buffer
			(&Term{Out: &text}).Plan(plan)
			(&Term{Out: &coloured, colour: true}).Plan(plan)
			golden(t, name+".txt", text.String())
			golden(t, name+".ansi", strings.ReplaceAll(coloured.String(), "\x1b", "␛"))
			if n := strings.Count(text.String(), "\n"); c.lines > 0 && n > c.lines {
				t.Errorf("%d lines, not %d at most:\n%s", n, c.lines, text.String())
			}
			golden(t, name+".json", planJSON(t, plan))
		})
	}
}

// planJSON is a plan's JSON; of many domains, the first two and those in which
// something changes.
func planJSON(t *testing.T, p portfolio.Plan) string {
	t.Helper()
	if p.Summary.Domains > 50 {
		var some []portfolio.DomainPlan
		for i, d := range p.Domains {
			if i < 2 || len(d.Changes) > 0 && len(some) < 4 {
				some = append(some, d)
			}
		}
		p.Domains = some
	} else if p.Summary.Changed > 2 {
		p.Domains = p.Domains[:2]
	}
	var out bytes.Buffer
	if err := (&Term{Out: &out}).JSON(p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// golden compares with a file of testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}
