package acmeca

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/caddyserver/certmagic"
)

// full is a store that can't be written while full is set, and counts tries.
type full struct {
	certmagic.FileStorage
	full  bool
	tries int
}

func (f *full) Store(ctx context.Context, key string, value []byte) error {
	if f.tries++; f.full {
		return errors.New("no space left on device")
	}
	return f.FileStorage.Store(ctx, key, value)
}

// The names are asked for at every plan: they are written once, and that they
// can't be is said once.
func TestRememberNames(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	store := &full{FileStorage: certmagic.FileStorage{Path: t.TempDir()}, full: true}
	c := &CA{cfg: Config{Storage: store}, log: slog.New(slog.NewTextHandler(&log, nil))}
	remember := func() { c.rememberNames(t.Context(), "names.json", []string{"ca.example"}) }
	remember()
	remember()
	if n := strings.Count(log.String(), "no space left"); n != 1 || store.tries != 2 {
		t.Errorf("said %d times, %d tries", n, store.tries)
	}
	store.full = false
	for range 3 {
		remember()
	}
	if store.tries != 3 {
		t.Errorf("%d tries: what is there is written anew", store.tries)
	}
	store.full = true
	c.rememberNames(t.Context(), "names.json", []string{"other.example"})
	if n := strings.Count(log.String(), "no space left"); n != 2 {
		t.Errorf("said %d times in all", n)
	}
}
