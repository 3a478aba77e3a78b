package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"sync"

	"github.com/caddyserver/certmagic"

	"domherre/portfolio"
)

// AcceptedPrefix is the folder of the state that holds portfolios as accepted.
const AcceptedPrefix = "portfolio"

// Accepted keeps the portfolio as last accepted in the state.
type Accepted struct{ Storage certmagic.Storage }

type acceptedDocument struct {
	Version int                `json:"version"`
	Domains []portfolio.Domain `json:"domains"`
}

func acceptedKey(id string) string { return AcceptedPrefix + "/" + id + "/accepted.json" }

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

// AcceptedRuns lets several runs of one portfolio, each for other domains, go
// side by side under one lease.
type AcceptedRuns struct {
	store portfolio.AcceptedStore
	mu    sync.Mutex
}

// NewAcceptedRuns makes them over a store.
func NewAcceptedRuns(store portfolio.AcceptedStore) *AcceptedRuns {
	return &AcceptedRuns{store: store}
}

// Run gives one run its store: of what the run saves, only what it changed
// since it loaded is entered.
func (a *AcceptedRuns) Run() portfolio.AcceptedStore { return &acceptedRun{all: a} }

type acceptedRun struct {
	all    *AcceptedRuns
	before []portfolio.Domain
}

// LoadAccepted implements portfolio.AcceptedStore.
func (r *acceptedRun) LoadAccepted(ctx context.Context, id string) ([]portfolio.Domain, error) {
	r.all.mu.Lock()
	defer r.all.mu.Unlock()
	domains, err := r.all.store.LoadAccepted(ctx, id)
	r.before = domains
	return domains, err
}

// SaveAccepted implements portfolio.AcceptedStore.
func (r *acceptedRun) SaveAccepted(ctx context.Context, id string, domains []portfolio.Domain) error {
	r.all.mu.Lock()
	defer r.all.mu.Unlock()
	now, err := r.all.store.LoadAccepted(ctx, id)
	if err != nil {
		return err
	}
	return r.all.store.SaveAccepted(ctx, id, merge(r.before, domains, now))
}

// merge enters what changed from before to after into now.
func merge(before, after, now []portfolio.Domain) []portfolio.Domain {
	was, is := byName(before), byName(after)
	var merged []portfolio.Domain
	for _, d := range now {
		mine, kept := is[d.Name]
		old, had := was[d.Name]
		switch {
		case had && !kept: // this run has forgotten it
		case kept && !(had && reflect.DeepEqual(mine, old)):
			merged = append(merged, mine)
		default:
			merged = append(merged, d)
		}
	}
	there := byName(now)
	for _, d := range after {
		_, had := was[d.Name]
		if _, has := there[d.Name]; !has && !had {
			merged = append(merged, d)
		}
	}
	return merged
}

func byName(domains []portfolio.Domain) map[portfolio.Name]portfolio.Domain {
	m := make(map[portfolio.Name]portfolio.Domain, len(domains))
	for _, d := range domains {
		m[d.Name] = d
	}
	return m
}
