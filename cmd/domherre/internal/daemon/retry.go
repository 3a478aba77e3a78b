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
	timers   map[portfolio.Name]*time.Timer
}

func newRetrier(first time.Duration, q *queue) *retrier {
	return &retrier{first: first, queue: q,
		attempts: map[portfolio.Name]int{}, timers: map[portfolio.Name]*time.Timer{}}
}

// unwell schedules another try of n, unless it would come later than the
// regular interval does.
func (r *retrier) unwell(n portfolio.Name, every time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait := r.first << min(r.attempts[n], 20)
	r.attempts[n]++
	if wait >= every || r.timers[n] != nil {
		return
	}
	wait += rand.N(wait/4 + 1)
	r.timers[n] = time.AfterFunc(wait, func() {
		r.mu.Lock()
		delete(r.timers, n)
		r.mu.Unlock()
		r.queue.add(n)
	})
}

// well forgets that n was ever unwell.
func (r *retrier) well(n portfolio.Name) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.attempts, n)
	if t := r.timers[n]; t != nil {
		t.Stop()
		delete(r.timers, n)
	}
}

// stop cancels all tries that are scheduled.
func (r *retrier) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n, t := range r.timers {
		t.Stop()
		delete(r.timers, n)
	}
}
