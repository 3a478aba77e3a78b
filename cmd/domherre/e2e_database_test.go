package main

import (
	"testing"

	"domherre/state/statetest"
)

// Behind a pooler that hands each transaction to another connection, a fleet
// does what it does without.
func TestFleetBehindPooler(t *testing.T) {
	t.Parallel()
	server := statetest.Postgres(t)
	f := newFleetOn(t, server, statetest.URLAt(server.PgBouncer(), "fleet"), 2, "kopasex.se")
	for _, n := range f.nodes {
		f.until("the domain is live as "+n.name+" sees it", n.live("kopasex.se"))
	}
	first := f.leader(f.nodes...)
	f.alike("kopasex.se")
	f.kill(first)
	f.write("domains.txt", lines("kopasex.se", "later.example"))
	rest := f.others(first)
	f.within(takeover, "another one goes on", rest[0].live("kopasex.se", "later.example"))
	f.up(first)
	f.until("the node that comes back follows", first.live("kopasex.se", "later.example"))
	f.alike("kopasex.se", "later.example")
	for _, name := range []string{"kopasex.se", "later.example"} {
		if n := f.orders.of("www." + name); n != 1 {
			t.Errorf("%d orders for %s", n, name)
		}
	}
}

// The database's primary is killed and its standby takes over: visitors never
// notice, work goes on there, nothing is ordered anew, and nobody writes to the
// former primary when that comes back.
func TestDatabaseFailover(t *testing.T) {
	t.Parallel()
	first := statetest.Postgres(t)
	second := first.Standby()
	f := newFleetOn(t, first, statetest.ClusterURL("fleet", nil, first, second), 2, "kopasex.se")
	for _, n := range f.nodes {
		f.until("the domain is live as "+n.name+" sees it", n.live("kopasex.se"))
	}
	f.alike("kopasex.se")
	watched := f.watch("https://www.kopasex.se/")
	second.Follow(first)
	first.Kill()
	f.until("a node says what is wrong", f.nodes[0].notice("state"))
	second.Promote()
	f.write("domains.txt", lines("kopasex.se", "later.example"))
	f.within(takeover, "work goes on", f.nodes[0].live("kopasex.se", "later.example"), f.nodes[1].live("kopasex.se", "later.example"))
	first.Start() // as if nothing had happened
	leader := f.leader(f.nodes...)
	f.kill(leader)
	f.write("domains.txt", lines("kopasex.se", "later.example", "last.example"))
	rest := f.others(leader)
	f.within(takeover, "another one goes on", rest[0].live("kopasex.se", "later.example", "last.example"))
	f.up(leader)
	f.until("the node that comes back follows", leader.live("kopasex.se", "later.example", "last.example"))
	f.alike("kopasex.se", "later.example", "last.example")
	if n := first.Ask(`SELECT count(*)::text FROM fleet.value WHERE key LIKE '%later.example%' OR key LIKE '%last.example%'`); n != "0" {
		t.Errorf("%s values were written to the former primary", n)
	}
	for _, err := range watched() {
		t.Errorf("a visitor met nothing but errors: %v", err)
	}
	for _, name := range []string{"kopasex.se", "later.example", "last.example"} {
		if n := f.orders.of("www." + name); n != 1 {
			t.Errorf("%d orders for %s", n, name)
		}
	}
}
