package statetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"domherre/state"
)

func entries(t *testing.T, s state.Store, f state.Filter) []state.Entry {
	t.Helper()
	found, err := s.Entries(t.Context(), f)
	must(t, err)
	return found
}

func ids(found []state.Entry) []string {
	var list []string
	for _, e := range found {
		list = append(list, e.ID)
	}
	return list
}

func testJournal(t *testing.T, location string) {
	s, other := open(t, location), open(t, location)
	if found := entries(t, s, state.Filter{}); len(found) > 0 {
		t.Errorf("an empty journal has %d entries", len(found))
	}
	if _, err := s.Append(t.Context(), "a", json.RawMessage(`{"a":`)); err == nil {
		t.Error("took a document that is no JSON")
	}
	var made []string // newest first
	start := time.Now()
	for i := range 6 {
		id, err := []state.Store{s, other}[i%2].Append(t.Context(), []string{"kopasex.example", "xn--kpasex-wxa.example", "x.test"}[i%3], fmt.Appendf(nil, "{\n \"n\": %d,\n \"s\": \"å\\n\"}", i))
		must(t, err)
		made = append([]string{id}, made...)
	}
	for _, test := range []struct {
		name   string
		filter state.Filter
		want   []string
	}{
		{"all", state.Filter{}, made},
		{"limit", state.Filter{Limit: 2}, made[:2]},
		{"subject", state.Filter{Subjects: []string{"x.test"}}, []string{made[0], made[3]}},
		{"subjects", state.Filter{Subjects: []string{"x.test", "kopasex.example", "no.test"}, Limit: 3}, []string{made[0], made[2], made[3]}},
		{"id", state.Filter{IDs: []string{made[4]}}, made[4:5]},
		{"since", state.Filter{Since: start.Add(-time.Hour)}, made},
		{"later", state.Filter{Since: start.Add(time.Hour)}, nil},
	} {
		if got := ids(entries(t, s, test.filter)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q; want %q", test.name, got, test.want)
		}
	}
	newest := entries(t, other, state.Filter{Limit: 1})[0]
	var doc struct {
		N int
		S string
	}
	must(t, json.Unmarshal(newest.Doc, &doc))
	if doc.N != 5 || doc.S != "å\n" || newest.Subject != "x.test" || newest.Time.Before(start.Add(-time.Second)) {
		t.Errorf("newest entry: %+v", newest)
	}
}

// testJournalWriters appends from many sides: IDs are unique, in order, and
// none is lost.
func testJournalWriters(t *testing.T, location string) {
	stores := []state.Store{open(t, location), open(t, location)}
	var mu sync.Mutex
	var made []string
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			for j := range 10 {
				id, err := stores[i%2].Append(t.Context(), "a", fmt.Appendf(nil, "[%d,%d]", i, j))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				made = append(made, id)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	found := ids(entries(t, stores[0], state.Filter{}))
	if sorted := slices.Sorted(slices.Values(found)); !slices.Equal(slices.Compact(sorted), slices.Sorted(slices.Values(made))) {
		t.Errorf("%d entries made, %d found", len(made), len(found))
	}
	slices.Reverse(found)
	if !slices.IsSorted(found) {
		t.Error("IDs don't sort in the order of appending")
	}
}

// testJournalKilled kills the writer again and again: every entry that it was
// told of is there.
func testJournalKilled(t *testing.T, location string) {
	s := open(t, location)
	var told []string
	for range 8 {
		c := start(t, "journal", location)
		for range 1 + rand.IntN(20) {
			told = append(told, c.hear(t))
		}
		told = append(told, c.kill()...)
	}
	id, err := s.Append(t.Context(), "a", json.RawMessage("1"))
	must(t, err)
	told = append(told, id)
	found := ids(entries(t, s, state.Filter{}))
	for _, id := range told {
		if !slices.Contains(found, id) {
			t.Errorf("entry %s is lost", id)
		}
	}
	slices.Reverse(found)
	if !slices.IsSorted(found) {
		t.Error("IDs don't sort in the order of appending")
	}
}

// testWriteKilled kills the writer of a value again and again: what stands is
// whole, and no older than what it was told of.
func testWriteKilled(t *testing.T, location string) {
	s := open(t, location)
	for range 10 {
		c := start(t, "write", location)
		var told string
		for range 1 + rand.IntN(10) {
			told = c.hear(t)
		}
		if rest := c.kill(); len(rest) > 0 {
			told = rest[len(rest)-1]
		}
		value, err := s.Load(t.Context(), "deep/value")
		must(t, err)
		n, err := number(value)
		must(t, err)
		if fmt.Sprint(n) != told && fmt.Sprint(n-1) != told {
			t.Errorf("value %d stands after number %s was stored", n, told)
		}
		keys, err := s.List(t.Context(), "", true)
		must(t, err)
		if !slices.Equal(keys, []string{"deep", "deep/value"}) {
			t.Errorf("half-written values show: %q", keys)
		}
	}
}
