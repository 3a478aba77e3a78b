package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Folders of the file store beside those that keys make. Keys can't reach
// them, since no segment of a key starts with a dot.
const (
	tempDir    = ".tmp"     // values on their way in; one rename from their place
	lockDir    = ".locks"   // certmagic's locks
	leaseDir   = ".leases"  // leases
	journalDir = ".journal" // one file of JSON lines per month
)

// tempAge is how old a temporary file is before it is taken for a dead
// process's. A live one that is cleaned away nevertheless, since a clock was
// wrong, is written again.
const tempAge = time.Hour

// files is the Store in a folder.
type files struct {
	root string // absolute
	self Holder
	log  *slog.Logger
	now  func() time.Time
	poll time.Duration // how often a watch looks by itself
	lax  bool          // a power cut may undo writes

	closing context.Context // ends with Close
	close   context.CancelFunc

	mu    sync.Mutex
	slots map[lockID]*slot // locks that somebody in this process holds or waits for
	dirs  map[string]*dirSync

	journal journalWriter
}

// NotWritableError says that the state's folder can't be written, and what to
// do about it.
type NotWritableError struct {
	Folder string
	Err    error // the system's
}

func (e *NotWritableError) Error() string {
	return fmt.Sprintf("state folder %s is not writable: %s; %s", e.Folder, cause(e.Err), remedy(e.Err))
}

func (e *NotWritableError) Unwrap() error { return e.Err }

// cause strips the operation and the path, which the message has already.
func cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// remedy tells what a person can do about a failed write.
func remedy(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "free some space on its disk"
	case errors.Is(err, syscall.EROFS):
		return "its file system is mounted read-only: mount it read-write, or name another folder under state:"
	case errors.Is(err, fs.ErrPermission):
		return "run as the user who owns it, or give it to " + userName() + " (chown -R)"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return "a file is in its place: remove it, or name another folder under state:"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "let the process open more files (LimitNOFILE= of its unit, ulimit -n)"
	case errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.ENOTSUP):
		return "its file system knows no locks: name a folder on a local disk under state:"
	}
	return "check its disk, or name another folder under state:"
}

// openFiles opens the folder without demanding that it can be written.
func openFiles(folder string, log *slog.Logger) (*files, error) {
	root, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("state folder %s: %w", folder, err)
	}
	s := &files{
		root: root, self: thisProcess(), log: log, now: time.Now, poll: 5 * time.Second,
		slots: map[lockID]*slot{}, dirs: map[string]*dirSync{},
	}
	s.closing, s.close = context.WithCancel(context.Background())
	s.cleanTemp()
	return s, nil
}

// Probe writes and removes a file, and takes and gives back a lock.
func (s *files) Probe(ctx context.Context) error {
	if err := s.alive(ctx); err != nil {
		return err
	}
	if err := s.probe(); err != nil {
		return &NotWritableError{s.root, err}
	}
	return nil
}

func (s *files) probe() error {
	// An empty file fits on many a full disk: a block's worth of octets doesn't.
	temp, err := s.writeTemp(make([]byte, 4096))
	if err != nil {
		return err
	}
	if err := os.Remove(temp); err != nil {
		return err
	}
	id := lockID{lockDir, fmt.Sprintf("probe-%d-%d", os.Getpid(), s.now().UnixNano())}
	lock, _, err := s.tryFile(id, Holder{})
	if err != nil {
		return err
	}
	return s.dropFile(id, lock)
}

// Close ends all watches and gives back all locks and leases.
func (s *files) Close() error {
	s.close()
	return s.dropAll()
}

// String names the store in certmagic's logs.
func (s *files) String() string { return "folder " + s.root }

// alive gives the reason not to begin an operation, if there is one.
func (s *files) alive(ctx context.Context) error {
	if s.closing.Err() != nil {
		return ErrClosed
	}
	return ctx.Err()
}

// cleanTemp removes what killed processes left behind.
func (s *files) cleanTemp() {
	entries, err := os.ReadDir(filepath.Join(s.root, tempDir))
	if err != nil {
		return // none yet
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || s.now().Sub(info.ModTime()) < tempAge {
			continue
		}
		if err := os.Remove(filepath.Join(s.root, tempDir, e.Name())); err == nil {
			s.log.Info("removed what a killed process left half-written in the state", "file", e.Name())
		}
	}
}
