package state

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/caddyserver/certmagic"
)

// A sealed value is a line that names the key, and what AES-256-GCM makes of
// the value with a nonce of its own, bound to the name that it is stored by.
// Values without that line are read as they are: they are older than the keys.
const sealMark = "# domherre sealed 1 "

// ShortestKey is how many octets the text of a key has at least.
const ShortestKey = 32

// Key seals and opens values.
type Key struct {
	id   string
	aead cipher.AEAD
}

// NewKey makes a key of a secret text, such as what `openssl rand -base64 32`
// prints. It has to be random: it isn't stretched as a password would be.
func NewKey(secret string) (Key, error) {
	if len(secret) < ShortestKey {
		return Key{}, fmt.Errorf("a key of the state has at least %d characters; make one with: openssl rand -base64 32", ShortestKey)
	}
	derived, err := hkdf.Key(sha256.New, []byte(secret), nil, "domherre state", 32+4)
	if err != nil {
		return Key{}, err
	}
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return Key{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return Key{hex.EncodeToString(derived[32:]), aead}, err
}

// SealError says that a value can't be decrypted.
type SealError struct {
	Key    string // of the value; "" for the state as a whole
	KeyID  string
	Reason string // "…, which is not among the keys given; add it under state_key:"
}

func (e *SealError) Error() string {
	what := "state: " + e.Key + " is encrypted"
	if e.Key == "" {
		what = "the state is encrypted"
	}
	return fmt.Sprintf("%s with key %s, %s", what, e.KeyID, e.Reason)
}

// sealed encrypts the values of a Store, where it has keys, and refuses sealed
// values that it has no key for: they must never be taken for damaged ones.
type sealed struct {
	base
	keys []Key // the first seals
}

// Own keys: what a Store notes about itself. No List shows them.
const (
	ownFolder = "state"
	sealKey   = ownFolder + "/seal" // any value: tells at once whether the keys fit
	copyKey   = ownFolder + "/copy" // stands while a copy into the state isn't complete
)

func isOwn(key string) bool { return key == ownFolder || strings.HasPrefix(key, ownFolder+"/") }

// check sees that the keys fit, and that the state is a whole one. What can't
// be read just now shows later.
func (s *sealed) check(ctx context.Context, forCopy bool) error {
	own, err := s.base.List(ctx, ownFolder, true)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ctx.Err()
	}
	if slices.Contains(own, copyKey) && !forCopy {
		return &UnfinishedError{s.String()}
	}
	if !slices.Contains(own, sealKey) {
		if !forCopy {
			_ = s.mark(ctx) // who can't write now will write it later
		}
		return nil
	}
	_, err = s.Load(ctx, sealKey)
	var bad *SealError
	if errors.As(err, &bad) {
		bad.Key = ""
		return bad
	}
	return nil
}

// mark has those without the keys told at once.
func (s *sealed) mark(ctx context.Context) error {
	if len(s.keys) == 0 {
		return nil
	}
	return s.Store(ctx, sealKey, []byte("domherre\n"))
}

// Load gives the value at key, decrypted.
func (s *sealed) Load(ctx context.Context, key string) ([]byte, error) {
	value, err := s.base.Load(ctx, key)
	if err != nil {
		return nil, err
	}
	return s.open(key, value)
}

func (s *sealed) open(key string, value []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(value, []byte(sealMark))
	if !ok {
		return value, nil
	}
	id, text, _ := bytes.Cut(rest, []byte("\n"))
	for _, k := range s.keys {
		if k.id != string(id) {
			continue
		}
		plain, err := k.aead.Open(nil, nil, text, []byte(key))
		if err != nil {
			return nil, &SealError{key, k.id, "and is damaged, or was put there under another name; restore it from a backup, or remove it"}
		}
		return append([]byte{}, plain...), nil // never nil
	}
	reason := "which is not among the keys given; add it under state_key:"
	if len(s.keys) == 0 {
		reason = "and no key is given; write it under state_key:"
	}
	return nil, &SealError{key, fmt.Sprintf("%.8q", id), reason}
}

// Stat tells about key.
func (s *sealed) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	info, err := s.base.Stat(ctx, key)
	if err == nil && info.IsTerminal && len(s.keys) > 0 {
		var value []byte
		value, err = s.Load(ctx, key)
		info.Size = int64(len(value))
	}
	return info, err
}

// Store puts value at key, encrypted where there are keys.
func (s *sealed) Store(ctx context.Context, key string, value []byte) error {
	if len(s.keys) > 0 {
		k := s.keys[0]
		value = k.aead.Seal([]byte(sealMark+k.id+"\n"), nil, value, []byte(key))
	}
	return s.base.Store(ctx, key, value)
}

// List gives the keys below prefix, sorted.
func (s *sealed) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	keys, err := s.base.List(ctx, prefix, recursive)
	if prefix == "" {
		keys = slices.DeleteFunc(keys, isOwn)
	}
	return keys, err
}
