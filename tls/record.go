package tls

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"
)

// record is what must outlive a restart beside the certificate: how often it
// was tried in vain, and when it may be tried again. It is written before each
// attempt too, so that a process that dies in the middle of one, over and
// over, still stays within the CA's limits.
type record struct {
	Attempts  int       `json:"attempts,omitempty"` // in a row, without success
	LastTried time.Time `json:"last_tried,omitzero"`
	NextTry   time.Time `json:"next_try,omitzero"`
	LastError string    `json:"last_error,omitempty"`

	// By issuer key: failed validations of the last hour, and how long the CA
	// asked to wait.
	Failed  map[string][]time.Time `json:"failed,omitempty"`
	Limited map[string]time.Time   `json:"limited,omitempty"`

	// Certificates of the last week, for those CAs that limit them.
	Issued []issued `json:"issued,omitempty"`

	ARI *renewalWish `json:"ari,omitempty"`
}

// renewalWish is what the CA said about when to renew (RFC 9773).
type renewalWish struct {
	Serial string    `json:"serial"` // of the certificate that it concerns
	Start  time.Time `json:"start,omitzero"`
	End    time.Time `json:"end,omitzero"`
	At     time.Time `json:"at,omitzero"` // chosen within the window; zero: the CA doesn't tell
	AskAt  time.Time `json:"ask_at"`      // when to ask again
	Why    string    `json:"why,omitempty"`
}

const recordFile = "state.json"

func recordKey(id string) string { return path.Join(StoragePrefix, id, recordFile) }

// load reads the record of id. A damaged one counts as one failed attempt just
// now: it hides how many there were.
func (s shelf) load(ctx context.Context, id string, now time.Time) (record, error) {
	data, err := s.storage.Load(ctx, recordKey(id))
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, nil
	}
	if err != nil {
		return record{}, fmt.Errorf("reading what was tried from the state: %w", err)
	}
	var r record
	if json.Unmarshal(data, &r) != nil {
		return record{Attempts: 1, LastTried: now, NextTry: now.Add(damagedDelay)}, nil
	}
	return r, nil
}

// damagedDelay is how long an order waits after its record was found damaged.
const damagedDelay = 10 * time.Second

func (s shelf) save(ctx context.Context, id string, r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := s.storage.Store(ctx, recordKey(id), data); err != nil {
		return fmt.Errorf("the state can't be written, so nothing is ordered: %w", err)
	}
	return nil
}
