package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// restore enters entries of another journal: each month's file is written anew
// and put in place whole.
func (s *files) restore(ctx context.Context, entries []Entry) error {
	id := lockID{journalDir, "journal"}
	if _, err := s.take(ctx, id, Holder{}, true); err != nil {
		return err
	}
	err := s.restoreMonths(ctx, entries)
	if err != nil {
		err = fmt.Errorf("state: writing the journal in %s: %w; %s", s.root, cause(err), remedy(err))
	}
	return errors.Join(err, s.drop(id))
}

func (s *files) restoreMonths(ctx context.Context, entries []Entry) error {
	months := map[string][]Entry{}
	for _, e := range entries {
		month := e.slot().Format(monthForm) + monthExt
		months[month] = append(months[month], e)
	}
	for month, added := range months {
		if err := ctx.Err(); err != nil {
			return err
		}
		there, err := s.readMonth(month, Filter{})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		all := slices.Concat(there, added)
		slices.SortStableFunc(all, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) })
		all = slices.CompactFunc(all, func(a, b Entry) bool { return a.ID == b.ID })
		if len(all) == len(there) {
			continue
		}
		var lines bytes.Buffer
		for _, e := range all {
			line, err := json.Marshal(e)
			if err != nil {
				return err
			}
			lines.Write(append(line, '\n'))
		}
		if err := s.replace(ctx, filepath.Join(s.root, journalDir, month), lines.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// slot gives the time in the entry's ID.
func (e Entry) slot() time.Time {
	if len(e.ID) >= len(idForm) {
		if at, err := time.Parse(idForm, e.ID[:len(idForm)]); err == nil {
			return at
		}
	}
	return e.Time.UTC()
}
