package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"reflect"
	"sync"

	"github.com/caddyserver/certmagic"

	"domherre/portfolio"
)

// AcceptedPrefix is the folder of the state that holds portfolios as accepted.
const AcceptedPrefix = "portfolio"

// Accepted keeps the portfolio as last accepted in the state.
type Accepted struct {
	Storage certmagic.Storage
	Log     *slog.Logger // told of damage; may be nil
}

type acceptedDocument struct {
	Version int             `json:"version"`
	Domains acceptedDomains `json:"domains"`
}

func acceptedKey(id string) string { return AcceptedPrefix + "/" + id + "/accepted.json" }

// LoadAccepted implements portfolio.AcceptedStore. A damaged one is as good as
// none: what is ours is found by its marks.
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
		sayDamaged(a.Log, &damagedError{acceptedKey(id), err}, "which domains left the list is found by their marks, as on a new machine")
		return nil, nil
	}
	return doc.Domains, nil
}

// acceptedDomains are entries that share what they have in common with the one
// before: most of a portfolio has the same settings.
type acceptedDomains []portfolio.Domain

// UnmarshalJSON reads them one by one.
func (a *acceptedDomains) UnmarshalJSON(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil { // the bracket
		return err
	}
	list := make(acceptedDomains, 0, bytes.Count(text, []byte(`"source":`)))
	for dec.More() {
		var d portfolio.Domain
		if err := dec.Decode(&d); err != nil {
			return err
		}
		if len(list) > 0 {
			share(&d, &list[len(list)-1])
		}
		list = append(list, d)
	}
	*a = list
	return nil
}

// share has d refer to what it has in common with other.
func share(d, other *portfolio.Domain) {
	if reflect.DeepEqual(d.DNS, other.DNS) {
		d.DNS = other.DNS
	}
	if reflect.DeepEqual(d.Redirect, other.Redirect) {
		d.Redirect = other.Redirect
	}
	for _, s := range [][2]*string{{&d.Provider, &other.Provider}, {&d.Frontend, &other.Frontend}, {&d.Source.File, &other.Source.File}} {
		if *s[0] == *s[1] {
			*s[0] = *s[1]
		}
	}
}

// SaveAccepted implements portfolio.AcceptedStore.
func (a Accepted) SaveAccepted(ctx context.Context, id string, domains []portfolio.Domain) error {
	text, err := encodeAccepted(domains)
	if err != nil {
		return err
	}
	if err := a.Storage.Store(ctx, acceptedKey(id), text); err != nil {
		return fmt.Errorf("keeping the accepted portfolio in the state: %w", err)
	}
	return nil
}

// encodeAccepted writes an acceptedDocument, an entry at a time: thousands of
// them are megabytes.
func encodeAccepted(domains []portfolio.Domain) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`{"version":1,"domains":[`)
	for i := range domains {
		text, err := json.Marshal(&domains[i])
		if err != nil {
			return nil, err
		}
		if i == 0 {
			b.Grow(len(domains) * (len(text) + len(text)/8)) // most are as long
		} else {
			b.WriteByte(',')
		}
		b.Write(text)
	}
	b.WriteString("]}")
	return b.Bytes(), nil
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
