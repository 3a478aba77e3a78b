package dnsprovider

import (
	"testing"
	"time"

	"domherre/dnsprovider/dnstest"
	"domherre/portfolio"
)

// TestSweep takes away the challenge of a process that died, ours alone, and
// none that may be waited for still.
func TestSweep(t *testing.T) {
	t.Parallel()
	store, now := dnstest.NewStore(), time.Now()
	open := func() *Set {
		s, err := Open([]Config{{Name: "main", Type: "embedded"}}, Deps{Store: store, Now: func() time.Time { return now },
			Provider: func(portfolio.Name) (string, bool) { return "main", true }})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s, d, ctx := open(), domain(t, "kopasex.se"), t.Context()
	zone := portfolio.Zone{Name: d.Name, Missing: true}
	theirs := rrset(t, d, "_acme-challenge", "TXT", 60, "theirs")
	if err := s.Write(ctx, portfolio.Write{Domain: d, Observed: zone, Steps: []portfolio.Step{{Set: []portfolio.RRset{theirs}}}}); err != nil {
		t.Fatal(err)
	}
	const name = "_acme-challenge.kopasex.se."
	for _, value := range []string{"done", "left"} {
		if err := s.Present(ctx, name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CleanUp(ctx, name, "done"); err != nil {
		t.Fatal(err)
	}
	s = open() // the one before died
	want := func(after time.Duration, swept int, values ...string) {
		t.Helper()
		now = now.Add(after)
		if n, err := s.Sweep(ctx); err != nil || n != swept {
			t.Errorf("after %s: %d swept, %v", after, n, err)
		}
		z, err := s.ObserveFull(ctx, d)
		set, _ := z.Find(theirs.Key())
		if err != nil || len(set.Data) != len(values) {
			t.Errorf("after %s: %v, %v", after, set.Data, err)
		}
	}
	want(time.Minute, 0, "left", "theirs")
	want(challengeAge, 1, "theirs")
	want(challengeAge, 0, "theirs")
	if keys, _ := store.List(ctx, challengesPrefix, false); len(keys) != 0 {
		t.Errorf("%q stay noted", keys)
	}
}
