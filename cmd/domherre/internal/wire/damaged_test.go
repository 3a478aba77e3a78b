package wire

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"domherre/portfolio"
	"domherre/state"
)

// What is damaged in the state stops nothing: it is told, done without, and put
// right by the next write.
func TestDamagedValues(t *testing.T) {
	t.Parallel()
	store, err := state.Open(t.Context(), t.TempDir(), nil)
	must(t, err)
	t.Cleanup(func() { store.Close() })
	const id = "du-avgor"
	var log bytes.Buffer
	hits := HitStore{store, id, slog.New(slog.NewTextHandler(&log, nil))}
	must(t, hits.Save(t.Context(), "2026-12-01", "one", Tally{"kopasex.se": {Person: 3}}))
	name, err := portfolio.ParseName("kopasex.se")
	must(t, err)
	for _, key := range []string{acceptedKey(id), hstsKey(id), statusKey(id), hits.dayKey("2026-12-01", "two").key} {
		must(t, store.Store(t.Context(), key, []byte(`{"version":1,"do`+"\x00")))
	}

	accepted := Accepted{store, hits.Log}
	if got, err := accepted.LoadAccepted(t.Context(), id); got != nil || err != nil {
		t.Errorf("accepted: %v, %v", got, err)
	}
	runs := NewAcceptedRuns(accepted).Run()
	_, err = runs.LoadAccepted(t.Context(), id)
	must(t, err)
	must(t, runs.SaveAccepted(t.Context(), id, []portfolio.Domain{{Name: name}}))
	if got, err := accepted.LoadAccepted(t.Context(), id); len(got) != 1 || err != nil {
		t.Errorf("accepted after a run: %v, %v", got, err)
	}

	for range 2 { // the second time from what the first has written
		served, err := (HSTS{store}).Settle(t.Context(), id, []portfolio.Domain{{Name: name}})
		if err != nil || served[0].Redirect.HSTS != takeBackHSTS {
			t.Errorf("hsts: %q, %v", served[0].Redirect.HSTS, err)
		}
	}
	if _, ok, err := LoadStatus(t.Context(), store, id); ok || err != nil {
		t.Errorf("status: %v, %v", ok, err)
	}
	days, err := hits.Load(t.Context(), "")
	if err != nil || days["2026-12-01"]["one"]["kopasex.se"].Person != 3 {
		t.Errorf("hits: %v, %v", days, err)
	}
	total, _, err := (&HitSums{HitStore: hits}).Read(t.Context(), "2026-12-01")
	if err != nil || total["kopasex.se"].Person != 3 {
		t.Errorf("sums: %v, %v", total, err)
	}
	if err := hits.Compact(t.Context(), "2026-12-02"); err == nil || !store.Exists(t.Context(), hits.dayKey("2026-12-01", "one").key) {
		t.Errorf("a month is put together without what is damaged: %v", err)
	}
	if said := log.String(); !strings.Contains(said, "accepted.json") || !strings.Contains(said, "two.json") {
		t.Errorf("said: %s", said)
	}
}
