package config

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkLoad reads 10,000 domains.
func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	var names strings.Builder
	names.WriteString("domains:\n")
	for i := range 10_000 {
		fmt.Fprintf(&names, "  - {name: dömän%d.example, note: begärd}\n", i)
	}
	main := filepath.Join(dir, "domherre.yaml")
	if err := os.WriteFile(main, []byte(strings.ReplaceAll(smallConfig, "domains.txt", "d.yaml")), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "d.yaml"), []byte(names.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if c, problems := Load(main, Options{}); problems.Err() != nil || len(c.Portfolio.Domains) != 10_000 {
			b.Fatal(problems)
		}
	}
}

// BenchmarkWatch measures the time from a saved line to the call, with the
// daemon's own settings: it is meant to be under 250 ms.
func BenchmarkWatch(b *testing.B) {
	path := filepath.Join(b.TempDir(), "f.txt")
	if err := os.WriteFile(path, []byte("x\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	sources := Sources{Files: []string{path}}
	sources.read = look(sources)
	ctx, cancel := context.WithCancel(b.Context())
	changed, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(done)
		Watch(ctx, WatchOptions{Sources: func() Sources { return sources }}, func() { changed <- struct{}{} })
	}()
	defer func() { cancel(); <-done }()
	for b.Loop() {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			b.Fatal(err)
		}
		if _, err = f.WriteString("one more\n"); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
		select {
		case <-changed:
		case <-time.After(deadline):
			b.Fatal("the save wasn't seen")
		}
	}
}
