package tls

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/sync/singleflight"
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

	table   atomic.Pointer[table]
	shared  shared
	reading singleflight.Group // by handshakes, of what isn't loaded yet
	loaded  chan struct{}      // closed when all was read
	allRead sync.Once
	server  *tls.Config
	tickets *tickets

	running atomic.Bool
	wake    chan struct{} // one token: look at the tasks again

	mu     sync.Mutex
	tasks  map[string]*task // by id
	active int              // steps that hold a slot
	flying int              // steps at all

	due     []rank    // what waits for a slot
	next    time.Time // when more will be due
	stirred bool      // the tasks are to be looked at anew

	queued  int       // tasks that wait for their turn
	undealt bool      // turns are to be dealt anew
	dealt   time.Time // when they were, last

	errand *errand // what to do; nil: keep all certificates
}

// task is one certificate to keep: a subject, or a part of one with too many
// names. All fields but the first four are guarded by Manager.mu.
type task struct {
	id     string // its folder in the store: the domain, or "domain~2"
	domain string
	cert   atomic.Pointer[served] // a renewal swaps it, whatever handshakes do
	read   atomic.Bool            // the store was asked for it

	loaded bool // the store was read
	poked  bool // try now, whatever the backoff
	queued bool // waits until the CA allows another order
	turn   bool // it has come, and isn't used yet
	busy   bool // a step is running
	again  bool // and shall be followed by another

	holds   int // how often in a row Ready held it back
	outages int // how often in a row no CA could be reached
	replace int // the generation that is to be replaced, due or not

	names   []string
	problem error // why the subject can't be managed at all
	record  record
	waiting string
	barred  string    // the text in waiting while CAA records are what forbids it
	due     time.Time // when to look at it; zero: at once
	turnAt  time.Time // when its turn comes
	unsaved *generation
	cancel  context.CancelFunc
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
		wake: make(chan struct{}, 1), loaded: make(chan struct{}), tasks: map[string]*task{},
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
				names[n] = t
			}
		}
	}
	for id, t := range m.tasks {
		if next[id] != t && t.cancel != nil {
			t.cancel()
		}
	}
	m.tasks = next
	m.undealt, m.stirred = true, true
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
	return slices.Collect(slices.Chunk(distinct(s.Names), limit))
}

func distinct(names []string) []string {
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
		t = &task{id: id, domain: s.Domain}
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
	m.stirred = true
	m.nudge()
}

// nudge has Run look at the tasks.
func (m *Manager) nudge() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
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
