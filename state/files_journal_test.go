package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestJournalTorn cuts the journal's last line at every octet, as a killed
// process can leave it.
func TestJournalTorn(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	var ids []string
	for i := range 3 {
		id, err := s.Append(t.Context(), "kopasex.example", json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)))
		must(t, err)
		ids = append(ids, id)
	}
	months, err := s.months()
	must(t, err)
	file := filepath.Join(s.root, journalDir, months[0])
	whole, err := os.ReadFile(file)
	must(t, err)
	second := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for size := second; size < len(whole); size++ {
		torn := slices.Clone(whole[:size])
		if size%2 == 1 {
			torn = append(torn, 0, 0, 0) // a file system may leave what was never written
		}
		must(t, os.WriteFile(file, torn, 0o600))
		if got := idsOf(t, s); !slices.Equal(got, []string{ids[1], ids[0]}) {
			t.Fatalf("cut at %d: %q", size, got)
		}
		id, err := s.Append(t.Context(), "kopasex.example", json.RawMessage("1"))
		must(t, err)
		if got := idsOf(t, s); !slices.Equal(got, []string{id, ids[1], ids[0]}) {
			t.Fatalf("cut at %d and appended: %q", size, got)
		}
	}
	// A line that is no entry costs itself alone.
	must(t, os.WriteFile(file, append(slices.Clone(whole), "{garbage\n"...), 0o600))
	id, err := s.Append(t.Context(), "kopasex.example", json.RawMessage("1"))
	must(t, err)
	if got := idsOf(t, s); !slices.Equal(got, []string{id, ids[2], ids[1], ids[0]}) || id <= ids[2] {
		t.Errorf("with a bad line: %q", got)
	}
}

func idsOf(t *testing.T, s *files) []string {
	t.Helper()
	found, err := s.Entries(t.Context(), Filter{})
	must(t, err)
	var ids []string
	for _, e := range found {
		ids = append(ids, e.ID)
	}
	return ids
}

// TestJournalClock has the clock stand still, step back by a year and go on
// into another month.
func TestJournalClock(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	start := time.Date(2026, 11, 30, 23, 59, 59, 999_000_000, time.UTC)
	clock := []time.Time{start, start, start.AddDate(-1, 0, 0), start.Add(time.Hour), start.AddDate(0, 2, 0)}
	var made []string
	for _, now := range clock {
		s.now = func() time.Time { return now }
		id, err := s.Append(t.Context(), "a", json.RawMessage("1"))
		must(t, err)
		made = append([]string{id}, made...)
	}
	if got := idsOf(t, s); !slices.Equal(got, made) {
		t.Errorf("%q; want %q", got, made)
	}
	slices.Reverse(made)
	if !slices.IsSorted(made) {
		t.Errorf("not in order: %q", made)
	}
	months, err := s.months()
	must(t, err)
	if want := []string{"2027-01.jsonl", "2026-12.jsonl", "2026-11.jsonl"}; !slices.Equal(months, want) {
		t.Errorf("%q; want %q", months, want)
	}
	found, err := s.Entries(t.Context(), Filter{Limit: 4})
	must(t, err)
	if at := found[2].Time; !at.Equal(start.AddDate(-1, 0, 0)) {
		t.Errorf("an entry's time is %v, not what the clock said", at)
	}
}

func TestJournalLongLines(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	var last string
	for _, n := range []int{1, 8 << 10, 100_000, 8<<10 - 200, 3} {
		doc, err := json.Marshal(strings.Repeat("x", n))
		must(t, err)
		id, err := s.Append(t.Context(), "a", doc)
		must(t, err)
		newest, err := s.lastID()
		must(t, err)
		if newest != id || id <= last {
			t.Errorf("after %s came %s; the last is read as %s", last, id, newest)
		}
		last = id
	}
}

// TestJournalFull has an append fail half-way: nothing of it stays.
func TestJournalFull(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	id, err := s.Append(t.Context(), "a", json.RawMessage("1"))
	must(t, err)
	months, err := s.months()
	must(t, err)
	f, err := os.Open(filepath.Join(s.root, journalDir, months[0])) // for reading: writes fail
	must(t, err)
	defer f.Close()
	if err := s.appendTo(f, []byte("{}\n")); err == nil {
		t.Error("wrote to a file that is open for reading")
	}
	if got := idsOf(t, s); !slices.Equal(got, []string{id}) {
		t.Errorf("%q", got)
	}
}
