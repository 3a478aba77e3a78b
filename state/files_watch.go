package state

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A watch hears of changes from the system (fsnotify) and, since network
// drives tell nothing, looks for itself every few seconds. Looking is cheap:
// every write renames a file into its folder or removes one, so a folder whose
// own time stands still holds no change.

// watch is one call of Watch; all of it belongs to one goroutine.
type watch struct {
	s       *files
	prefix  string
	dirs    map[string]*watchedDir // by path
	events  *fsnotify.Watcher      // nil where the system tells nothing
	first   bool                   // what this look finds was there before
	folders bool                   // this look takes in folders alone: the system tells of all else
	pending []string               // keys to send, in order
	queued  map[string]bool        // what is in pending
}

type watchedDir struct {
	key     string // "" for the root
	modTime time.Time
	settled bool             // two looks, a poll apart, saw the same modTime: no change hides behind it
	files   map[string]stamp // by name
	below   map[string]bool  // paths of the watched folders right below
	silent  bool             // what the next scan finds was there before
}

// stamp tells two versions of a file apart.
type stamp struct {
	modTime time.Time
	size    int64
	inode   uint64
}

// Watch sends the keys of files at or below prefix that change.
func (s *files) Watch(ctx context.Context, prefix string) (<-chan string, error) {
	if err := s.alive(ctx); err != nil {
		return nil, err
	}
	if _, err := s.prefixPath(prefix); err != nil {
		return nil, err
	}
	w := &watch{s: s, prefix: prefix, dirs: map[string]*watchedDir{}, queued: map[string]bool{}}
	if events, err := fsnotify.NewWatcher(); err != nil {
		w.deaf(err)
	} else {
		w.events, w.folders = events, true
	}
	w.first = true
	w.look(s.root, "", false)
	w.first = false
	keys := make(chan string)
	go w.run(ctx, keys)
	return keys, nil
}

func (w *watch) run(ctx context.Context, keys chan<- string) {
	defer close(keys)
	var events chan fsnotify.Event
	var failures chan error
	if w.events != nil {
		defer w.events.Close()
		events, failures = w.events.Events, w.events.Errors
	}
	if w.folders {
		// Looking at every file takes a while, which the caller needn't wait for.
		w.folders = false
		w.look(w.s.root, "", true)
	}
	ticker := time.NewTicker(w.s.poll)
	defer ticker.Stop()
	for {
		var out chan<- string
		var next string
		if len(w.pending) > 0 {
			out, next = keys, w.pending[0]
		}
		select {
		case out <- next:
			w.pending = w.pending[1:]
			delete(w.queued, next)
		case e := <-events:
			w.event(e)
		case err := <-failures:
			w.s.log.Warn("the system lost count of changed files; looking for them", "err", err)
			w.look(w.s.root, "", true)
		case <-ticker.C:
			w.look(w.s.root, "", false)
		case <-ctx.Done():
			return
		case <-w.s.closing.Done():
			return
		}
	}
}

// deaf notes that the system tells nothing, or not all.
func (w *watch) deaf(err error) {
	w.folders = false
	w.s.log.Warn("the system doesn't tell all changes of the state's files; looking for them every few seconds",
		"folder", w.s.root, "every", w.s.poll, "err", err)
}

// event takes in what the system told.
func (w *watch) event(e fsnotify.Event) {
	if e.Op == fsnotify.Chmod {
		return
	}
	if _, known := w.dirs[e.Name]; known {
		w.look(e.Name, w.dirs[e.Name].key, true)
		return
	}
	dir := w.dirs[filepath.Dir(e.Name)]
	name := filepath.Base(e.Name)
	if dir == nil || badSegment(name) != "" {
		return
	}
	key := path.Join(dir.key, name)
	info, err := os.Lstat(e.Name)
	switch {
	case err != nil: // gone
		delete(dir.files, name)
		if w.within(key) {
			w.queue(key)
		}
	case info.IsDir():
		if w.leadsTo(key) {
			w.look(e.Name, key, false)
		}
	case w.within(key):
		dir.files[name] = stampOf(info)
		w.queue(key)
	}
}

// look compares a folder, and those below it, with what was seen there last;
// with force even where the folder's own time says that it needn't.
func (w *watch) look(name, key string, force bool) {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		w.forget(name)
		return
	}
	d := w.dirs[name]
	if d == nil {
		d = &watchedDir{key: key, files: map[string]stamp{}, below: map[string]bool{}, silent: w.first}
		w.dirs[name] = d
		if above := w.dirs[filepath.Dir(name)]; above != nil {
			above.below[name] = true
		}
		w.listen(name)
		force = true
	}
	switch {
	case force || !info.ModTime().Equal(d.modTime):
		d.modTime, d.settled = info.ModTime(), false
	case !d.settled:
		d.settled = true
	default:
		for _, sub := range slices.Collect(maps.Keys(d.below)) {
			w.look(sub, w.dirs[sub].key, false)
		}
		return
	}
	w.scan(name, d, force)
}

// listen asks the system to tell of changes in a folder.
func (w *watch) listen(name string) {
	if w.events == nil {
		return
	}
	if err := w.events.Add(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.deaf(err)
	}
}

// scan reads a folder and queues what differs from what was seen last.
func (w *watch) scan(name string, d *watchedDir, force bool) {
	entries, err := os.ReadDir(name)
	if err != nil {
		d.modTime = time.Time{} // so that the next look tries again
		return
	}
	seen := map[string]bool{}
	for _, e := range entries {
		key := path.Join(d.key, e.Name())
		switch {
		case badSegment(e.Name()) != "":
		case e.IsDir():
			if w.leadsTo(key) {
				w.look(filepath.Join(name, e.Name()), key, force)
			}
		case w.within(key) && !w.folders:
			info, err := e.Info()
			if err != nil {
				continue // just removed
			}
			seen[e.Name()] = true
			if now := stampOf(info); d.files[e.Name()] != now {
				d.files[e.Name()] = now
				if !d.silent {
					w.queue(key)
				}
			}
		}
	}
	d.silent = d.silent && w.folders
	for _, file := range slices.Sorted(maps.Keys(d.files)) {
		if !seen[file] {
			delete(d.files, file)
			w.queue(path.Join(d.key, file))
		}
	}
	for _, sub := range slices.Collect(maps.Keys(d.below)) {
		if _, err := os.Stat(sub); errors.Is(err, fs.ErrNotExist) {
			w.forget(sub)
		}
	}
}

// forget queues all files of a folder that is gone, and of those below it.
func (w *watch) forget(name string) {
	d := w.dirs[name]
	if d == nil {
		return
	}
	for sub := range d.below {
		w.forget(sub)
	}
	for file := range d.files {
		w.queue(path.Join(d.key, file))
	}
	delete(w.dirs, name)
	if above := w.dirs[filepath.Dir(name)]; above != nil {
		delete(above.below, name)
	}
}

// queue has key sent once the receiver is ready.
func (w *watch) queue(key string) {
	if !w.queued[key] {
		w.queued[key] = true
		w.pending = append(w.pending, key)
	}
}

// within reports whether a file is at or below the prefix.
func (w *watch) within(key string) bool {
	return w.prefix == "" || key == w.prefix || strings.HasPrefix(key, w.prefix+"/")
}

// leadsTo reports whether a folder can hold, at any depth, what is watched.
func (w *watch) leadsTo(key string) bool {
	return w.within(key) || strings.HasPrefix(w.prefix, key+"/")
}

func stampOf(info fs.FileInfo) stamp {
	st := stamp{modTime: info.ModTime(), size: info.Size()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		st.inode = sys.Ino
	}
	return st
}
