package tls

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"
)

// Keys of session tickets are shared by all that serve from one store, so that a
// visitor's session goes on at whichever node a balancer chooses. One process,
// the one that runs the Manager, makes them; the others read them.
const ticketsKey = "tickets/keys.json"

const (
	// ticketLife is how long a key of session tickets is used; what it sealed is
	// taken about as long again. Tickets tie a visitor's connections together, so
	// not for long.
	ticketLife = time.Hour
	// ticketLead is how long before its use a key is in the store: longer than
	// anyone takes to look again.
	ticketLead   = 2 * maxSleep
	ticketsEvery = time.Minute // is how often the store is asked
	// ticketsKept is how many are: the next, the one in use, and one before.
	ticketsKept = 3
)

// ticketKey is one of them.
type ticketKey struct {
	Made time.Time `json:"made"`
	Key  []byte    `json:"key"` // 32 octets
}

// tickets are the keys as this process knows them.
type tickets struct {
	config *tls.Config // seals and opens tickets

	mu     sync.Mutex
	own    []ticketKey // where the store has none; the newest first
	shared []ticketKey // as in the store
	failed bool        // told already
}

func newTickets(now time.Time) (*tickets, error) {
	t := &tickets{config: &tls.Config{}}
	return t, t.use(nil, now)
}

// RotateTickets replaces the keys of session tickets when their time has come,
// and takes over those that others have made. Run and Reload do so; who serves
// without Run calls it now and then.
func (m *Manager) RotateTickets(ctx context.Context) { m.turnTickets(ctx, false) }

// turnTickets also makes the next key for all, where that is ours to do.
func (m *Manager) turnTickets(ctx context.Context, ours bool) {
	now := m.now()
	shared, err := m.shelf.ticketKeys(ctx, now)
	if err == nil && ours && (len(shared) == 0 || now.Sub(shared[0].Made) >= ticketLife) {
		shared, err = m.shelf.addTicketKey(ctx, shared, now)
	}
	if err != nil {
		shared = nil
	}
	err = errors.Join(m.tickets.noted(err), m.tickets.use(shared, now))
	if err != nil && ctx.Err() == nil {
		m.log.Warn("session tickets aren't shared with other nodes for now", slog.Any("error", err))
	}
}

// noted gives an error that wasn't told before.
func (t *tickets) noted(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.failed
	if t.failed = err != nil; before {
		return nil
	}
	return err
}

// use puts keys in force, or our own where there are none: those of before,
// while they can be used.
func (t *tickets) use(shared []ticketKey, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(shared) > 0 {
		t.shared = shared
	}
	keys := fresh(t.shared, now)
	if len(keys) == 0 || now.Sub(keys[0].Made) >= 2*ticketLife {
		if t.own = fresh(t.own, now); len(t.own) == 0 || now.Sub(t.own[0].Made) >= ticketLife {
			key, err := newTicketKey(now)
			if err != nil {
				return err
			}
			t.own = append([]ticketKey{key}, t.own...)
		}
		keys = append(t.own, keys...)
	}
	t.config.SetSessionTicketKeys(inTurn(keys, now))
	return nil
}

func newTicketKey(now time.Time) (ticketKey, error) {
	k := ticketKey{Made: now.UTC(), Key: make([]byte, 32)}
	if _, err := rand.Read(k.Key); err != nil {
		return k, fmt.Errorf("making a key for session tickets: %w", err)
	}
	return k, nil
}

// fresh leaves out what is too old, or of a clock that was wrong.
func fresh(keys []ticketKey, now time.Time) []ticketKey {
	var good []ticketKey
	for _, k := range keys {
		if age := now.Sub(k.Made); len(k.Key) == 32 && age > -ticketLead && age < ticketsKept*ticketLife && len(good) < ticketsKept {
			good = append(good, k)
		}
	}
	return good
}

// inTurn gives the keys as crypto/tls wants them, the one to seal with first: the
// newest that all have had time to read.
func inTurn(keys []ticketKey, now time.Time) [][32]byte {
	all := make([][32]byte, len(keys))
	for i, k := range keys {
		all[i] = [32]byte(k.Key)
	}
	if len(keys) > 1 && now.Sub(keys[0].Made) < ticketLead {
		all[0], all[1] = all[1], all[0]
	}
	return all
}

// ticketKeys reads the keys, the newest first. What is damaged counts as none.
func (s shelf) ticketKeys(ctx context.Context, now time.Time) ([]ticketKey, error) {
	data, err := s.storage.Load(ctx, ticketsKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading their keys: %w", err)
	}
	var keys []ticketKey
	if json.Unmarshal(data, &keys) != nil {
		return nil, nil
	}
	return fresh(keys, now), nil
}

// addTicketKey writes a new one before the others.
func (s shelf) addTicketKey(ctx context.Context, keys []ticketKey, now time.Time) ([]ticketKey, error) {
	key, err := newTicketKey(now)
	if err != nil {
		return nil, err
	}
	keys = append([]ticketKey{key}, keys[:min(len(keys), ticketsKept-1)]...)
	data, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	if err := s.storage.Store(ctx, ticketsKey, data); err != nil {
		return nil, fmt.Errorf("writing their keys: %w", err)
	}
	return keys, nil
}
