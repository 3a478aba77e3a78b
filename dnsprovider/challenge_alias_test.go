package dnsprovider

import (
	"slices"
	"testing"

	"domherre/dnsprovider/dnstest"
	"domherre/portfolio"
)

// A challenge that is delegated by CNAME goes to where it leads: into a zone
// that isn't on the list, at another of our providers.
func TestChallengeDelegated(t *testing.T) {
	t.Parallel()
	s, err := Open([]Config{{Name: "main", Type: "embedded"}, {Name: "challenges", Type: "embedded"}}, Deps{Store: dnstest.NewStore(),
		Provider: func(n portfolio.Name) (string, bool) { return "main", n.ASCII() == "kopasex.se" }})
	if err != nil {
		t.Fatal(err)
	}
	d, other, ctx := domain(t, "kopasex.se"), domain(t, "challenges.example"), t.Context()
	other.Provider = "challenges"
	for _, w := range []struct {
		domain portfolio.Domain
		set    portfolio.RRset
	}{
		{d, rrset(t, d, "_acme-challenge", "CNAME", 60, "kopasex.challenges.example.")},
		{other, rrset(t, other, "@", "TXT", 60, "theirs")},
	} {
		zone := portfolio.Zone{Name: w.domain.Name, Missing: true}
		if err := s.Write(ctx, portfolio.Write{Domain: w.domain, Observed: zone, Steps: []portfolio.Step{{Set: []portfolio.RRset{w.set}}}}); err != nil {
			t.Fatal(err)
		}
	}
	served := func() []string {
		z, err := s.ObserveFull(ctx, other)
		if err != nil {
			t.Fatal(err)
		}
		set, _ := z.Find(portfolio.Key{Name: "kopasex", Type: "TXT"})
		return set.Data
	}
	const name = "_acme-challenge.kopasex.se."
	if err := s.Present(ctx, name, "proof"); err != nil {
		t.Fatal(err)
	}
	if got := served(); !slices.Equal(got, []string{"proof"}) {
		t.Errorf("where the alias leads: %q", got)
	}
	if err := s.CleanUp(ctx, name, "proof"); err != nil {
		t.Fatal(err)
	}
	if got := served(); len(got) > 0 {
		t.Errorf("left behind: %q", got)
	}
}
