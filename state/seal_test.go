package state_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"domherre/state"
)

func key(t *testing.T, secret string) state.Key {
	t.Helper()
	k, err := state.NewKey(secret)
	must(t, err)
	return k
}

// TestSealed looks at what lies on the disk, and opens it with other keys.
func TestSealed(t *testing.T) {
	t.Parallel()
	if _, err := state.NewKey("too short"); err == nil {
		t.Error("took a key of 9 characters")
	}
	first, second := key(t, strings.Repeat("first ", 6)), key(t, strings.Repeat("second ", 6))
	location := t.TempDir()
	open := func(keys ...state.Key) (state.Store, error) {
		return state.Open(t.Context(), location, slog.New(slog.DiscardHandler), state.WithKeys(keys...))
	}
	store := func(name, value string, keys ...state.Key) {
		s, err := open(keys...)
		must(t, err)
		must(t, s.Store(t.Context(), name, []byte(value)))
		must(t, s.Close())
	}
	store("plain", "-----BEGIN PRIVATE KEY-----")
	store("a", "-----BEGIN PRIVATE KEY-----", first)
	store("b", "-----BEGIN PRIVATE KEY-----", second, first)
	if onDisk, err := os.ReadFile(filepath.Join(location, "a")); err != nil || bytes.Contains(onDisk, []byte("PRIVATE")) {
		t.Errorf("on disk: %q, %v", onDisk, err)
	}

	s, err := open(second, first)
	must(t, err)
	for _, name := range []string{"plain", "a", "b"} {
		if value, err := s.Load(t.Context(), name); err != nil || string(value) != "-----BEGIN PRIVATE KEY-----" {
			t.Errorf("%s holds %q, %v", name, value, err)
		}
	}
	must(t, s.Close())

	var bad *state.SealError
	if _, err := open(); !errors.As(err, &bad) || !strings.Contains(err.Error(), "no key is given; write it under state_key:") {
		t.Errorf("without a key: %v", err)
	}
	if _, err := open(second); !errors.As(err, &bad) || !strings.Contains(err.Error(), "the state is encrypted with key ") {
		t.Errorf("with another key: %v", err)
	}
	s, err = open(first)
	must(t, err)
	defer s.Close()
	if _, err := s.Load(t.Context(), "b"); !errors.As(err, &bad) || bad.Key != "b" {
		t.Errorf("one value with another key: %v", err)
	}
	must(t, os.Rename(filepath.Join(location, "a"), filepath.Join(location, "moved")))
	if _, err := s.Load(t.Context(), "moved"); !errors.As(err, &bad) {
		t.Errorf("a value in another's place: %v", err)
	}
}

// TestSealedDegraded opens a sealed state whose folder says nothing.
func TestSealedDegraded(t *testing.T) {
	t.Parallel()
	location := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(location, nil, 0o600))
	s, err := state.OpenDegraded(context.Background(), location, slog.New(slog.DiscardHandler), state.WithKeys(key(t, strings.Repeat("k", 32))))
	must(t, err)
	must(t, s.Close())
}
