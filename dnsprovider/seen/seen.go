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
	"maps"
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
	zones  map[string]entry            // by A-labels
	sets   map[string]*portfolio.RRset // all of theirs, by their text; nil until one is looked for
}

// entry is a zone as read whole at a time. Look-alike domains share their RRsets.
type entry struct {
	at     time.Time
	serial uint32
	sets   []*portfolio.RRset
}

// document is a Memory in the store.
type document struct {
	Version int                   `json:"version"` // 3
	Of      string                `json:"of"`
	RRsets  []*portfolio.RRset    `json:"rrsets"`
	Zones   map[string]storedZone `json:"zones"`
}

type storedZone struct {
	At     time.Time `json:"at"`
	Serial uint32    `json:"serial"`
	RRsets []int     `json:"rrsets"` // places in document.RRsets
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

// Get gives a zone as it was read last, if that isn't too long ago. Others may
// get the same data: it must not be changed.
func (m *Memory) Get(ctx context.Context, name portfolio.Name) (portfolio.Zone, bool) {
	m.mu.Lock()
	m.load(ctx)
	e, ok := m.zones[name.ASCII()]
	m.mu.Unlock()
	if !ok || !m.trusts(e.at) {
		return portfolio.Zone{}, false
	}
	z := portfolio.Zone{Name: name, Serial: e.serial, RRsets: make([]portfolio.RRset, len(e.sets))}
	for i, set := range e.sets {
		z.RRsets[i] = *set
	}
	return z, true
}

// Put remembers a zone that was just read whole.
func (m *Memory) Put(ctx context.Context, z portfolio.Zone) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load(ctx)
	e := entry{at: m.time(), serial: z.Serial, sets: make([]*portfolio.RRset, len(z.RRsets))}
	for i := range z.RRsets {
		e.sets[i] = m.one(z.RRsets[i])
	}
	was, known := m.zones[z.Name.ASCII()]
	if known && m.trusts(was.at) && was.serial == e.serial && slices.Equal(was.sets, e.sets) {
		return // there is nothing to save, and in the end it is read whole all the same
	}
	m.zones[z.Name.ASCII()] = e
	m.dirty = true
}

// one gives the RRset that is kept of those that equal it. The caller holds the lock.
func (m *Memory) one(set portfolio.RRset) *portfolio.RRset {
	if m.sets == nil {
		m.sets = map[string]*portfolio.RRset{}
		for _, e := range m.zones {
			for _, known := range e.sets {
				m.sets[textOf(known)] = known
			}
		}
	}
	text := textOf(&set)
	if m.sets[text] == nil {
		m.sets[text] = &set
	}
	return m.sets[text]
}

func textOf(set *portfolio.RRset) string {
	text, _ := json.Marshal(set) // strings and numbers: it doesn't fail
	return string(text)
}

func (m *Memory) trusts(at time.Time) bool {
	age := m.time().Sub(at)
	return age >= 0 && age <= Trusted
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
	m.loaded, m.zones = true, map[string]entry{}
	if m.store == nil {
		return
	}
	value, err := m.store.Load(context.WithoutCancel(ctx), m.key)
	var doc document
	if err != nil || json.Unmarshal(value, &doc) != nil || doc.Version != 3 || doc.Of != m.of {
		return
	}
	for ascii, z := range doc.Zones {
		if sets, ok := doc.at(z.RRsets); ok {
			m.zones[ascii] = entry{z.At, z.Serial, sets}
		}
	}
}

// at gives the RRsets at some places; ok is false where there are none.
func (d *document) at(places []int) (sets []*portfolio.RRset, ok bool) {
	sets = make([]*portfolio.RRset, len(places))
	for i, place := range places {
		if place < 0 || place >= len(d.RRsets) || d.RRsets[place] == nil {
			return nil, false
		}
		sets[i] = d.RRsets[place]
	}
	return sets, true
}

// encode writes a document of what is still trusted. The caller holds the lock.
func (m *Memory) encode() ([]byte, error) {
	doc := document{Version: 3, Of: m.of, RRsets: []*portfolio.RRset{}, Zones: map[string]storedZone{}}
	places := map[*portfolio.RRset]int{}
	for _, ascii := range slices.Sorted(maps.Keys(m.zones)) {
		e := m.zones[ascii]
		if !m.trusts(e.at) {
			continue
		}
		z := storedZone{e.at, e.serial, make([]int, len(e.sets))}
		for i, set := range e.sets {
			place, known := places[set]
			if !known {
				place = len(doc.RRsets)
				places[set] = place
				doc.RRsets = append(doc.RRsets, set)
			}
			z.RRsets[i] = place
		}
		doc.Zones[ascii] = z
	}
	return json.Marshal(doc)
}

// Save leaves what is known to the next process.
func (m *Memory) Save(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.store == nil || !m.dirty {
		return nil
	}
	m.sets = nil // it holds what zones no longer do, too
	text, err := m.encode()
	if err == nil {
		err = m.store.Store(ctx, m.key, text)
	}
	if err != nil && !errors.Is(err, fs.ErrPermission) { // a state that can only be read has no place for it
		return fmt.Errorf("remembering the zones as read: %w", err)
	}
	m.dirty = false
	return nil
}
