package portfolio

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestUndoTakesBackEveryPlan(t *testing.T) {
	eachWorld(t, 1500, func(t *testing.T, w world, p DomainPlan) {
		e := Entry{ID: "e1", ASCII: p.ASCII, Changes: p.Changes}
		undo := Undo(e, &w.entry, applied(p), "duavgor")
		if undo.Err != nil {
			t.Fatal(undo.Err)
		}
		got := applied(undo)
		if !sameRecords(got, w.zone) {
			t.Errorf("got %v", got.RRsets)
		}
		if again := Undo(e, &w.entry, got, "duavgor"); again.Pending() {
			t.Errorf("still to do:\n%s", again.lines())
		}
		for _, o := range undo.Marker.After.Owned {
			before, was := p.Marker.Before.Find(o.Key)
			adopted, is := p.Marker.After.Find(o.Key)
			known := slices.Concat(before.Values, adopted.Values)
			if !was && !is || slices.ContainsFunc(o.Values, func(h string) bool { return !slices.Contains(known, h) }) {
				t.Errorf("%v is ours all of a sudden", o)
			}
		}
	})
}

// sameRecords compares all but the markers.
func sameRecords(a, b Zone) bool {
	plain := func(z Zone) string {
		return fmt.Sprint(slices.DeleteFunc(slices.Clone(z.RRsets), func(s RRset) bool { return s.Key() == MarkerKey }))
	}
	return plain(a) == plain(b)
}

func TestUndo(t *testing.T) {
	t.Parallel()
	d := plain(t)
	swap := Entry{ID: "e1", ASCII: "kopasex.se", Changes: []Change{
		{Op: OpDelete, Name: "www", Type: "CNAME", Before: &Before{TTL: 60, Data: []string{"p.example."}}},
		{Op: OpCreate, Name: "www", Type: "A", After: &After{TTL: 300, Data: []string{"192.0.2.10"}}},
	}}
	text := Entry{ID: "e1", ASCII: "kopasex.se", Changes: []Change{
		{Op: OpUpdate, Name: "@", Type: "TXT", Before: &Before{TTL: 60, Data: []string{"a", "b"}, Owned: true}, After: &After{TTL: 60, Data: []string{"b", "c"}}},
	}}
	for name, c := range map[string]struct {
		entry Entry
		obs   []RRset
		want  string
	}{
		"swap": {swap, []RRset{set("www", "A", 300, "192.0.2.10"), owning("duavgor", "www A")},
			"delete www A 300 192.0.2.10 (ours)\ncreate www CNAME → 60 p.example.\nmarker: \n"},
		"swap, changed since": {swap, []RRset{set("www", "A", 60, "198.51.100.1"), owning("duavgor", "www A")},
			"delete www A 60 198.51.100.1 (ours)\ncreate www CNAME → 60 p.example.\nnote: www A has changed since: it goes back all the same\nmarker: \n"},
		"swap, more since": {swap, []RRset{set("www", "A", 300, "192.0.2.10"), set("www", "MX", 300, "0 ."), owning("duavgor", "www A")},
			"error: kopasex.se: rolling back would put the CNAME of www beside its MX: roll back what came later first\n"},
		"undone already": {swap, []RRset{set("www", "CNAME", 60, "p.example.")}, ""},
		"another's by now": {swap, []RRset{owning("other")},
			"error: kopasex.se: the zone is managed by another portfolio (d010aa9b54db455c): take the domain out of one of the two lists; if the other has given it up, delete the TXT RRset at _domherre.kopasex.se\n"},
		"shared text": {text, []RRset{set("@", "TXT", 60, "b", "c", "d"), owning("duavgor", "@ TXT c")},
			"update @ TXT 60 b | c | d (ours) → 60 a | b | d\nnote: @ TXT has changed since: it goes back all the same\nmarker: \n"},
		"shared text, gone": {text, []RRset{owning("duavgor", "@ TXT c")},
			"create @ TXT → 60 a | b\nnote: @ TXT has changed since: it goes back all the same\nmarker: \n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := Zone{Name: d.Name, RRsets: slices.Clone(c.obs)}
			SortRRsets(zone.RRsets)
			if got := Undo(c.entry, &d, zone, "duavgor").lines(); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestRollback(t *testing.T) {
	t.Parallel()
	s := newScene(t, "kopasex.se", "b.example")
	s.edit("kopasex.se", func(z *Zone) {
		z.RRsets = append(z.RRsets, set("@", "A", 3600, "198.51.100.7"), set("www", "CNAME", 3600, "parking.example."))
	})
	before := s.zones.get(name(t, "kopasex.se"))
	s.run(Options{By: "anna@laptop"})
	i := slices.IndexFunc(s.store.entries, func(e Entry) bool { return e.ASCII == "kopasex.se" })
	entry := s.store.entries[i]

	roll := func(o Options) (Report, string) {
		report, err := s.r.Rollback(t.Context(), s.p, entry, o)
		if err != nil {
			t.Fatal(err)
		}
		return report, outcomes(report)
	}
	_, got := roll(Options{})
	s.want(got, "kopasex.se refused: kopasex.se: the guard refuses the plan: would delete 13 of the 14 RRsets that are ours (93%, allowed 30%); see it with plan, approve it with --force\nrefused")
	report, got := roll(Options{Force: true, By: "bo@laptop"})
	s.want(got, "kopasex.se applied\ndone")
	if !slices.Contains(report.Plan.Domains[0].Notes, "the configuration wants 15 RRsets otherwise: change it too, or the next apply puts that back") {
		t.Errorf("%q", report.Plan.Domains[0].Notes)
	}
	if after := s.zones.get(before.Name); after.Digest() != before.Digest() {
		t.Errorf("%v", after.RRsets)
	}
	if e := s.store.entries[2]; e.Undoes != entry.ID || e.By != "bo@laptop" || len(s.store.accepted) != 2 {
		t.Errorf("%+v", e)
	}
	_, got = roll(Options{})
	s.want(got, "kopasex.se unchanged\ndone")
	_, got = s.run(Options{})
	s.want(got, "b.example unchanged\nkopasex.se applied\ndone")

	s.zones.broken[before.Name] = fmt.Errorf("no answer")
	_, got = roll(Options{})
	s.want(got, "kopasex.se failed: kopasex.se: reading the zone at provider main: no answer\nfailed")
	entry.ASCII, entry.Domain = "elsewhere.example", "elsewhere.example"
	if _, err := s.r.Rollback(t.Context(), s.p, entry, Options{}); err == nil || !strings.Contains(err.Error(), "elsewhere.example is no longer in the portfolio: entry e") {
		t.Error(err)
	}
}
