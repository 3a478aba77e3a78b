package dnsprovider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

const (
	challengesPrefix = "dns/challenges"
	// challengeAge is how long after a challenge was put nobody waits for it any
	// more.
	challengeAge = time.Hour
)

// noted is a challenge that was put and not removed yet, as the state has it.
type noted struct {
	FQDN  string    `json:"fqdn"`
	Value string    `json:"value"`
	At    time.Time `json:"at"`
}

func challengeKey(fqdn, value string) string {
	sum := sha256.Sum256([]byte(fqdn + " " + value))
	return challengesPrefix + "/" + hex.EncodeToString(sum[:12]) + ".json"
}

// note remembers a challenge that is about to be put, so that it is removed even
// if this process ends before.
func (s *Set) note(ctx context.Context, fqdn, value string) error {
	if s.deps.Store == nil {
		return nil
	}
	text, err := json.Marshal(noted{fqdn, value, s.deps.Now().UTC()})
	if err == nil {
		err = s.deps.Store.Store(ctx, challengeKey(fqdn, value), text)
	}
	if err != nil {
		return fmt.Errorf("note the challenge in the state: %w", err)
	}
	return nil
}

// removed forgets a challenge. Where that fails, it is removed once more.
func (s *Set) removed(ctx context.Context, fqdn, value string) {
	if s.deps.Store == nil {
		return
	}
	if err := s.deps.Store.Delete(ctx, challengeKey(fqdn, value)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.deps.Log.Debug("a challenge that is gone stays noted", "name", fqdn, "error", err)
	}
}

// Sweep removes challenges that a process put and didn't live to remove, ours
// alone, and gives their number. The error joins those of single challenges.
func (s *Set) Sweep(ctx context.Context) (int, error) {
	if s.deps.Store == nil {
		return 0, nil
	}
	keys, err := s.deps.Store.List(ctx, challengesPrefix, false)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("list the challenges in the state: %w", err)
	}
	swept := 0
	var failures []error
	for _, key := range keys {
		text, err := s.deps.Store.Load(ctx, key)
		var left noted
		if err != nil || json.Unmarshal(text, &left) != nil || s.deps.Now().Sub(left.At) < challengeAge {
			continue // gone meanwhile, none, or perhaps still waited for
		}
		if err := s.CleanUp(ctx, left.FQDN, left.Value); err != nil {
			failures = append(failures, err)
			continue
		}
		swept++
	}
	return swept, errors.Join(failures...)
}
