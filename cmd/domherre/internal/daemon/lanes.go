package daemon

import (
	"maps"
	"slices"
	"sync"

	"domherre/portfolio"
)

// lanes hold the work of each provider apart: one run at a time for each, so
// that a provider that hangs holds up no other's domains.
type lanes struct {
	mu      sync.Mutex
	waiting map[string]*work
	busy    map[string]bool
}

// work is what a run is for.
type work struct {
	provider string
	all      bool // of the provider's domains
	full     bool // reading zones that show no sign of change too
	names    map[portfolio.Name]bool
}

func newLanes() *lanes {
	return &lanes{waiting: map[string]*work{}, busy: map[string]bool{}}
}

// add asks for work on a domain, or on all of a provider's where n is zero.
func (l *lanes) add(provider string, n portfolio.Name, full bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.waiting[provider]
	if w == nil {
		w = &work{provider: provider, names: map[portfolio.Name]bool{}}
		l.waiting[provider] = w
	}
	if n.IsZero() {
		w.all, w.full = true, w.full || full
	} else {
		w.names[n] = true
	}
}

// take gives the work of every lane that is free, whose it is from then on
// until done.
func (l *lanes) take() []work {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ready []work
	for _, provider := range slices.Sorted(maps.Keys(l.waiting)) {
		if !l.busy[provider] {
			l.busy[provider] = true
			ready = append(ready, *l.waiting[provider])
			delete(l.waiting, provider)
		}
	}
	return ready
}

func (l *lanes) done(provider string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.busy, provider)
}

// options are what RunOnce is asked for.
func (w work) options() portfolio.Options {
	o := portfolio.Options{Provider: w.provider, Full: w.full}
	if !w.all {
		o.Only = slices.SortedFunc(maps.Keys(w.names), portfolio.Name.Compare)
	}
	return o
}
