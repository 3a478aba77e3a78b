package portfolio

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// standing is the plan of a domain whose zone is as want says, seen by an entry
// that was edited since.
func standing(t testing.TB, domain string, edit func(*Domain), spoil func(*Zone)) DomainPlan {
	t.Helper()
	d := entry(t, domain)
	zone := Diff(Desire(&d, facts(d), now), zoneOf(t, domain), "duavgor").After()
	if edit != nil {
		edit(&d)
	}
	if spoil != nil {
		spoil(&zone)
	}
	return Diff(Desire(&d, facts(d), now), zone, "duavgor")
}

// standings are n domains that stand as wanted, and those edited before them.
func standings(t testing.TB, n int, edited ...DomainPlan) []DomainPlan {
	for i := range n - len(edited) {
		edited = append(edited, standing(t, fmt.Sprintf("as-wanted-%d.example", i), nil, nil))
	}
	return edited
}

func TestGuardOfOneDomain(t *testing.T) {
	t.Parallel()
	noWeb := func(d *Domain) { d.DNS.Addresses = nil } // 6 of 14: A, AAAA and HTTPS of two hosts
	empty := func(z *Zone) { z.RRsets = z.RRsets[:0] }
	noNS := func(z *Zone) {
		z.RRsets = slices.DeleteFunc(z.RRsets, func(s RRset) bool { return s.Type == "NS" })
	}
	ns := func(d *Domain) { d.DNS.Records = []RRset{set("@", "NS", 0, "ns.example.")} }

	for name, c := range map[string]struct {
		edit   func(*Domain)
		spoil  func(*Zone)
		max    float64
		before int // owned when last seen
		want   string
	}{
		"nothing to do":         {max: 0},
		"updates don't count":   {edit: func(d *Domain) { d.DNS.TTL = 60 }, max: 0},
		"too many deletes":      {edit: noWeb, max: 0.3, want: "would delete 6 of the 14 RRsets that are ours (43%, allowed 30%)"},
		"just enough deletes":   {edit: noWeb, max: 6.0 / 14},
		"no deletes at all":     {edit: noWeb, max: 0, want: "would delete 6 of the 14 RRsets that are ours (43%, allowed 0%)"},
		"all allowed":           {edit: noWeb, max: 1},
		"mail lock":             {edit: func(d *Domain) { d.DNS.Mail = MailKeep }, max: 0.6, want: "would delete 7 of the 7 RRsets of the mail lock (100%, allowed 60%)"},
		"CAA":                   {edit: func(d *Domain) { d.DNS.CAA = CAANone }, max: 0.3, want: "would delete 1 of 1 CAA RRset (100%, allowed 30%)"},
		"apex NS":               {edit: ns, max: 1, want: "would change the NS records of the apex, on which the delegation rests"},
		"apex NS where none is": {edit: ns, spoil: noNS, max: 1},
		"suddenly empty":        {spoil: empty, max: 1, before: 14, want: "the zone is suddenly empty at the provider, where 14 RRsets of ours stood before"},
		"suddenly missing":      {spoil: func(z *Zone) { empty(z); z.Missing = true }, max: 1, before: 1, want: "the provider suddenly has no such zone, where 1 RRset of ours stood before"},
		"always empty":          {spoil: empty, max: 1},
		"lock drifted, then two hosts' worth goes": {
			edit: noWeb, max: 0.3, spoil: func(z *Zone) {
				z.RRsets = slices.DeleteFunc(z.RRsets, func(s RRset) bool { return s.Type == "MX" })
			},
			want: "would delete 6 of the 12 RRsets that are ours (50%, allowed 30%)",
		},
		"a value of ours in a shared TXT": {
			edit: func(d *Domain) {
				*d = plain(t)
			}, max: 0.3, spoil: func(z *Zone) {
				z.RRsets = []RRset{set("@", "A", 300, "192.0.2.10"), set("@", "TXT", 60, "a", "b"), owning("duavgor", "@ A", "@ TXT a")}
			},
			want: "would delete 1 of the 2 RRsets that are ours (50%, allowed 30%)",
		},
		"exclusive counts all": {
			edit: func(d *Domain) {
				*d = plain(t)
				d.DNS.Ownership = OwnExclusive
			}, max: 0.3, spoil: func(z *Zone) {
				z.RRsets = []RRset{set("@", "A", 300, "192.0.2.10"), set("blog", "A", 60, "192.0.2.10")}
			},
			want: "would delete 1 of the 2 RRsets that are ours (50%, allowed 30%)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := standing(t, "kopasex.se", c.edit, c.spoil)
			others := standings(t, 20)
			accepted := []Domain{*d.Entry}
			accepted[0].Owned = c.before
			p := NewPlan("duavgor", now, append(others, d)).Apply(Guard(GuardFacts{MaxDelete: c.max, Accepted: accepted}))
			got, _ := p.Find("kopasex.se")
			if got.Refused != c.want || p.Summary.Refused != "" {
				t.Errorf("got %q, whole plan %q\nwant %q", got.Refused, p.Summary.Refused, c.want)
			}
			if c.want != "" && !slices.Contains(got.Notes, "refused: "+c.want) {
				t.Errorf("notes %q", got.Notes)
			}
			forced := p.Apply(Force)
			got, _ = forced.Find("kopasex.se")
			if got.Refused != "" || got.Forced != c.want || c.want != "" && !slices.Contains(got.Notes, "forced, though the guard says: "+c.want) {
				t.Errorf("forced: %q %q %q", got.Refused, got.Forced, got.Notes)
			}
		})
	}
}

func TestGuardOfTheWhole(t *testing.T) {
	t.Parallel()
	dropWWW := func(n int) []DomainPlan { // 5 of 14 each
		var plans []DomainPlan
		for i := range n {
			plans = append(plans, standing(t, fmt.Sprintf("less-%d.example", i), func(d *Domain) { d.DNS.Hosts = []string{"@"} }, nil))
		}
		return plans
	}
	dropV6 := func(n int) []DomainPlan { // 2 of 14 each
		var plans []DomainPlan
		for i := range n {
			plans = append(plans, standing(t, fmt.Sprintf("less-%d.example", i), func(d *Domain) { d.DNS.Addresses = d.DNS.Addresses[:1] }, nil))
		}
		return plans
	}
	gone := func(n int) []DomainPlan {
		var plans []DomainPlan
		for i := range n {
			d := entry(t, fmt.Sprintf("gone-%d.example", i))
			zone := Diff(Desire(&d, facts(d), now), zoneOf(t, d.Name.ASCII()), "duavgor").After()
			plans = append(plans, planLeaving(&d, zone, "duavgor"))
		}
		return plans
	}
	emptied := func(n int) []DomainPlan {
		var plans []DomainPlan
		for i := range n {
			plans = append(plans, standing(t, fmt.Sprintf("empty-%d.example", i), nil, func(z *Zone) { z.RRsets = z.RRsets[:0] }))
		}
		return plans
	}
	entries := func(n int) []Domain {
		var all []Domain
		for i := range n {
			all = append(all, entry(t, fmt.Sprintf("listed-%02d.example", i)))
		}
		return all
	}

	for name, c := range map[string]struct {
		plans  []DomainPlan
		listed []Domain
		before []Domain
		part   bool
		want   string
	}{
		"all well":                          {plans: standings(t, 10), listed: entries(10), before: entries(10)},
		"empty list":                        {before: entries(10), want: "the domain list is empty"},
		"empty list from the start":         {want: "the domain list is empty"},
		"lost too many":                     {listed: entries(6), before: entries(10), want: "the domain list has lost 4 of its 10 domains at once (40%, allowed 30%)"},
		"lost some":                         {listed: entries(7), before: entries(10)},
		"lost one of two":                   {listed: entries(1), before: entries(2)},
		"lost too many, but some are named": {listed: entries(6), before: entries(10), part: true},
		"lost before": {listed: entries(6), before: func() []Domain {
			all := entries(10)
			for i := range all[6:] {
				all[6+i].Leaving = true
			}
			return all
		}()},
		"one prunes":                  {plans: standings(t, 2, gone(1)...), listed: entries(2)},
		"many prune":                  {plans: standings(t, 6, gone(2)...), listed: entries(6), want: "would delete 28 of the portfolio's 84 RRsets (33%, allowed 30%)"},
		"few prune":                   {plans: standings(t, 7, gone(2)...), listed: entries(7)},
		"one loses much":              {plans: standings(t, 1, dropWWW(1)...), listed: entries(1)},
		"several lose much":           {plans: dropWWW(2), listed: entries(2), want: "would delete 10 of the portfolio's 28 RRsets (36%, allowed 30%)"},
		"many lose little":            {plans: standings(t, 16, dropV6(5)...), listed: entries(16), want: "would delete records of 5 of 16 domains (31%, allowed 30%)"},
		"a few lose little":           {plans: standings(t, 4, dropV6(4)...), listed: entries(4)},
		"all empty":                   {plans: emptied(2), listed: entries(2), want: "all 2 zones that were managed are suddenly empty at the provider"},
		"all but one empty":           {plans: standings(t, 3, emptied(2)...), listed: entries(3)},
		"all empty, and the list too": {plans: emptied(2), want: "the domain list is empty; all 2 zones that were managed are suddenly empty at the provider"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := c.before
			for _, p := range c.plans {
				d := *p.Entry
				d.Owned = 14
				before = append(before, d)
			}
			slices.SortFunc(before, func(a, b Domain) int { return strings.Compare(a.Name.ASCII(), b.Name.ASCII()) })
			listed := c.listed
			if len(c.plans) > 0 && len(listed) > 0 {
				listed = before
			}
			g := GuardFacts{MaxDelete: 0.3, Listed: listed, Accepted: before, Whole: !c.part}
			p := NewPlan("duavgor", now, slices.Clone(c.plans)).Apply(Guard(g))
			if p.Summary.Refused != c.want {
				t.Errorf("got %q\nwant %q", p.Summary.Refused, c.want)
			}
			if f := p.Apply(Force); f.Summary.Refused != "" || f.Forced != c.want {
				t.Errorf("forced: %q, %q", f.Summary.Refused, f.Forced)
			}
		})
	}
}
