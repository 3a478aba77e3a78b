package wire

import (
	"maps"
	"reflect"
	"sync"
	"testing"

	"domherre/state"
	"domherre/state/statetest"
)

// backends runs a test on every kind of state.
func backends(t *testing.T, test func(t *testing.T, open func() HitStore)) {
	run := func(t *testing.T, location string) {
		test(t, func() HitStore {
			s, err := state.Open(t.Context(), location, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			return HitStore{Store: s, Portfolio: "du-avgor"}
		})
	}
	t.Run("files", func(t *testing.T) { t.Parallel(); run(t, t.TempDir()) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); run(t, statetest.Postgres(t).URL("hits")) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Two nodes count the same domain; a third reads. What is written twice, older,
// or again after it was put into its month, counts once.
func TestHitsAreSummedOverNodes(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, open func() HitStore) {
		ctx := t.Context()
		one, two, reader := open(), open(), HitSums{HitStore: open()}
		const yesterday, today = "2026-11-30", "2026-12-01"
		sums := func(when string, wantTotal, wantToday int64) {
			t.Helper()
			for _, r := range []*HitSums{&reader, {HitStore: reader.HitStore}} { // with and without what it has read before
				total, ofToday, err := r.Read(ctx, today)
				must(t, err)
				if got := total["kopasex.se"].Sum(); got != wantTotal || ofToday["kopasex.se"].Sum() != wantToday {
					t.Errorf("%s: total %d, today %v; want %d, %d", when, got, ofToday, wantTotal, wantToday)
				}
			}
		}
		sums("nothing yet", 0, 0)
		must(t, one.Save(ctx, yesterday, "one", Tally{"kopasex.se": {Person: 5, Bot: 2}}))
		must(t, two.Save(ctx, yesterday, "two", Tally{"kopasex.se": {Person: 1}}))
		must(t, two.Save(ctx, today, "two", Tally{"kopasex.se": {Bot: 10}, "xn--kpasex-wxa.example": {Person: 7}}))
		sums("two nodes", 18, 10)
		must(t, one.Save(ctx, yesterday, "one", Tally{"kopasex.se": {Person: 6, Bot: 2}}))
		sums("one more visit", 19, 10)

		must(t, one.Compact(ctx, today))
		sums("compacted", 19, 10)
		must(t, one.Save(ctx, yesterday, "one", Tally{"kopasex.se": {Person: 8, Bot: 2}}))
		sums("late", 21, 10)
		must(t, two.Compact(ctx, today))
		must(t, two.Compact(ctx, today))
		must(t, one.Save(ctx, yesterday, "one", Tally{"kopasex.se": {Person: 5}}))
		sums("older than what is there", 21, 10)

		days, err := two.Load(ctx, today)
		must(t, err)
		if want := (HitDays{today: {"two": {"kopasex.se": {Bot: 10}, "xn--kpasex-wxa.example": {Person: 7}}}}); !reflect.DeepEqual(days, want) {
			t.Errorf("since today: %v", days)
		}
		days, err = two.Load(ctx, "")
		must(t, err)
		if want := (Tally{"kopasex.se": {Person: 8, Bot: 2}}); !maps.Equal(days[yesterday]["one"], want) {
			t.Errorf("all: %v", days)
		}
		own := HitSums{HitStore: two, Except: "two"}
		if total, ofToday, err := own.Read(ctx, today); err != nil || total["kopasex.se"].Sum() != 10 || len(ofToday) != 0 {
			t.Errorf("but for two: %v, %v, %v", total, ofToday, err)
		}
	})
}

// While days move into their months, nobody sees too little or too much.
func TestHitsWhileCompacting(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, open func() HitStore) {
		ctx := t.Context()
		days := []string{"2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03"}
		writer, reader := open(), HitSums{HitStore: open()}
		for _, day := range days {
			for _, process := range []string{"one", "two", "three"} {
				must(t, writer.Save(ctx, day, process, Tally{"kopasex.se": {Person: 1}}))
			}
		}
		var compacting sync.WaitGroup
		for range 2 {
			node := open()
			compacting.Go(func() {
				for _, day := range days {
					if err := node.Compact(ctx, day); err != nil {
						t.Error(err)
					}
				}
			})
		}
		over := make(chan struct{})
		go func() { compacting.Wait(); close(over) }()
		for last := false; !last; {
			select {
			case <-over:
				last = true
			default:
			}
			total, _, err := reader.Read(ctx, "")
			must(t, err)
			if got := total["kopasex.se"].Person; got != 15 {
				t.Fatalf("got %d, want 15", got)
			}
			all, err := reader.Load(ctx, "")
			must(t, err)
			n := 0
			for _, processes := range all {
				n += len(processes)
			}
			if n != 15 {
				t.Fatalf("got %d tallies, want 15", n)
			}
		}
	})
}
