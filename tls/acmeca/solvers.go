package acmeca

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// Tokens is the solver of http-01 and tls-alpn-01: it puts the challenge into
// the store, where whichever process serves the name finds it. The place and
// form are certmagic's.
type Tokens struct {
	Storage certmagic.Storage
	Issuer  string // IssuerKey of the CA
}

// Present stores the challenge.
func (t Tokens) Present(ctx context.Context, ch acme.Challenge) error {
	data, err := json.Marshal(ch)
	if err != nil {
		return err
	}
	if err := t.Storage.Store(ctx, tokenKey(t.Issuer, ch.Identifier.Value), data); err != nil {
		return fmt.Errorf("storing the challenge: %w", err)
	}
	return nil
}

// CleanUp removes the challenge.
func (t Tokens) CleanUp(ctx context.Context, ch acme.Challenge) error {
	return t.Storage.Delete(ctx, tokenKey(t.Issuer, ch.Identifier.Value))
}

// Find gives the challenge that is being solved for host with this CA, and
// whether there is one.
func (t Tokens) Find(ctx context.Context, host string) (acme.Challenge, bool, error) {
	var ch acme.Challenge
	data, err := t.Storage.Load(ctx, tokenKey(t.Issuer, host))
	if errors.Is(err, fs.ErrNotExist) {
		return ch, false, nil
	}
	if err != nil {
		return ch, false, fmt.Errorf("reading the challenge: %w", err)
	}
	if err := json.Unmarshal(data, &ch); err != nil || ch.Identifier.Value != host {
		return ch, false, nil // half written by a process that died, or another name's
	}
	return ch, true, nil
}

func tokenKey(issuer, host string) string {
	safe := certmagic.StorageKeys.Safe
	return path.Join("acme", safe(issuer), "challenge_tokens", safe(host)+".json")
}
