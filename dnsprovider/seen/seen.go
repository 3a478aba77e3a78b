// Package seen remembers zones as they were read last, with their serials: a
// zone whose serial still stands need not be read again, by this process or by
// the next.
package seen

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"domherre/portfolio"
)

// Trusted is how long an unchanged serial stands for an unchanged zone. Every
// change must raise it (RFC 2136, section 3.6), but who edits zones by hand may
// forget.
const Trusted = time.Hour

// Store is the part of the state that keeps a Memory.
type Store interface {
	Load(ctx context.Context, key string) ([]byte, error)
	Store(ctx context.Context, key string, value []byte) error
}

// Memory is the zones of one server. The zero Memory works, and forgets when
// the process ends. It is safe for concurrent use.
type Memory struct {
	store Store
	key   string
	of    string
	now   func() time.Time

	mu     sync.Mutex
	loaded bool
	dirty  bool
	zones  map[portfolio.Name]entry
}

// entry is a zone as read whole at a time.
type entry struct {
	Zone   portfolio.Name    `json:"zone"`
	Serial uint32            `json:"serial"`
	At     time.Time         `json:"at"`
	RRsets []portfolio.RRset `json:"rrsets"`
}

// document is a Memory in the store.
type document struct {
	Version int     `json:"version"` // 1
	Of      string  `json:"of"`
	Zones   []entry `json:"zones"`
}

// New makes the Memory of the server that name (as the config calls it) and
// address tell from others. store may be nil, now too.
func New(store Store, name, address string, now func() time.Time) *Memory {
	sum := sha256.Sum256([]byte(address))
	file := sha256.Sum256([]byte(name)) // any name will do in a config
	return &Memory{store: store, key: "dns/seen/" + hex.EncodeToString(file[:8]) + ".json", of: hex.EncodeToString(sum[:]), now: now}
}

func (m *Memory) time() time.Time {
	if m.now != nil {
		return m.now()
	}
	return time.Now()
}

// Get gives a zone as it was read last, if that isn't too long ago.
func (m *Memory) Get(ctx context.Context, name portfolio.Name) (portfolio.Zone, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load(ctx)
	e, ok := m.zones[name]
	if age := m.time().Sub(e.At); !ok || age > Trusted || age < 0 {
		return portfolio.Zone{}, false
	}
	// Callers may sort and cut the list; the RRsets' data is shared.
	return portfolio.Zone{Name: name, Serial: e.Serial, RRsets: slices.Clone(e.RRsets)}, true
}

// Put remembers a zone that was just read whole.
func (m *Memory) Put(ctx context.Context, z portfolio.Zone) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load(ctx)
	m.zones[z.Name] = entry{Zone: z.Name, Serial: z.Serial, At: m.time(), RRsets: slices.Clone(z.RRsets)}
	m.dirty = true
}

// Forget makes Get find nothing.
func (m *Memory) Forget(ctx context.Context, name portfolio.Name) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load(ctx)
	if _, there := m.zones[name]; there {
		delete(m.zones, name)
		m.dirty = true
	}
}

// load reads what the process before left, once; the caller holds the lock.
// What can't be read is as good as nothing: it is read anew at the provider.
func (m *Memory) load(ctx context.Context) {
	if m.loaded {
		return
	}
	m.loaded, m.zones = true, map[portfolio.Name]entry{}
	if m.store == nil {
		return
	}
	value, err := m.store.Load(context.WithoutCancel(ctx), m.key)
	var doc document
	if err != nil || json.Unmarshal(value, &doc) != nil || doc.Version != 1 || doc.Of != m.of {
		return
	}
	for _, e := range doc.Zones {
		m.zones[e.Zone] = e
	}
}

// Save leaves what is known to the next process.
func (m *Memory) Save(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.store == nil || !m.dirty {
		return nil
	}
	doc := document{Version: 1, Of: m.of, Zones: make([]entry, 0, len(m.zones))}
	for _, e := range m.zones {
		if m.time().Sub(e.At) <= Trusted {
			doc.Zones = append(doc.Zones, e)
		}
	}
	slices.SortFunc(doc.Zones, func(a, b entry) int { return strings.Compare(a.Zone.ASCII(), b.Zone.ASCII()) })
	value, err := json.Marshal(doc)
	if err == nil {
		err = m.store.Store(ctx, m.key, value)
	}
	if err != nil && !errors.Is(err, fs.ErrPermission) { // a state that can only be read has no place for it
		return fmt.Errorf("remembering the zones as read: %w", err)
	}
	m.dirty = false
	return nil
}
