package wire

import (
	"context"
	"encoding/json"
	"fmt"

	"domherre/portfolio"
	"domherre/state"
)

// Journal keeps the core's entries in the state's journal.
type Journal struct{ Store state.Journal }

// Append implements portfolio.Journal.
func (j Journal) Append(ctx context.Context, e portfolio.Entry) (string, error) {
	doc, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	id, err := j.Store.Append(ctx, e.ASCII, doc)
	if err != nil {
		return "", fmt.Errorf("writing the journal: %w", err)
	}
	return id, nil
}

// Entries gives the entries about the domains, all where none is named, newest
// first, each with the entry that undid it.
func (j Journal) Entries(ctx context.Context, only []portfolio.Name) ([]portfolio.Entry, error) {
	var f state.Filter
	for _, n := range only {
		f.Subjects = append(f.Subjects, n.ASCII())
	}
	entries, err := j.entries(ctx, f)
	if err != nil {
		return nil, err
	}
	undone := map[string]string{}
	for i := range entries {
		e := &entries[i]
		if e.Undoes != "" && e.Error == "" && undone[e.Undoes] == "" {
			undone[e.Undoes] = e.ID
		}
	}
	for i := range entries {
		entries[i].RolledBack = undone[entries[i].ID]
	}
	return entries, nil
}

// Entry gives one entry; ok is false where there is no such one.
func (j Journal) Entry(ctx context.Context, id string) (e portfolio.Entry, ok bool, err error) {
	entries, err := j.entries(ctx, state.Filter{IDs: []string{id}})
	if err != nil || len(entries) == 0 {
		return portfolio.Entry{}, false, err
	}
	return entries[0], true, nil
}

func (j Journal) entries(ctx context.Context, f state.Filter) ([]portfolio.Entry, error) {
	stored, err := j.Store.Entries(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	entries := make([]portfolio.Entry, 0, len(stored))
	for _, s := range stored {
		var e portfolio.Entry
		if err := json.Unmarshal(s.Doc, &e); err != nil {
			return nil, fmt.Errorf("the journal's entry %s can't be read: %w", s.ID, err)
		}
		e.ID = s.ID
		entries = append(entries, e)
	}
	return entries, nil
}
