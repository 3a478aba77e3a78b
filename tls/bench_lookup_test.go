package tls

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"domherre/state"
	"domherre/state/statetest"
)

// hanging is a store that answers nothing while it hangs.
type hanging struct {
	*memory
	mu sync.Mutex
}

func (h *hanging) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.memory.List(ctx, prefix, recursive)
}

func (h *hanging) Load(ctx context.Context, key string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.memory.Load(ctx, key)
}

// BenchmarkLookup is what a handshake pays for its certificate among 10,000,
// cold and warm, and what it pays while the store hangs and a Reload waits for
// it.
func BenchmarkLookup(b *testing.B) {
	f, memory := stocked(b, 10_000)
	over := func(b *testing.B, s *Manager) *Manager {
		s.issuers[0].key = benchKey(b)
		s.Manage(fleet(10_000))
		if err := s.Reload(b.Context()); err != nil {
			b.Fatal(err)
		}
		return s
	}
	store := &hanging{memory: memory}
	m := over(b, f.over(b, store, false))
	b.Run("cold", func(b *testing.B) { cold(b, m) })
	b.Run("warm", func(b *testing.B) { look(b, m) })
	store.mu.Lock()
	waits := reload(m)
	b.Run("store hangs", func(b *testing.B) { look(b, m) })
	store.mu.Unlock()
	if err := <-waits; err != nil {
		b.Fatal(err)
	}

	server := statetest.Postgres(b)
	writeRows(b, memory, server.URL("bench"))
	relay := statetest.NewRelay(b, server)
	db, err := state.Open(b.Context(), statetest.URLAt(relay.Dir, "bench"), slog.New(slog.DiscardHandler), state.WithCache(b.TempDir()))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	m = over(b, f.over(b, db, false))
	relay.Hang(true)
	waits = reload(m)
	b.Run("postgres hangs, cold", func(b *testing.B) { cold(b, m) })
	b.Run("postgres hangs, warm", func(b *testing.B) { look(b, m) })
	relay.Hang(false)
	<-waits
}

func reload(m *Manager) (done chan error) {
	done = make(chan error, 1)
	go func() { done <- m.Reload(context.Background()) }()
	return done
}

// cold looks each certificate up for the first time: its key is parsed.
func cold(b *testing.B, m *Manager) {
	for _, t := range *m.table.Load() {
		if c := t.cert.Load(); c != nil {
			c.ready.Store(nil)
		}
	}
	b.ResetTimer()
	look(b, m)
}

// look looks up one certificate after the other. The slowest of all is the
// machine's doing where other work keeps it busy.
func look(b *testing.B, m *Manager) {
	get := m.ServerConfig().GetCertificate
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		c, err := get(&tls.ClientHelloInfo{ServerName: fmt.Sprintf("www.domain%d.example", i%10_000)})
		took = append(took, time.Since(began))
		if c == nil || err != nil {
			b.Fatal("no certificate: ", err)
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*999/1000].Microseconds()), "µs-p99.9")
	b.ReportMetric(float64(took[len(took)-1].Microseconds()), "µs-slowest")
}
