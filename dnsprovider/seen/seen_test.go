package seen_test

import (
	"testing"
	"time"

	"domherre/dnsprovider/dnstest"
	"domherre/dnsprovider/seen"
	"domherre/portfolio"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	name, err := portfolio.ParseName("köpasex.example")
	if err != nil {
		t.Fatal(err)
	}
	set := portfolio.RRset{Name: "@", Type: "TXT", TTL: 300, Data: []string{"\x00\"ö\\;"}}
	zone := portfolio.Zone{Name: name, Serial: 7, RRsets: []portfolio.RRset{set}}
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	store, ctx := dnstest.NewStore(), t.Context()
	saved := func(m *seen.Memory) {
		t.Helper()
		if err := m.Save(ctx); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(what string, m *seen.Memory, want bool) {
		t.Helper()
		got, ok := m.Get(ctx, name)
		if ok != want || ok && (got.Serial != 7 || got.Digest() != zone.Digest()) {
			t.Errorf("%s: %v %+v", what, ok, got)
		}
	}
	m := seen.New(store, "main", "192.0.2.1:53", clock)
	holds("before", m, false)
	m.Put(ctx, zone)
	holds("at once", m, true)
	holds("unsaved", seen.New(store, "main", "192.0.2.1:53", clock), false)
	saved(m)
	holds("the next process", seen.New(store, "main", "192.0.2.1:53", clock), true)
	holds("another server by the same name", seen.New(store, "main", "192.0.2.2:53", clock), false)
	holds("another provider", seen.New(store, "other", "192.0.2.1:53", clock), false)
	now = now.Add(seen.Trusted)
	holds("within the hour", seen.New(store, "main", "192.0.2.1:53", clock), true)
	now = now.Add(time.Second)
	holds("after the hour", m, false)
	now = now.Add(-3 * time.Hour)
	holds("from the future", m, false)
	now = now.Add(2 * time.Hour)
	m.Forget(ctx, name)
	holds("forgotten", m, false)
	saved(m)
	holds("forgotten by the next too", seen.New(store, "main", "192.0.2.1:53", clock), false)
	var none seen.Memory
	none.Put(ctx, zone)
	saved(&none)
}

// Zones that hold the same are kept once, and told apart all the same.
func TestZonesThatShare(t *testing.T) {
	t.Parallel()
	store, ctx := dnstest.NewStore(), t.Context()
	zone := func(ascii, address string, serial uint32) portfolio.Zone {
		name, err := portfolio.ParseName(ascii)
		if err != nil {
			t.Fatal(err)
		}
		set := portfolio.RRset{Name: "@", Type: "A", TTL: 300, Data: []string{address}}
		return portfolio.Zone{Name: name, Serial: serial, RRsets: []portfolio.RRset{set}}
	}
	a, b, c := zone("a.example", "192.0.2.1", 1), zone("b.example", "192.0.2.1", 2), zone("c.example", "192.0.2.1", 3)
	m := seen.New(store, "main", "", nil)
	for _, z := range []portfolio.Zone{a, b, c} {
		m.Put(ctx, z)
	}
	b = zone("b.example", "192.0.2.2", 4)
	m.Put(ctx, b)
	m.Forget(ctx, c.Name)
	if err := m.Save(ctx); err != nil {
		t.Fatal(err)
	}
	for _, m := range []*seen.Memory{m, seen.New(store, "main", "", nil)} {
		for _, want := range []portfolio.Zone{a, b} {
			if got, ok := m.Get(ctx, want.Name); !ok || got.Serial != want.Serial || got.Digest() != want.Digest() {
				t.Errorf("%s: %v %+v", want.Name, ok, got)
			}
		}
		if got, ok := m.Get(ctx, c.Name); ok {
			t.Errorf("forgotten, and still there: %+v", got)
		}
	}
}
