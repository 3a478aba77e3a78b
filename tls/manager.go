package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/idna"
)

// Manager keeps the certificates of a set of subjects. Make one with New, say
// what is wanted with Manage, read what the store has with Reload, then serve
// and Run. It is safe for concurrent use.
type Manager struct {
	o       Options
	log     *slog.Logger
	now     func() time.Time
	issuers []*issuer
	shelf   shelf

	table         atomic.Pointer[table]
	server        *tls.Config
	tickets       *tls.Config
	rotateTickets func()

	running atomic.Bool
	wake    chan struct{} // one token: look at the tasks again

	mu     sync.Mutex
	tasks  map[string]*task // by id
	active int              // steps that hold a slot
	flying int              // steps at all
}

// task is one certificate to keep: a subject, or a part of one with too many
// names. All fields but id, domain and slot are guarded by Manager.mu.
type task struct {
	id     string // its folder in the store: the domain, or "domain~2"
	domain string
	slot   *slot

	names   []string
	problem error // why the subject can't be managed at all
	loaded  bool  // the store was read
	record  record
	waiting string
	holds   int       // how often in a row Ready held it back
	outages int       // how often in a row no CA could be reached
	due     time.Time // when to look at it; zero: at once
	poked   bool      // try now, whatever the backoff
	unsaved *generation

	busy   bool // a step is running
	again  bool // and shall be followed by another
	cancel context.CancelFunc
}

// New makes a Manager. It does no I/O.
func New(o Options) (*Manager, error) {
	o, err := o.defaults()
	if err != nil {
		return nil, err
	}
	issuers, err := o.issuers()
	if err != nil {
		return nil, err
	}
	m := &Manager{
		o: o, log: o.Log, now: o.Now, issuers: issuers, shelf: shelf{o.Storage},
		wake: make(chan struct{}, 1), tasks: map[string]*task{},
	}
	m.table.Store(&table{})
	if err := m.newServer(); err != nil {
		return nil, err
	}
	return m, nil
}

// Manage replaces the set of subjects and returns at once. New ones are
// ordered as soon as Run runs; where names were added, the old certificate
// serves until the new one is there; orders under way for subjects that are
// gone are cancelled. Only names in the set are served.
func (m *Manager) Manage(subjects []Subject) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := make(map[string]*task, len(subjects))
	names := table{}
	for _, s := range subjects {
		for i, part := range m.split(s) {
			t := m.keep(s, i, part)
			next[t.id] = t
			for _, n := range part {
				names[n] = t.slot
			}
		}
	}
	for id, t := range m.tasks {
		if next[id] != t && t.cancel != nil {
			t.cancel()
		}
	}
	m.tasks = next
	m.table.Store(&names)
	m.nudge()
}

// split parts the names of a subject where one certificate can't hold them.
func (m *Manager) split(s Subject) [][]string {
	if s.validate() != nil {
		return [][]string{nil}
	}
	limit := m.issuers[0].maxNames()
	for _, iss := range m.issuers[1:] {
		limit = min(limit, iss.maxNames())
	}
	return slices.Collect(slices.Chunk(unique(s.Names), limit))
}

func unique(names []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// keep gives the task of a subject's part: the one that exists, told its new
// names, or a new one.
func (m *Manager) keep(s Subject, part int, names []string) *task {
	id := s.Domain
	if part > 0 {
		id = fmt.Sprintf("%s~%d", s.Domain, part+1)
	}
	t := m.tasks[id]
	if t == nil {
		t = &task{id: id, domain: s.Domain, slot: &slot{}}
	}
	t.problem = s.validate()
	if slices.Equal(t.names, names) {
		return t
	}
	t.names = names
	t.due, t.holds = time.Time{}, 0
	if t.busy {
		t.again = true
		t.cancel() // it is about the old names
	}
	return t
}

// Poke has a domain's certificate tried now, whatever its backoff: something
// was put right. What a CA asked to wait for stays. Unknown domains are
// ignored.
func (m *Manager) Poke(domain string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.tasks {
		if t.domain == domain {
			t.due, t.holds, t.poked, t.again = time.Time{}, 0, true, t.busy
		}
	}
	m.nudge()
}

// nudge has Run look at the tasks.
func (m *Manager) nudge() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

const (
	maxActive = 32              // steps that begin side by side
	maxFlying = 2048            // steps at all
	slotHold  = 1 * time.Second // then a step gives its slot away: it only waits
	maxSleep  = 5 * time.Minute // so that a clock that jumps is noticed
)

// Run keeps the certificates until ctx ends. Listeners should be open before,
// since CAs ask them. It returns nil, once the orders under way are given up.
func (m *Manager) Run(ctx context.Context) error {
	if !m.running.CompareAndSwap(false, true) {
		return errors.New("the certificate manager is running already")
	}
	defer m.running.Store(false)
	ctx, cancel := context.WithCancel(ctx)
	var steps sync.WaitGroup
	defer steps.Wait()
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		next := m.launch(ctx, &steps)
		timer.Reset(min(max(next.Sub(m.now()), 0), maxSleep))
		m.rotateTickets()
		select {
		case <-ctx.Done():
			return nil
		case <-m.wake:
		case <-timer.C:
		}
	}
}

// launch starts what is due, the most urgent first, as far as there are slots,
// and gives the time when more will be.
func (m *Manager) launch(ctx context.Context, steps *sync.WaitGroup) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	next := now.Add(maxSleep)
	var due []*task
	for _, t := range m.tasks {
		switch {
		case t.busy || t.problem != nil:
		case !t.due.After(now):
			due = append(due, t)
		case t.due.Before(next):
			next = t.due
		}
	}
	free := min(maxActive-m.active, maxFlying-m.flying) // a freed slot nudges
	for _, t := range mostUrgent(due, free) {
		m.start(ctx, t, steps)
	}
	return next
}

// mostUrgent gives the n first by urgency. Nearly always n is small, or all
// are taken: sorting ten thousand for each one that starts would cost more.
func mostUrgent(due []*task, n int) []*task {
	for i := 0; i < n && i < len(due); i++ {
		first := i
		for j := i + 1; j < len(due); j++ {
			if urgency(due[j], due[first]) < 0 {
				first = j
			}
		}
		due[i], due[first] = due[first], due[i]
	}
	return due[:max(0, min(n, len(due)))]
}

// urgency sorts what was never tried in vain before what was, then what is
// nearest to lapsing; without a certificate a name has lapsed already.
func urgency(a, b *task) int {
	if n := min(a.record.Attempts, 5) - min(b.record.Attempts, 5); n != 0 {
		return n
	}
	if n := a.expiry().Compare(b.expiry()); n != 0 {
		return n
	}
	return strings.Compare(a.id, b.id)
}

func (t *task) expiry() time.Time {
	if c := t.slot.cert.Load(); c != nil {
		return c.notAfter
	}
	return time.Time{}
}

// start runs one step of t. A step that lasts gives its slot to the next: it
// only waits for others, and a thousand that hang shall not hold up one that
// would not.
func (m *Manager) start(ctx context.Context, t *task, steps *sync.WaitGroup) {
	ctx, cancel := context.WithCancel(ctx)
	t.busy, t.again, t.cancel = true, false, cancel
	m.active++
	m.flying++
	release := sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.active--
		m.nudge()
	})
	hold := time.AfterFunc(slotHold, release)
	steps.Go(func() {
		defer cancel()
		m.step(ctx, t)
		hold.Stop()
		release()
		m.mu.Lock()
		defer m.mu.Unlock()
		m.flying--
		t.busy, t.cancel = false, nil
		if t.again {
			t.due = time.Time{}
		}
		m.nudge()
	})
}

// shown gives both forms of a name where they differ: "köpasex.example
// (xn--kpasex-wxa.example)".
func shown(ascii string) string {
	u, err := idna.Display.ToUnicode(ascii)
	if err != nil || u == ascii {
		return ascii
	}
	return u + " (" + ascii + ")"
}
