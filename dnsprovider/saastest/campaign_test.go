package saastest_test

import (
	"testing"

	"domherre/dnsprovider"
	"domherre/dnsprovider/saastest"
	"domherre/portfolio"
)

// A campaign goes through its life: each state is reached in one run, served as
// wanted, and left alone by the next run.
func TestCampaign(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, v saastest.Vendor) {
		a := newAccount(t, v, 2)
		network.Serve(t, a.fake)
		a.rec.Zones = open(t, config(a.fake, a.fake.ServeDNS(t)), dnsprovider.Deps{})
		first := a.all.Domains[0]
		for _, state := range []struct {
			name   string
			change func(d *portfolio.DNSSettings)
		}{
			{"begins", func(*portfolio.DNSSettings) {}},
			{"moves", func(d *portfolio.DNSSettings) { d.Addresses = d.Addresses[:1] }},
			{"has a shop elsewhere", func(d *portfolio.DNSSettings) {
				d.Records = []portfolio.RRset{makeSet(t, first, "shop", "CNAME", 300, "shop.example.net."), makeSet(t, first, "info", "TXT", 300, "one", "two; three", `"four"`)}
			}},
			{"has it itself", func(d *portfolio.DNSSettings) {
				d.Records, d.Hosts = []portfolio.RRset{makeSet(t, first, "info", "TXT", 3600, "two; three")}, []string{"@", "www", "*", "shop"}
			}},
			{"gets mail", func(d *portfolio.DNSSettings) {
				d.Mail, d.Records = portfolio.MailKeep, []portfolio.RRset{makeSet(t, first, "@", "MX", 300, "10 mx1.example.net.", "20 mx2.example.net.")}
			}},
		} {
			for i := range a.all.Domains {
				state.change(&a.all.Domains[i].DNS)
			}
			a.reaches(state.name)
		}
		// By hand, one address goes and another comes.
		a.fake.Drop(idn, "@", "A")
		a.fake.Add(idn, "@ 300 IN A 198.51.100.9")
		a.reaches("is put right")
		a.ends(first)
	})
}

// reaches demands that one run does all, and that the next does nothing.
func (a *account) reaches(state string) {
	a.t.Helper()
	report, err := a.rec.RunOnce(a.t.Context(), a.all, portfolio.Options{Full: true, Force: true, Wait: true, By: "test"})
	if err != nil {
		a.t.Fatal(err)
	}
	for _, o := range report.Outcomes {
		if o.Outcome != portfolio.Applied && o.Outcome != portfolio.Unchanged || !o.Served.All() {
			a.t.Errorf("%s: %s %s: %v, served %s", state, o.Domain, o.Outcome, o.Err, o.Served)
		}
	}
	a.settled()
	if again := a.run(a.t.Context()); again.Count(portfolio.Unchanged) != len(a.all.Domains) {
		a.t.Errorf("%s: the next run still does something", state)
	}
	for _, c := range a.calls() {
		if c.Write {
			a.t.Fatalf("%s: the next run writes", state)
		}
	}
}

// ends takes a domain out of the portfolio: what is others' stays.
func (a *account) ends(d portfolio.Domain) {
	a.t.Helper()
	z, err := a.rec.Zones.Observe(a.t.Context(), d)
	if err != nil {
		a.t.Fatal(err)
	}
	var ours []portfolio.RRset
	for _, s := range z.RRsets {
		if s.Type != "NS" && s.Name != "old" {
			ours = append(ours, s)
		}
	}
	if err := a.rec.Zones.Write(a.t.Context(), portfolio.Write{Domain: d, Observed: z, Steps: []portfolio.Step{{Delete: ours}}}); err != nil {
		a.t.Fatal(err)
	}
	z, err = a.rec.Zones.Observe(a.t.Context(), d)
	for _, s := range z.RRsets {
		if s.Type != "NS" && s.Name != "old" || err != nil {
			a.t.Errorf("%s %s is left, %v", s.Name, s.Type, err)
		}
	}
}
