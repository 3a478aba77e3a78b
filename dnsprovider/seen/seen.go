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

	mu       sync.Mutex
	loaded   bool
	dirty    bool
	zones    map[string]entry    // by A-labels
	contents map[string]*content // by their text
}

// entry is a zone as read whole at a time.
type entry struct {
	at     time.Time
	serial uint32
	*content
}

// content is what zones hold; look-alike domains share one.
type content struct {
	text   string            // JSON; most are never looked at
	rrsets []portfolio.RRset // read from it once, where several zones hold the same
	zones  int               // that hold it
}

// document is a Memory in the store.
type document struct {
	Version  int                   `json:"version"` // 2
	Of       string                `json:"of"`
	Contents []json.RawMessage     `json:"contents"`
	Zones    map[string]storedZone `json:"zones"`
}

type storedZone struct {
	At      time.Time `json:"at"`
	Serial  uint32    `json:"serial"`
	Content int       `json:"content"` // place in Contents
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
// get the same RRsets: they must not be changed.
func (m *Memory) Get(ctx context.Context, name portfolio.Name) (portfolio.Zone, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load(ctx)
	e, ok := m.zones[name.ASCII()]
	if !ok || !m.trusts(e.at) {
		return portfolio.Zone{}, false
	}
	sets, err := e.read()
	return portfolio.Zone{Name: name, Serial: e.serial, RRsets: sets}, err == nil
}

// read gives the RRsets. The caller holds the lock.
func (c *content) read() ([]portfolio.RRset, error) {
	if c.rrsets != nil {
		return c.rrsets, nil
	}
	var sets []portfolio.RRset
	err := json.Unmarshal([]byte(c.text), &sets)
	if c.zones > 1 {
		c.rrsets = sets
	}
	return sets, err
}

// Put remembers a zone that was just read whole.
func (m *Memory) Put(ctx context.Context, z portfolio.Zone) {
	text, err := json.Marshal(z.RRsets)
	if err != nil {
		return // zones are strings and numbers: it doesn't fail
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load(ctx)
	e, known := m.zones[z.Name.ASCII()]
	if known && m.trusts(e.at) && e.serial == z.Serial && e.text == string(text) {
		return // there is nothing to save, and in the end it is read whole all the same
	}
	m.set(z.Name.ASCII(), m.time(), z.Serial, text)
	m.dirty = true
}

// set enters a zone. The caller holds the lock.
func (m *Memory) set(ascii string, at time.Time, serial uint32, text []byte) {
	m.drop(ascii)
	c, known := m.contents[string(text)]
	if !known {
		c = &content{text: string(text)}
		m.contents[c.text] = c
	}
	c.zones++
	m.zones[ascii] = entry{at, serial, c}
}

// drop takes a zone out, and says whether it was there. The caller holds the lock.
func (m *Memory) drop(ascii string) bool {
	e, there := m.zones[ascii]
	if !there {
		return false
	}
	delete(m.zones, ascii)
	if e.zones--; e.zones == 0 {
		delete(m.contents, e.text)
	}
	return true
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
	if m.drop(name.ASCII()) {
		m.dirty = true
	}
}

// load reads what the process before left, once; the caller holds the lock.
// What can't be read is as good as nothing: it is read anew at the provider.
func (m *Memory) load(ctx context.Context) {
	if m.loaded {
		return
	}
	m.loaded, m.zones, m.contents = true, map[string]entry{}, map[string]*content{}
	if m.store == nil {
		return
	}
	value, err := m.store.Load(context.WithoutCancel(ctx), m.key)
	var doc document
	if err != nil || json.Unmarshal(value, &doc) != nil || doc.Version != 2 || doc.Of != m.of {
		return
	}
	for ascii, z := range doc.Zones {
		if z.Content >= 0 && z.Content < len(doc.Contents) {
			m.set(ascii, z.At, z.Serial, doc.Contents[z.Content])
		}
	}
}

// encode writes a document of what is still trusted. The caller holds the lock.
func (m *Memory) encode() ([]byte, error) {
	doc := document{Version: 2, Of: m.of, Contents: []json.RawMessage{}, Zones: map[string]storedZone{}}
	places := map[*content]int{}
	for _, ascii := range slices.Sorted(maps.Keys(m.zones)) {
		e := m.zones[ascii]
		if !m.trusts(e.at) {
			continue
		}
		place, known := places[e.content]
		if !known {
			place = len(doc.Contents)
			places[e.content] = place
			doc.Contents = append(doc.Contents, json.RawMessage(e.text))
		}
		doc.Zones[ascii] = storedZone{e.at, e.serial, place}
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
