package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// Store puts value at key: written aside, synced, renamed into place, and the
// folder synced. Whatever fails, the old value stands.
func (s *files) Store(ctx context.Context, key string, value []byte) error {
	if err := s.alive(ctx); err != nil {
		return err
	}
	target, err := s.path(key)
	if err != nil {
		return err
	}
	// A concurrent Delete removes folders that it left empty, and a wrong
	// clock can make another process clean our temporary file away: neither
	// lasts, so more tries are enough.
	for range 100 {
		if err = s.replace(ctx, target, value); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	var unsynced *unsyncedError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrLeaseLost):
		return errors.Join(fmt.Errorf("state: writing %s: %w", key, err), s.prune(filepath.Dir(target)))
	case errors.As(err, &unsynced):
		return fmt.Errorf("state: writing %s to %s: %w; the new value is in place, but a power cut may undo it; check the disk", key, s.root, cause(err))
	}
	err = fmt.Errorf("state: writing %s to %s: %w; the old value stands; %s", key, s.root, cause(err), remedy(err))
	return errors.Join(err, s.prune(filepath.Dir(target)))
}

func (s *files) replace(ctx context.Context, target string, value []byte) error {
	dir := filepath.Dir(target)
	if err := s.makeDir(dir); err != nil {
		return err
	}
	temp, err := s.writeTemp(value)
	if err != nil {
		return err
	}
	err = s.fence(ctx) // as late as can be
	if err == nil {
		err = os.Rename(temp, target)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(temp))
	}
	if err := s.syncDir(dir); err != nil {
		return &unsyncedError{err}
	}
	return nil
}

// unsyncedError says that a value is in place, but that the disk may forget it.
type unsyncedError struct{ error }

func (e *unsyncedError) Unwrap() error { return e.error }

// writeTemp writes value to a new synced file in tempDir and gives its path.
func (s *files) writeTemp(value []byte) (string, error) {
	dir := filepath.Join(s.root, tempDir)
	f, err := os.CreateTemp(dir, "*")
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.makeDir(dir); err != nil {
			return "", err
		}
		f, err = os.CreateTemp(dir, "*")
	}
	if err != nil {
		return "", err
	}
	_, err = f.Write(value)
	if err == nil && !s.lax {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", errors.Join(err, removeIfThere(f.Name()))
	}
	return f.Name(), nil
}

// makeDir makes dir and what is missing above it, and syncs each folder that
// got a new one, so that no value is lost together with its folder.
func (s *files) makeDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	switch {
	case err == nil:
		return s.syncDir(filepath.Dir(dir))
	case errors.Is(err, fs.ErrExist):
		if info, statErr := os.Stat(dir); statErr == nil && !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
		return nil
	case !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir):
		return err
	}
	if err := s.makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.syncDir(filepath.Dir(dir))
}

// dirSync lets concurrent writers of one folder share a sync.
type dirSync struct {
	mu   sync.Mutex // held during the sync
	next *dirBatch  // those who wait for the sync after the running one; guarded by files.mu
}

type dirBatch struct {
	done bool // guarded by dirSync.mu
	err  error
}

// syncDir makes the renames in dir that were done before the call durable.
func (s *files) syncDir(dir string) error {
	if s.lax {
		return nil
	}
	s.mu.Lock()
	d := s.dirs[dir]
	if d == nil {
		d = &dirSync{}
		s.dirs[dir] = d
	}
	if d.next == nil {
		d.next = &dirBatch{}
	}
	batch := d.next
	s.mu.Unlock()

	d.mu.Lock()
	defer d.mu.Unlock()
	if batch.done {
		return batch.err
	}
	s.mu.Lock()
	d.next = nil // who comes from here on may be too late for this sync
	s.mu.Unlock()
	batch.done, batch.err = true, syncPath(dir)
	return batch.err
}

func syncPath(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Delete removes key, and all below it where it is a folder. A missing key is
// no error.
func (s *files) Delete(ctx context.Context, key string) error {
	if err := s.alive(ctx); err != nil {
		return err
	}
	name, err := s.path(key)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(name); err != nil {
		if err = readError(key, err); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		// Whoever deleted it may have been killed before the folder went.
		if dir := filepath.Dir(name); dir != s.root && syscall.Rmdir(dir) == nil {
			return s.prune(filepath.Dir(dir))
		}
		return nil
	}
	if err := s.fence(ctx); err != nil {
		return fmt.Errorf("state: deleting %s: %w", key, err)
	}
	if err := os.RemoveAll(name); err != nil {
		return fmt.Errorf("state: deleting %s from %s: %w; %s", key, s.root, cause(err), remedy(err))
	}
	return s.prune(filepath.Dir(name))
}

// prune removes dir and what is above it as far as it is empty, since folders
// exist only by what is in them, and syncs the first that stays.
func (s *files) prune(dir string) error {
	for dir != s.root && syscall.Rmdir(dir) == nil { // os.Remove would remove a file, too
		s.mu.Lock()
		delete(s.dirs, dir)
		s.mu.Unlock()
		dir = filepath.Dir(dir)
	}
	if err := s.syncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("state: syncing %s: %w", dir, err)
	}
	return nil
}
