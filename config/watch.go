package config

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// WatchOptions are what Watch takes.
type WatchOptions struct {
	// Sources gives what to watch: those of the last Load, whether it had
	// faults or not. It is asked again after each change.
	Sources func() Sources
	// Settle is how long a file must have stayed as it is before it counts as
	// saved; 0 means 100 ms. A file that became shorter, empty or missing is
	// given ten times as long, one that a program holds open for writing
	// until it is closed, but at most 300 times as long.
	Settle time.Duration
	// Poll is how often the files are read again in any case, since network
	// drives send no events; 0 means 3 s.
	Poll time.Duration
	Log  *slog.Logger // nil for none
}

const (
	suspectFactor = 10
	writerFactor  = 300
)

// Watch calls changed, on its own goroutine, whenever the content of a file
// of the configuration has changed and is no longer being written. It watches
// folders, so that files may be deleted, made anew, renamed into place, or be
// links that are swapped. It returns when ctx ends.
func Watch(ctx context.Context, o WatchOptions, changed func()) {
	w := newWatcher(o)
	defer w.close()
	for {
		w.follow()
		now := look(w.sources)
		if now.equal(w.last) {
			if !w.wait(ctx, w.poll) {
				return
			}
			continue
		}
		now, ok := w.settled(ctx, now)
		if !ok {
			return
		}
		if now.equal(w.last) {
			continue
		}
		changed()
		w.sources = o.Sources()
		w.last = now.extended(w.sources)
	}
}

// watcher is a running Watch.
type watcher struct {
	settle, poll time.Duration
	log          *slog.Logger
	sources      Sources
	last         snapshot          // as told last
	events       *fsnotify.Watcher // nil where the system has none to give
}

func newWatcher(o WatchOptions) *watcher {
	w := &watcher{settle: o.Settle, poll: o.Poll, log: o.Log, sources: o.Sources()}
	if w.settle == 0 {
		w.settle = 100 * time.Millisecond
	}
	if w.poll == 0 {
		w.poll = 3 * time.Second
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	w.last = snapshot{}.extended(w.sources)
	return w
}

func (w *watcher) close() {
	if w.events != nil {
		_ = w.events.Close()
	}
}

// follow puts the watches where the files are now.
func (w *watcher) follow() {
	if w.events == nil {
		events, err := fsnotify.NewWatcher()
		if err != nil {
			w.log.Warn("no file events; the configuration is only read again at intervals", "every", w.poll, "error", err)
			return
		}
		w.events = events
	}
	want, have := w.sources.folders(), w.events.WatchList()
	for _, dir := range have {
		if !slices.Contains(want, dir) {
			_ = w.events.Remove(dir) // it may be gone already
		}
	}
	for _, dir := range want {
		if slices.Contains(have, dir) {
			continue
		}
		if err := w.events.Add(dir); err != nil {
			w.log.Debug("a folder can't be watched", "folder", dir, "error", err)
		}
	}
}

// wait returns at an event, or after d. A false means that ctx ended.
func (w *watcher) wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	var events <-chan fsnotify.Event
	var errors <-chan error
	if w.events != nil {
		events, errors = w.events.Events, w.events.Errors
	}
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case _, ok := <-events:
		w.reopen(ok)
	case err, ok := <-errors:
		w.reopen(ok)
		w.log.Debug("file events were lost", "error", err)
	}
	return ctx.Err() == nil
}

// reopen drops a watcher whose channels were closed; follow makes a new one.
func (w *watcher) reopen(ok bool) {
	if !ok {
		w.close()
		w.events = nil
	}
}

// settled waits until the files stay as they are.
func (w *watcher) settled(ctx context.Context, now snapshot) (snapshot, bool) {
	since := time.Now()
	for {
		quiet := time.Since(since)
		need := w.settle
		if now.suspect(w.last) {
			need *= suspectFactor
		}
		if quiet >= need && (quiet >= writerFactor*w.settle || !now.beingWritten(w.last)) {
			return now, true
		}
		if !w.wait(ctx, min(max(need-quiet, w.settle/4), w.settle/2)) {
			return now, false
		}
		w.follow()
		if next := look(w.sources); !next.equal(now) {
			now, since = next, time.Now()
		}
	}
}
