package saastest_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"domherre/dnsprovider"
	"domherre/dnsprovider/saastest"
	"domherre/portfolio"
)

// account is a portfolio whose zones a vendor keeps.
type account struct {
	t     *testing.T
	fake  *saastest.Fake
	rec   portfolio.Reconciler
	all   portfolio.Portfolio
	seen  int // calls of the runs before
	begun time.Time
}

// foreign is what stands in every zone by others' hands.
var foreign = []string{"old 3600 IN A 198.51.100.7", `@ 3600 IN TXT "site-verification=1"`}

// withAccount gives a test so many domains at a vendor, all applied, by the
// clock of testing/synctest.
func withAccount(t *testing.T, v saastest.Vendor, domains int, test func(*account)) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t, v, domains)
		network.ServePipes(t, a.fake)
		a.opens()
		if got := a.run(a.t.Context()); got.Exit() != portfolio.ExitDone {
			a.failed(got)
		}
		a.settled()
		test(a)
	})
}

// opens opens the provider, as a program does that starts.
func (a *account) opens() {
	cfg := config(a.fake, "")
	cfg.Limits.Concurrency, cfg.Limits.Timeout = 2, 5*time.Second
	a.rec.Zones = unserved{open(a.t, cfg, dnsprovider.Deps{})}
}

// newAccount makes domains that others have put records into.
func newAccount(t *testing.T, v saastest.Vendor, domains int) *account {
	names := []string{idn}
	for i := range domains - 1 {
		names = append(names, fmt.Sprintf("c%d.example", i))
	}
	a := &account{t: t, fake: saastest.New(v, names...)}
	a.rec = portfolio.Reconciler{Facts: facts(v.Type), Now: time.Now, Parallel: 2}
	a.all = portfolio.Portfolio{ID: "duavgor", Campaign: "Du avgör!", MaxDelete: 0.3}
	for _, name := range names {
		a.fake.Add(name, foreign...)
		a.all.Domains = append(a.all.Domains, entry(t, name))
	}
	return a
}

// unserved is a provider without name servers.
type unserved struct{ *dnsprovider.Set }

func (unserved) Verify(context.Context, portfolio.Domain, []portfolio.RRset) portfolio.Served {
	return portfolio.Served{Servers: []portfolio.ServerAnswer{{Server: "ns1"}}}
}

func entry(t *testing.T, name string) portfolio.Domain {
	d := named(t, name)
	d.Frontend = "https://www.xn--duavgr-0xa.se/"
	d.DNS = portfolio.DNSSettings{
		Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("2001:db8::10")},
		Hosts:     []string{"@", "www", "*"}, TTL: 300, Mail: portfolio.MailNone, CAA: portfolio.CAAAuto, Ownership: portfolio.OwnMarker,
	}
	return d
}

// facts are those of the holder of the state, about a type.
func facts(typ string) func(portfolio.Domain) portfolio.Facts {
	f := portfolio.Facts{Holder: true, Certified: true, CAA: []portfolio.IssuerCAA{{
		Domains: []string{"ca.example"}, AccountURI: "https://ca.example/acct/1", Methods: []string{"dns-01"},
	}}}
	for _, t := range dnsprovider.Types() {
		if t.Name == typ {
			f.MinTTL, f.Unsupported = t.MinTTL, t.Unsupported
		}
	}
	return func(portfolio.Domain) portfolio.Facts { return f }
}

// moves makes all domains lead to another address.
func (a *account) moves(addr string) {
	for i := range a.all.Domains {
		a.all.Domains[i].DNS.Addresses[0] = netip.MustParseAddr(addr)
	}
}

// run applies the portfolio once.
func (a *account) run(ctx context.Context) portfolio.Report {
	a.seen, a.begun = len(a.fake.Calls()), time.Now()
	report, err := a.rec.RunOnce(ctx, a.all, portfolio.Options{Full: true, By: "test"})
	if err != nil {
		a.t.Fatal(err)
	}
	return report
}

// calls gives the requests of the last run.
func (a *account) calls() []saastest.Call { return a.fake.Calls()[a.seen:] }

// failed tells of a run that should have gone well.
func (a *account) failed(r portfolio.Report) {
	a.t.Helper()
	a.t.Errorf("the run ends as %s", r.Exit())
	for i, o := range r.Outcomes {
		if o.Err != nil {
			a.t.Errorf("%s: %v", o.Outcome, o.Err)
		}
		if d := r.Plan.Domains[i]; d.Err != nil {
			a.t.Errorf("plan: %v", d.Err)
		}
	}
}

// settled demands that there is nothing left to do, that what is foreign stands
// as it was, and that nothing was made twice.
func (a *account) settled() {
	a.t.Helper()
	a.nothingLeft()
	for _, d := range a.all.Domains {
		a.whole(d.Name.ASCII())
	}
}

// nothingLeft demands that there is nothing left to do.
func (a *account) nothingLeft() {
	a.t.Helper()
	plan, err := a.rec.Plan(a.t.Context(), a.all, portfolio.Options{Full: true})
	if err != nil || plan.Pending() || plan.Summary.Failed > 0 {
		a.t.Errorf("something is left to do: %+v, %v", plan.Summary, err)
	}
}

// whole demands that what is foreign stands as it was in a zone, and that
// nothing was made twice.
func (a *account) whole(zone string) {
	a.t.Helper()
	var held []string
	for _, line := range a.fake.Records(zone) {
		_, rr, _ := strings.Cut(line, " ")
		held = append(held, strings.Join(strings.Fields(rr), " "))
	}
	if once := slices.Compact(slices.Clone(held)); len(once) != len(held) {
		a.t.Errorf("%s has records twice:\n%s", zone, strings.Join(held, "\n"))
	}
	for _, want := range []string{"A 198.51.100.7", `TXT "site-verification=1"`} {
		if !slices.ContainsFunc(held, func(rr string) bool { return strings.HasSuffix(rr, want) }) {
			a.t.Errorf("%s has lost the foreign %s:\n%s", zone, want, strings.Join(held, "\n"))
		}
	}
}
