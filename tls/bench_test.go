package tls

import (
	"bufio"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"domherre/state"
	"domherre/state/statetest"
	"domherre/tls/acmeca"
)

// The figures of docs/performance.md, section Certificates.

// benchCA is whose certificates lie in the states that are measured. Nobody is
// there, and nobody is asked.
const benchCA = "https://ca.example/directory"

// stocked makes a certificate for each of n domains, with an intermediate as
// public CAs have.
func stocked(tb testing.TB, n int) (f *fakeCA, store *memory) {
	tb.Helper()
	f, store = newFakeCA(tb), newMemory()
	f.bulk = 600 // what Let's Encrypt's have: some 1,000 octets
	f.above = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.cert.Raw})
	m := f.over(tb, store, false)
	m.issuers[0].key = benchKey(tb)
	m.Manage(fleet(n))
	if _, err := m.Renew(tb.Context(), Errand{}); err != nil {
		tb.Fatal(err)
	}
	return f, store
}

func benchKey(tb testing.TB) string {
	key, err := acmeca.Key(benchCA)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// writeFiles makes a state in files of what a store holds.
func writeFiles(tb testing.TB, store *memory) (dir string) {
	tb.Helper()
	dir = tb.TempDir()
	for folder, values := range store.data {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			tb.Fatal(err)
		}
		for key, value := range values {
			if err := os.WriteFile(filepath.Join(dir, key), value, 0o600); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return dir
}

// writeRows puts what a store holds into a database.
func writeRows(tb testing.TB, store *memory, location string) {
	tb.Helper()
	db, err := state.Open(tb.Context(), location, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	var all errgroup.Group
	all.SetLimit(8)
	for _, values := range store.data {
		for key, value := range values {
			all.Go(func() error { return db.Store(tb.Context(), key, value) })
		}
	}
	if err := all.Wait(); err != nil {
		tb.Fatal(err)
	}
}

// startup is what one start of the command idle showed.
type startup struct {
	handshake, all float64 // milliseconds since exec
	rss, own       float64 // KiB
}

func (s startup) best(o startup) startup {
	return startup{min(s.handshake, o.handshake), min(s.all, o.all), min(s.rss, o.rss), min(s.own, o.own)}
}

// measure starts the command idle.
func measure(b *testing.B, command string, args ...string) (s startup) {
	b.Helper()
	c := exec.Command(command, args...)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	s.handshake = float64(time.Since(began).Microseconds()) / 1000
	for _, figure := range []*float64{&s.all, &s.rss, &s.own} {
		lines.Scan()
		if *figure, err = strconv.ParseFloat(lines.Text(), 64); err != nil {
			b.Fatal(err)
		}
	}
	in.Close()
	if err := c.Wait(); err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkStart gives the best of its runs: the time to the first verified
// handshake, the time until all certificates are loaded, and the memory of the
// idle process (Linux only). States: files; PostgreSQL; with a cache on the
// node, which holds all; that cache alone, while nobody answers for PostgreSQL.
func BenchmarkStart(b *testing.B) {
	command := filepath.Join(b.TempDir(), "idle")
	if out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", command, "./testdata/idle").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for _, n := range []int{50, 1000, 10_000} {
		f, store := stocked(b, n)
		roots := filepath.Join(b.TempDir(), "root.pem")
		if err := os.WriteFile(roots, f.above, 0o600); err != nil {
			b.Fatal(err)
		}
		start := func(name, location, cache string) {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				best := startup{math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1)}
				for b.Loop() {
					best = best.best(measure(b, command, location, cache, fmt.Sprint(n), roots, benchCA))
				}
				b.ReportMetric(best.handshake, "ms-to-handshake")
				b.ReportMetric(best.all, "ms-to-all")
				b.ReportMetric(best.rss/1024, "MB-idle")
				b.ReportMetric(best.own/1024, "MB-own")
				b.ReportMetric(0, "ns/op")
			})
		}
		start("files", writeFiles(b, store), "")
		server, cache := statetest.Postgres(b), b.TempDir()
		writeRows(b, store, server.URL("bench"))
		start("postgres", server.URL("bench"), "")
		fill(b, server.URL("bench"), cache, n)
		start("postgres and cache", server.URL("bench"), cache)
		server.Stop()
		start("cache alone", server.URL("bench"), cache)
	}
}

// fill waits until a cache holds n certificates.
func fill(b *testing.B, location, cache string, n int) {
	b.Helper()
	db, err := state.Open(b.Context(), location, slog.New(slog.DiscardHandler), state.WithCache(cache))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for {
		files, err := filepath.Glob(filepath.Join(cache, "*", StoragePrefix, "*", "*"))
		if err != nil {
			b.Fatal(err)
		}
		if len(files) == 2*n {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}
