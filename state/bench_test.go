package state_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"domherre/state"
	"domherre/state/statetest"
)

// each runs a benchmark with every kind of state.
func each(b *testing.B, run func(*testing.B, state.Store)) {
	b.Helper()
	for name, location := range map[string]func() string{
		"files":    func() string { return b.TempDir() },
		"postgres": func() string { return statetest.Postgres(b).URL("bench") },
		"sealed and cached postgres": func() string {
			return statetest.With(statetest.Postgres(b).URL("bench"), b.TempDir())
		},
	} {
		b.Run(name, func(b *testing.B) {
			s, err := statetest.Open(b.Context(), location())
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = s.Close() }) // a benchmark's state is thrown away
			b.ResetTimer()
			run(b, s)
		})
	}
}

func BenchmarkStore(b *testing.B) {
	each(b, func(b *testing.B, s state.Store) {
		value := make([]byte, 2000)
		for b.Loop() {
			if err := s.Store(b.Context(), "dns/zones/kopasex.example.json", value); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkStoreParallel(b *testing.B) {
	each(b, func(b *testing.B, s state.Store) {
		value := make([]byte, 2000)
		var n atomic.Int64
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := s.Store(b.Context(), fmt.Sprintf("dns/zones/%d.json", n.Add(1)%10_000), value); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkLoad(b *testing.B) {
	each(b, func(b *testing.B, s state.Store) {
		if err := s.Store(b.Context(), "dns/zones/kopasex.example.json", make([]byte, 2000)); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := s.Load(b.Context(), "dns/zones/kopasex.example.json"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLock(b *testing.B) {
	each(b, func(b *testing.B, s state.Store) {
		for b.Loop() {
			if err := s.Lock(b.Context(), "zone"); err != nil {
				b.Fatal(err)
			}
			if err := s.Unlock(b.Context(), "zone"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	each(b, func(b *testing.B, s state.Store) {
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Append(b.Context(), "kopasex.example", []byte(`{"changes":[]}`)); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkList10000(b *testing.B) {
	each(b, func(b *testing.B, s state.Store) {
		for i := range 10_000 {
			if err := s.Store(b.Context(), fmt.Sprintf("dns/zones/%d.json", i), nil); err != nil {
				b.Fatal(err)
			}
		}
		for b.Loop() {
			if keys, err := s.List(b.Context(), "dns/zones", false); err != nil || len(keys) != 10_000 {
				b.Fatal(len(keys), err)
			}
		}
	})
}
