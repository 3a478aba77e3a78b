// Package seen remembers zones as they were read last, with their serials: a
// zone whose serial still stands need not be read again, by this process or by
// the next.
package seen

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
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
	zones  map[string]json.RawMessage // entries by A-labels; most are never looked at
}

// entry is a zone as read whole at a time.
type entry struct {
	At     time.Time         `json:"at"`
	Serial uint32            `json:"serial"`
	RRsets []portfolio.RRset `json:"rrsets"`
}

// document is a Memory in the store.
type document struct {
	Version int                        `json:"version"` // 1
	Of      string                     `json:"of"`
	Zones   map[string]json.RawMessage `json:"zones"`
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
	m.load(ctx)
	raw, ok := m.zones[name.ASCII()]
	m.mu.Unlock()
	var e entry
	if !ok || json.Unmarshal(raw, &e) != nil || !m.trusts(e.At) {
		return portfolio.Zone{}, false
	}
	return portfolio.Zone{Name: name, Serial: e.Serial, RRsets: e.RRsets}, true
}

// Put remembers a zone that was just read whole.
func (m *Memory) Put(ctx context.Context, z portfolio.Zone) {
	raw, err := json.Marshal(entry{At: m.time(), Serial: z.Serial, RRsets: z.RRsets})
	if err != nil {
		return // zones are strings and numbers: it doesn't fail
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load(ctx)
	if m.same(z) {
		return
	}
	m.zones[z.Name.ASCII()] = raw
	m.dirty = true
}

// same reports whether a zone is known as it is: there is nothing to save then,
// and in the end it is read whole all the same. The caller holds the lock.
func (m *Memory) same(z portfolio.Zone) bool {
	var e entry
	raw, known := m.zones[z.Name.ASCII()]
	return known && json.Unmarshal(raw, &e) == nil && m.trusts(e.At) && e.Serial == z.Serial && reflect.DeepEqual(e.RRsets, z.RRsets)
}

func (m *Memory) trusts(at time.Time) bool {
	age := m.time().Sub(at)
	return age >= 0 && age <= Trusted
}

// encode writes a document of what is still trusted; entries are JSON already.
// The caller holds the lock.
func (m *Memory) encode() []byte {
	size := 128
	for name, raw := range m.zones {
		size += len(name) + len(raw) + 5
	}
	var b bytes.Buffer
	b.Grow(size) // megabytes, for thousands of zones: once
	fmt.Fprintf(&b, `{"version":1,"of":%q,"zones":{`, m.of)
	comma := ""
	for _, name := range slices.Sorted(maps.Keys(m.zones)) {
		var e struct{ At time.Time }
		if json.Unmarshal(m.zones[name], &e) == nil && m.trusts(e.At) {
			fmt.Fprintf(&b, "%s%q:%s", comma, name, m.zones[name])
			comma = ",\n"
		}
	}
	b.WriteString("}}")
	return b.Bytes()
}

// Forget makes Get find nothing.
func (m *Memory) Forget(ctx context.Context, name portfolio.Name) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load(ctx)
	if _, there := m.zones[name.ASCII()]; there {
		delete(m.zones, name.ASCII())
		m.dirty = true
	}
}

// load reads what the process before left, once; the caller holds the lock.
// What can't be read is as good as nothing: it is read anew at the provider.
func (m *Memory) load(ctx context.Context) {
	if m.loaded {
		return
	}
	m.loaded, m.zones = true, map[string]json.RawMessage{}
	if m.store == nil {
		return
	}
	value, err := m.store.Load(context.WithoutCancel(ctx), m.key)
	var doc document
	if err != nil || json.Unmarshal(value, &doc) != nil || doc.Version != 1 || doc.Of != m.of {
		return
	}
	if doc.Zones != nil {
		m.zones = doc.Zones
	}
}

// Save leaves what is known to the next process.
func (m *Memory) Save(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.store == nil || !m.dirty {
		return nil
	}
	err := m.store.Store(ctx, m.key, m.encode())
	if err != nil && !errors.Is(err, fs.ErrPermission) { // a state that can only be read has no place for it
		return fmt.Errorf("remembering the zones as read: %w", err)
	}
	m.dirty = false
	return nil
}
