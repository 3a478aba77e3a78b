package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/caddyserver/certmagic"

	"domherre/portfolio"
)

// Accepted keeps the portfolio as last accepted in the state.
type Accepted struct{ Storage certmagic.Storage }

type acceptedDocument struct {
	Version int                `json:"version"`
	Domains []portfolio.Domain `json:"domains"`
}

func acceptedKey(id string) string { return "portfolio/" + id + "/accepted.json" }

// LoadAccepted implements portfolio.AcceptedStore.
func (a Accepted) LoadAccepted(ctx context.Context, id string) ([]portfolio.Domain, error) {
	text, err := a.Storage.Load(ctx, acceptedKey(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the accepted portfolio from the state: %w", err)
	}
	var doc acceptedDocument
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("the accepted portfolio in the state (%s) can't be read: %w", acceptedKey(id), err)
	}
	return doc.Domains, nil
}

// SaveAccepted implements portfolio.AcceptedStore.
func (a Accepted) SaveAccepted(ctx context.Context, id string, domains []portfolio.Domain) error {
	text, err := json.Marshal(acceptedDocument{Version: 1, Domains: domains})
	if err != nil {
		return err
	}
	if err := a.Storage.Store(ctx, acceptedKey(id), text); err != nil {
		return fmt.Errorf("keeping the accepted portfolio in the state: %w", err)
	}
	return nil
}
