package daemon

import (
	"maps"
	"slices"
	"sync"

	"domherre/portfolio"
)

// queue collects the domains that want work. What is asked for while work is
// under way waits, and is asked for once, however often it was put in.
type queue struct {
	mu    sync.Mutex
	all   bool
	names map[portfolio.Name]bool
	wake  chan struct{} // holds a token while something waits
}

func newQueue() *queue {
	return &queue{names: map[portfolio.Name]bool{}, wake: make(chan struct{}, 1)}
}

// add asks for work on some domains.
func (q *queue) add(names ...portfolio.Name) {
	if len(names) == 0 {
		return
	}
	q.hold(names...)
	q.signal()
}

// hold puts back what there is no room for now, and wakes nobody.
func (q *queue) hold(names ...portfolio.Name) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, n := range names {
		q.names[n] = true
	}
}

// addAll asks for work on the whole portfolio.
func (q *queue) addAll() {
	q.mu.Lock()
	q.all = true
	q.mu.Unlock()
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take empties the queue: all is true where the whole portfolio waits, else
// names are the domains that do, sorted.
func (q *queue) take() (all bool, names []portfolio.Name) {
	q.mu.Lock()
	defer q.mu.Unlock()
	all, names = q.all, slices.SortedFunc(maps.Keys(q.names), portfolio.Name.Compare)
	q.all = false
	clear(q.names)
	return all, names
}
