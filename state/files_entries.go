package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// lastID gives the ID of the newest entry, "" where there is none.
func (s *files) lastID() (string, error) {
	months, err := s.months()
	if err != nil {
		return "", err
	}
	for _, month := range months {
		e, err := s.newest(month)
		if err != nil || e.ID != "" {
			return e.ID, err
		}
	}
	return "", nil
}

// newest gives the last entry of one file, the zero Entry where it has none.
func (s *files) newest(month string) (Entry, error) {
	f, err := os.Open(filepath.Join(s.root, journalDir, month))
	if err != nil {
		return Entry{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Entry{}, err
	}
	line, err := lastLine(f, info.Size())
	if err == nil && !bytes.HasSuffix(line, []byte("\n")) {
		line, err = lastLine(f, info.Size()-int64(len(line))) // before the half-written one
	}
	if err != nil {
		return Entry{}, err
	}
	var e Entry
	if json.Unmarshal(line, &e) == nil && e.ID != "" {
		return e, nil
	}
	// Something else wrote there: look further up.
	entries, err := s.readMonth(month, Filter{Limit: 1})
	if err != nil || len(entries) == 0 {
		return Entry{}, err
	}
	return entries[0], nil
}

// months lists the files of the journal, newest first.
func (s *files) months() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.root, journalDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var months []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), monthExt) {
			months = append(months, e.Name())
		}
	}
	slices.Sort(months)
	slices.Reverse(months)
	return months, nil
}

// Entries lists what f selects, newest first.
func (s *files) Entries(ctx context.Context, f Filter) ([]Entry, error) {
	if err := s.alive(ctx); err != nil {
		return nil, err
	}
	months, err := s.months()
	if err != nil {
		return nil, fmt.Errorf("state: reading the journal: %w; %s", err, remedy(err))
	}
	var found []Entry
	for _, month := range months {
		entries, err := s.readMonth(month, f)
		if err != nil {
			return nil, fmt.Errorf("state: reading the journal: %w; %s", err, remedy(err))
		}
		found = append(found, entries...)
		if f.Limit > 0 {
			if f.Limit -= len(entries); f.Limit == 0 {
				break
			}
		}
	}
	return found, nil
}

// readMonth gives what f selects of one file, newest first.
func (s *files) readMonth(month string, f Filter) ([]Entry, error) {
	text, err := os.ReadFile(filepath.Join(s.root, journalDir, month))
	if err != nil {
		return nil, err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	var found []Entry
	for len(text) > 0 && (f.Limit == 0 || len(found) < f.Limit) {
		start := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
		line := text[start:]
		text = text[:start]
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil || e.ID == "" {
			s.log.Warn("skipped a line of the journal that is no entry", "file", month)
			continue
		}
		if f.selects(e) {
			found = append(found, e)
		}
	}
	return found, nil
}

func (f Filter) selects(e Entry) bool {
	return (len(f.IDs) == 0 || slices.Contains(f.IDs, e.ID)) &&
		(len(f.Subjects) == 0 || slices.Contains(f.Subjects, e.Subject)) &&
		!e.Time.Before(f.Since)
}
