package saastest_test

import (
	"testing"

	"domherre/dnsprovider"
	"domherre/dnsprovider/dnstest"
	"domherre/dnsprovider/saastest"
	"domherre/portfolio"
)

// A zone whose serial still stands is not read again, by this program or the
// next; one that was changed is, and all are where everything is to be read or
// no serial is told.
func TestSerials(t *testing.T) {
	t.Parallel()
	f := saastest.New(saastest.Loopia(), "a.example")
	network.Serve(t, f)
	cfg, deps, d := config(f, ""), dnsprovider.Deps{Store: dnstest.NewStore()}, named(t, "a.example")
	cfg.Settings["nameserver"] = f.ServeDNS(t)
	set := open(t, cfg, deps)
	made := 0
	read := func(what string, full, asked bool) portfolio.Zone {
		t.Helper()
		observe := set.Observe
		if full {
			observe = set.ObserveFull
		}
		z, err := observe(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		if now := len(f.Calls()); (now > made) != asked {
			t.Errorf("%s: %d requests are made", what, now-made)
		}
		made = len(f.Calls())
		return z
	}
	read("first", false, true)
	read("unchanged", false, false)
	f.Add("a.example", "www 300 IN A 192.0.2.1")
	if z := read("changed by hand", false, true); len(z.RRsets) != 2 {
		t.Errorf("the zone reads %v", z.RRsets)
	}
	read("in full", true, true)
	if err := set.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	set = open(t, cfg, deps)
	if z := read("by the next program", false, false); len(z.RRsets) != 2 {
		t.Errorf("the zone reads %v", z.RRsets)
	}

	// Before a write it is read, whatever its serial says.
	a := makeSet(t, d, "@", "A", 300, "192.0.2.1")
	if err := set.Write(t.Context(), portfolio.Write{Domain: d, Observed: read("before", false, false), Steps: []portfolio.Step{{Set: []portfolio.RRset{a}}}}); err != nil {
		t.Fatal(err)
	}
	made = len(f.Calls())
	if z := read("after a write", false, false); len(z.RRsets) != 3 {
		t.Errorf("the zone reads %v", z.RRsets)
	}
	cfg.Settings["nameserver"] = "127.0.0.1:1"
	set = open(t, cfg, deps)
	read("without serials", false, true)
	read("still without", false, true)
}
