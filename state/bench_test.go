package state_test

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"domherre/state"
)

func benchState(b *testing.B) state.Store {
	b.Helper()
	s, err := state.Open(b.Context(), b.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() }) // a benchmark's state is thrown away
	return s
}

func BenchmarkStore(b *testing.B) {
	s := benchState(b)
	value := make([]byte, 2000)
	var n atomic.Int64
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			if err := s.Store(b.Context(), "dns/zones/kopasex.example.json", value); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
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
	s := benchState(b)
	if err := s.Store(b.Context(), "dns/zones/kopasex.example.json", make([]byte, 2000)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Load(b.Context(), "dns/zones/kopasex.example.json"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLock(b *testing.B) {
	s := benchState(b)
	for b.Loop() {
		if err := s.Lock(b.Context(), "zone"); err != nil {
			b.Fatal(err)
		}
		if err := s.Unlock(b.Context(), "zone"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	s := benchState(b)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Append(b.Context(), "kopasex.example", []byte(`{"changes":[]}`)); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkList10000(b *testing.B) {
	s := benchState(b)
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
}
