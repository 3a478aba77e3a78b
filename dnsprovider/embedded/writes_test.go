package embedded_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"domherre/portfolio"
)

func TestWriteZone(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	p := newProvider(t, store)
	n := name(t, "köpasex.example")
	z, err := p.ReadZone(t.Context(), n)
	must(t, err)
	if !z.Missing {
		t.Errorf("%+v", z)
	}
	sets := rrsets(t, n, "@ A 192.0.2.1\nwww CNAME @")
	must(t, p.WriteZone(t.Context(), n.FQDN(), z, []portfolio.Step{{Set: sets}}))
	first, err := p.ReadZone(t.Context(), n)
	must(t, err)
	if len(first.RRsets) != 3 || first.Serial == 0 || first.Missing {
		t.Errorf("%+v", first)
	}
	if err := p.WriteZone(t.Context(), n.FQDN(), z, []portfolio.Step{{Set: sets}}); !errors.Is(err, portfolio.ErrStale) {
		t.Errorf("writing from a stale zone: %v", err)
	}
	must(t, p.WriteZone(t.Context(), n.FQDN(), first, []portfolio.Step{{Delete: sets[1:], Set: sets[:1]}, {Set: sets[1:]}}))
	same, err := p.ReadZone(t.Context(), n)
	must(t, err)
	if same.Serial != first.Serial {
		t.Error("a change that changes nothing got a new serial")
	}
}

// TestStale has two writers at one RRset: one of them wins.
func TestStale(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	p := newProvider(t, store)
	n := name(t, "kopasex.example")
	write(t, p, "kopasex.example", "@ A 192.0.2.1\nwww A 192.0.2.1\nfree A 192.0.2.1")
	before, err := p.ReadZone(t.Context(), n)
	must(t, err)
	must(t, p.WriteZone(t.Context(), n.FQDN(), before, []portfolio.Step{{Set: rrsets(t, n, "www A 192.0.2.2\nnew A 192.0.2.2"), Delete: rrsets(t, n, "free A 192.0.2.1")}}))
	now, err := p.ReadZone(t.Context(), n)
	must(t, err)
	for _, test := range []struct {
		name string
		step portfolio.Step
	}{
		{"changed", portfolio.Step{Set: rrsets(t, n, "www A 192.0.2.3")}},
		{"TTL changed alone", portfolio.Step{Set: rrsets(t, n, "www 60 A 192.0.2.3")}},
		{"created", portfolio.Step{Set: rrsets(t, n, "new A 192.0.2.3")}},
		{"deleted", portfolio.Step{Set: rrsets(t, n, "free A 192.0.2.3")}},
		{"deleted, and deleted again", portfolio.Step{Delete: rrsets(t, n, "free A 192.0.2.1")}},
		{"deleting what has changed", portfolio.Step{Delete: rrsets(t, n, "www A 192.0.2.1")}},
		{"a CNAME where something came", portfolio.Step{Set: rrsets(t, n, "new CNAME @")}},
	} {
		err := p.WriteZone(t.Context(), n.FQDN(), before, []portfolio.Step{{Set: rrsets(t, n, "innocent A 192.0.2.9")}, test.step})
		if !errors.Is(err, portfolio.ErrStale) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	after, err := p.ReadZone(t.Context(), n)
	must(t, err)
	if after.Serial != now.Serial || after.Digest() != now.Digest() {
		t.Error("a stale write left something behind")
	}
	if err := p.WriteZone(t.Context(), n.FQDN(), portfolio.Zone{Name: n, Missing: true}, nil); !errors.Is(err, portfolio.ErrStale) {
		t.Errorf("creating what is there: %v", err)
	}
	gone := name(t, "duavgor.example")
	if err := p.WriteZone(t.Context(), gone.FQDN(), portfolio.Zone{Name: gone}, []portfolio.Step{{Set: rrsets(t, gone, "@ A 192.0.2.1")}}); !errors.Is(err, portfolio.ErrStale) {
		t.Errorf("changing what is gone: %v", err)
	}
	if zones, err := p.ListZones(t.Context()); err != nil || len(zones) != 1 {
		t.Errorf("zones: %v, %v", zones, err)
	}
}

// TestRefused asks for what no zone can hold: nothing changes.
func TestRefused(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	p := newProvider(t, store)
	n := name(t, "kopasex.example")
	write(t, p, "kopasex.example", "@ A 192.0.2.1\nwww CNAME @\nhost A 192.0.2.1")
	before, err := p.ReadZone(t.Context(), n)
	must(t, err)
	var long []string
	for i := range 300 {
		long = append(long, fmt.Sprint(i)+strings.Repeat("x", 200))
	}
	huge, err := portfolio.NewRRset(n, "huge", "TXT", 60, long)
	must(t, err)
	for want, sets := range map[string][]portfolio.RRset{
		"www has a CNAME to kopasex.example. beside A records; delete one of them first":  rrsets(t, n, "www A 192.0.2.1"),
		"host has a CNAME to kopasex.example. beside A records; delete one of them first": rrsets(t, n, "host CNAME @"),
		"a CNAME can't stand at the apex of a zone":                                       rrsets(t, n, "@ CNAME www"),
		"octets of records; no more than 49152 can be served":                             {huge},
		"two A has no data": {{Name: "two", Type: "A", TTL: 60}},
	} {
		err := p.WriteZone(t.Context(), n.FQDN(), before, []portfolio.Step{{Set: sets}})
		if err == nil || errors.Is(err, portfolio.ErrStale) || !strings.HasPrefix(err.Error(), "changing zone kopasex.example: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
	after, err := p.ReadZone(t.Context(), n)
	must(t, err)
	if after.Serial != before.Serial {
		t.Error("a refused write left something behind")
	}
	// The same, once what is in the way goes in the same write.
	must(t, p.WriteZone(t.Context(), n.FQDN(), before, []portfolio.Step{{Delete: rrsets(t, n, "www CNAME @\nhost A 192.0.2.1"), Set: rrsets(t, n, "www A 192.0.2.1\nhost CNAME @")}}))
}
