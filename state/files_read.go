package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/caddyserver/certmagic"
)

// Load gives the value at key, or fs.ErrNotExist.
func (s *files) Load(ctx context.Context, key string) ([]byte, error) {
	if err := s.alive(ctx); err != nil {
		return nil, err
	}
	name, err := s.path(key)
	if err != nil {
		return nil, err
	}
	value, err := os.ReadFile(name)
	if err != nil {
		return nil, readError(key, err)
	}
	return value, nil
}

// readError maps what the file system says to what a key-value store says.
func readError(key string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return fmt.Errorf("state: %s: %w", key, fs.ErrNotExist)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("state: reading %s: %w; %s", key, err, remedy(err))
	}
	return fmt.Errorf("state: reading %s: %w", key, err)
}

// Exists reports whether key is there, as a file or a folder.
func (s *files) Exists(ctx context.Context, key string) bool {
	_, err := s.Stat(ctx, key)
	return err == nil
}

// Stat tells about key.
func (s *files) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	if err := s.alive(ctx); err != nil {
		return certmagic.KeyInfo{}, err
	}
	name, err := s.path(key)
	if err != nil {
		return certmagic.KeyInfo{}, err
	}
	info, err := os.Stat(name)
	if err != nil {
		return certmagic.KeyInfo{}, readError(key, err)
	}
	if info.IsDir() {
		return certmagic.KeyInfo{Key: key, Modified: info.ModTime()}, nil
	}
	return certmagic.KeyInfo{Key: key, Modified: info.ModTime(), Size: info.Size(), IsTerminal: true}, nil
}

// List gives the keys below prefix, sorted.
func (s *files) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	if err := s.alive(ctx); err != nil {
		return nil, err
	}
	dir, err := s.prefixPath(prefix)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		if prefix == "" && errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, readError(prefix, err)
	}
	if !info.IsDir() {
		return nil, nil
	}
	keys, err := s.list(ctx, dir, prefix, recursive)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 && prefix != "" {
		return nil, readError(prefix, fs.ErrNotExist)
	}
	slices.Sort(keys)
	return keys, nil
}

func (s *files) list(ctx context.Context, dir, prefix string, recursive bool) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // gone since: as if it had never been
		return nil, readError(prefix, err)
	}
	keys := make([]string, 0, len(entries))
	for _, e := range entries {
		if badSegment(e.Name()) != "" {
			continue // ours, or somebody's by hand: no key reaches it
		}
		key := path.Join(prefix, e.Name())
		if !recursive || !e.IsDir() {
			keys = append(keys, key)
			continue
		}
		below, err := s.list(ctx, filepath.Join(dir, e.Name()), key, true)
		if err != nil {
			return nil, err
		}
		if len(below) > 0 {
			keys = append(append(keys, key), below...)
		}
	}
	return keys, nil
}
