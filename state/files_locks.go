package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// A lock is the operating system's (flock) on a file of its own. The system
// gives it back when its holder dies, so that nothing has to be judged by age:
// a dead process never blocks and a live one is never robbed. The file tells
// people who holds it, and is removed before the lock is given back; hence
// whoever gets a lock checks that its file is still the one in the folder.

// lockID names a lock: the folder of its kind, and the name given by the caller.
type lockID struct{ dir, name string }

// slot is a lock within this process: goroutines queue here, and the first
// one alone contends with other processes.
type slot struct {
	turn chan struct{} // capacity 1: full while somebody holds or contends
	refs int           // who hold or wait; guarded by files.mu
	file *flock.Flock  // set while held; guarded by files.mu
}

// Longest pause between two tries for a lock that another process holds.
const maxLockPause = 50 * time.Millisecond

// Lock takes the lock name, waiting until ctx ends.
func (s *files) Lock(ctx context.Context, name string) error {
	_, err := s.take(ctx, lockID{lockDir, name}, Holder{}, true)
	return err
}

// TryLock takes the lock name if nobody holds it.
func (s *files) TryLock(ctx context.Context, name string) (bool, error) {
	return s.take(ctx, lockID{lockDir, name}, Holder{}, false)
}

// Unlock gives the lock name back, even where ctx has ended.
func (s *files) Unlock(_ context.Context, name string) error {
	return s.drop(lockID{lockDir, name})
}

// RenewLockLease has nothing to renew, since locks don't lapse. It checks that
// the lock is still ours.
func (s *files) RenewLockLease(ctx context.Context, lockKey string, _ time.Duration) error {
	if err := s.alive(ctx); err != nil {
		return err
	}
	if !s.holds(lockID{lockDir, lockKey}) {
		return fmt.Errorf("state: lock %q is not held", lockKey)
	}
	return nil
}

// take takes a lock and reports whether it did; with wait it tries until ctx ends.
func (s *files) take(ctx context.Context, id lockID, h Holder, wait bool) (bool, error) {
	if err := s.alive(ctx); err != nil {
		return false, err
	}
	sl := s.ref(id)
	if !s.queue(ctx, sl, wait) {
		s.unref(id, sl)
		if !wait {
			return false, nil
		}
		return false, s.waitError(ctx, id)
	}
	for pause := time.Millisecond; ; pause = min(2*pause, maxLockPause) {
		file, ok, err := s.tryFile(id, h)
		if ok {
			s.mu.Lock()
			sl.file = file
			s.mu.Unlock()
			return true, nil
		}
		if err == nil && wait && s.sleep(ctx, pause) {
			continue
		}
		<-sl.turn
		s.unref(id, sl)
		switch {
		case err != nil:
			return false, fmt.Errorf("state: taking lock %q in %s: %w; %s", id.name, s.root, cause(err), remedy(err))
		case wait:
			return false, s.waitError(ctx, id)
		}
		return false, nil
	}
}

// waitError says why waiting for a lock ended without it.
func (s *files) waitError(ctx context.Context, id lockID) error {
	if ctx.Err() == nil {
		return ErrClosed
	}
	return fmt.Errorf("state: waiting for lock %q, held by %s: %w", id.name, s.holder(id), ctx.Err())
}

// sleep waits, and reports whether to go on.
func (s *files) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.closing.Done():
	}
	return false
}

// queue takes this process's turn.
func (s *files) queue(ctx context.Context, sl *slot, wait bool) bool {
	if !wait {
		select {
		case sl.turn <- struct{}{}:
			return true
		default:
			return false
		}
	}
	select {
	case sl.turn <- struct{}{}:
		return true
	case <-ctx.Done():
	case <-s.closing.Done():
	}
	return false
}

func (s *files) ref(id lockID) *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := s.slots[id]
	if sl == nil {
		sl = &slot{turn: make(chan struct{}, 1)}
		s.slots[id] = sl
	}
	sl.refs++
	return sl
}

func (s *files) unref(id lockID, sl *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sl.refs--; sl.refs == 0 {
		delete(s.slots, id)
	}
}

// tryFile takes the system's lock on the file of id and writes h into it.
func (s *files) tryFile(id lockID, h Holder) (*flock.Flock, bool, error) {
	name := s.lockPath(id)
	for {
		file := flock.New(name, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))
		ok, err := file.TryLock()
		if errors.Is(err, fs.ErrNotExist) {
			if err := s.makeDir(filepath.Dir(name)); err != nil {
				return nil, false, err
			}
			continue
		}
		if err != nil || !ok {
			return nil, false, err
		}
		if !current(file) {
			// Its last holder removed the file while we opened it.
			if err := file.Unlock(); err != nil {
				return nil, false, err
			}
			continue
		}
		s.sign(name, h)
		return file, true, nil
	}
}

func (s *files) lockPath(id lockID) string {
	return filepath.Join(s.root, id.dir, lockFile(id.name))
}

// current reports whether the locked file is the one that its path names.
func current(file *flock.Flock) bool {
	ours, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(file.Path())
	return err == nil && os.SameFile(ours, there)
}

// sign writes the holder into a lock's file. The lock holds without it, on a
// full disk for one.
func (s *files) sign(name string, h Holder) {
	text, err := json.Marshal(h.filled(s.self, s.now()))
	if err == nil {
		err = overwrite(name, append(text, '\n'))
	}
	if err != nil {
		s.log.Debug("could not note who holds a lock", "file", name, "err", err)
	}
}

// overwrite is os.WriteFile without emptying the file first: some file systems
// go to the disk for that.
func overwrite(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Truncate(int64(len(text)))
	}
	return errors.Join(err, f.Close())
}

// holder reads who holds a lock; the zero Holder where the file doesn't say,
// just because it is being written or removed, for example.
func (s *files) holder(id lockID) Holder {
	text, err := os.ReadFile(s.lockPath(id))
	if err != nil {
		return Holder{}
	}
	var h Holder
	if json.Unmarshal(text, &h) != nil {
		return Holder{}
	}
	return h
}

// holds reports whether this process holds a lock whose file is still in place.
func (s *files) holds(id lockID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := s.slots[id]
	return sl != nil && sl.file != nil && current(sl.file)
}

// drop gives a lock back.
func (s *files) drop(id lockID) error {
	s.mu.Lock()
	sl := s.slots[id]
	if sl == nil || sl.file == nil {
		s.mu.Unlock()
		return fmt.Errorf("state: lock %q is not held", id.name)
	}
	file := sl.file
	sl.file = nil
	s.mu.Unlock()

	err := s.dropFile(id, file)
	<-sl.turn
	s.unref(id, sl)
	return err
}

// dropFile removes a lock's file, unless it has been replaced, and gives the
// system's lock back.
func (s *files) dropFile(id lockID, file *flock.Flock) error {
	if current(file) {
		if err := os.Remove(file.Path()); err != nil {
			s.log.Debug("could not remove the file of a lock", "file", file.Path(), "err", err)
		}
	}
	if err := file.Unlock(); err != nil {
		return fmt.Errorf("state: giving back lock %q: %w", id.name, err)
	}
	return nil
}

// dropAll gives back all that this process holds.
func (s *files) dropAll() error {
	s.mu.Lock()
	var held []lockID
	for id, sl := range s.slots {
		if sl.file != nil {
			held = append(held, id)
		}
	}
	s.mu.Unlock()
	var errs []error
	for _, id := range held {
		errs = append(errs, s.drop(id))
	}
	return errors.Join(errs...)
}
