package daemon

import (
	"math/rand/v2"
	"sync"
	"time"

	"domherre/portfolio"
)

// retrier puts domains that aren't well back into a queue: soon at first, then
// ever more seldom, up to the regular interval, which covers them anyway.
type retrier struct {
	first time.Duration
	queue *queue

	mu       sync.Mutex
	attempts map[portfolio.Name]int
	due      map[portfolio.Name]time.Time
	timer    *time.Timer // for the earliest; nil where none is due
	stopped  bool
}

func newRetrier(first time.Duration, q *queue) *retrier {
	return &retrier{first: first, queue: q,
		attempts: map[portfolio.Name]int{}, due: map[portfolio.Name]time.Time{}}
}

// unwell schedules another try of n, unless one is scheduled already or it
// would come later than the regular interval does.
func (r *retrier) unwell(n portfolio.Name, every time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, waits := r.due[n]; waits || r.stopped {
		return
	}
	wait := r.first << min(r.attempts[n], 20)
	r.attempts[n]++
	if wait < every {
		r.due[n] = time.Now().Add(wait + rand.N(wait/4+1))
		r.arm()
	}
}

// arm sets the timer for the earliest. The lock is held.
func (r *retrier) arm() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	var earliest time.Time
	for _, t := range r.due {
		if earliest.IsZero() || t.Before(earliest) {
			earliest = t
		}
	}
	if !earliest.IsZero() {
		r.timer = time.AfterFunc(time.Until(earliest), r.fire)
	}
}

// fire queues what is due, along with what soon will be: domains that failed
// together are tried together.
func (r *retrier) fire() {
	r.mu.Lock()
	var names []portfolio.Name
	soon := time.Now().Add(r.first / 2)
	for n, t := range r.due {
		if !t.After(soon) {
			names = append(names, n)
			delete(r.due, n)
		}
	}
	if !r.stopped {
		r.arm()
	}
	r.mu.Unlock()
	r.queue.add(names...)
}

// well forgets that n was ever unwell.
func (r *retrier) well(n portfolio.Name) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.attempts, n)
	delete(r.due, n)
}

// stop cancels all tries that are scheduled.
func (r *retrier) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	clear(r.due)
	r.arm()
}
