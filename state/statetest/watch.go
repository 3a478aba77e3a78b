package statetest

import (
	"context"
	"testing"
	"time"

	"domherre/state"
)

// wantChanges waits until each of want was told, and nothing but these.
func wantChanges(t *testing.T, keys <-chan string, want ...string) {
	t.Helper()
	missing := map[string]bool{}
	for _, key := range want {
		missing[key] = true
	}
	for len(missing) > 0 {
		select {
		case key, ok := <-keys:
			if !ok {
				t.Fatal("the watch ended")
			}
			if _, asked := missing[key]; !asked {
				t.Logf("told again, or too much: %s", key)
			}
			delete(missing, key)
		case <-time.After(patience):
			t.Fatalf("not told: %v", missing)
		}
	}
}

func watch(t *testing.T, s state.Store, prefix string) <-chan string {
	t.Helper()
	keys, err := s.Watch(t.Context(), prefix)
	must(t, err)
	return keys
}

func testWatch(t *testing.T, location string) {
	s, other := open(t, location), open(t, location)
	must(t, s.Store(t.Context(), "dns/old", nil))
	all, zones, one := watch(t, s, ""), watch(t, s, "dns/zones"), watch(t, s, "dns/zones/a.json")
	for range 3 { // folders come and go
		must(t, s.Store(t.Context(), "dns/zones/a.json", []byte("1")))
		wantChanges(t, all, "dns/zones/a.json")
		wantChanges(t, zones, "dns/zones/a.json")
		wantChanges(t, one, "dns/zones/a.json")
		must(t, other.Store(t.Context(), "dns/zones/b/c.json", []byte("1")))
		must(t, other.Store(t.Context(), "dns/zonesnot/d.json", []byte("1")))
		wantChanges(t, all, "dns/zones/b/c.json", "dns/zonesnot/d.json")
		wantChanges(t, zones, "dns/zones/b/c.json")
		must(t, other.Delete(t.Context(), "dns/zones"))
		wantChanges(t, all, "dns/zones/a.json", "dns/zones/b/c.json")
		wantChanges(t, zones, "dns/zones/a.json", "dns/zones/b/c.json")
		wantChanges(t, one, "dns/zones/a.json")
	}
	// A slow receiver holds nobody up, and misses nothing.
	var want []string
	for i := range 300 {
		key := "dns/zones/" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + ".json"
		want = append(want, key)
		must(t, s.Store(t.Context(), key, nil))
	}
	wantChanges(t, zones, want...)

	ctx, cancel := context.WithCancel(t.Context())
	ending, err := s.Watch(ctx, "dns")
	must(t, err)
	cancel()
	for range ending { // until closed
	}
}

func testWatchProcesses(t *testing.T, location string) {
	s := open(t, location)
	must(t, s.Store(t.Context(), "w/here", nil))
	keys := watch(t, s, "w")
	start(t, "store", location).finish(t)
	wantChanges(t, keys, "w/elsewhere", "w/here")
}
