package wire

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strings"

	"domherre/state"
)

// HitStore keeps visitor counts in the state.
//
//	hits/PORTFOLIO/2026-11-24/PROCESS.json  what one process counted on a day
//	hits/PORTFOLIO/2026-11.json             days that are over, of all processes
//
// A process writes under its own name alone, and its counts only grow. What all
// have counted is the sum over the processes; of two counts of one process the
// larger holds. So nothing is lost or counted twice, whatever is written twice,
// late or half-way through a compaction.
type HitStore struct {
	Store     state.Store
	Portfolio string       // its ID
	Log       *slog.Logger // told of damage; may be nil
}

// HitCounts are visits by class.
type HitCounts struct {
	Person int64 `json:"person,omitempty"`
	Bot    int64 `json:"bot,omitempty"`
}

// Sum is the number of all visits.
func (c HitCounts) Sum() int64 { return c.Person + c.Bot }

func (c HitCounts) plus(d HitCounts) HitCounts { return HitCounts{c.Person + d.Person, c.Bot + d.Bot} }

func (c HitCounts) minus(d HitCounts) HitCounts { return HitCounts{c.Person - d.Person, c.Bot - d.Bot} }

func (c HitCounts) larger(d HitCounts) HitCounts {
	return HitCounts{max(c.Person, d.Person), max(c.Bot, d.Bot)}
}

// Tally holds counts by domain as A-labels.
type Tally map[string]HitCounts

// Add adds another's counts.
func (t Tally) Add(other Tally) {
	for domain, c := range other {
		t[domain] = t[domain].plus(c)
	}
}

// HitDays holds tallies by day, "2026-11-24", and process.
type HitDays map[string]map[string]Tally

// Merge takes in others' tallies; of each count the larger holds.
func (d HitDays) Merge(others HitDays) {
	for day, processes := range others {
		for process, tally := range processes {
			d.merge(day, process, tally)
		}
	}
}

func (d HitDays) merge(day, process string, tally Tally) {
	if d[day] == nil {
		d[day] = map[string]Tally{}
	}
	known := d[day][process]
	if known == nil {
		known = Tally{}
		d[day][process] = known
	}
	for domain, c := range tally {
		known[domain] = known[domain].larger(c)
	}
}

// hitsDoc is what a key holds.
type hitsDoc struct {
	Version int     `json:"version"` // 1
	Days    HitDays `json:"days"`
}

// hitsKey is a key taken apart.
type hitsKey struct {
	key          string
	month        string // "2026-11"
	day, process string // "" for a month's
}

func (s HitStore) root() string { return "hits/" + s.Portfolio }

func (s HitStore) monthKey(month string) hitsKey {
	return hitsKey{key: s.root() + "/" + month + ".json", month: month}
}

func (s HitStore) dayKey(day, process string) hitsKey {
	return hitsKey{key: s.root() + "/" + day + "/" + process + ".json", month: monthOf(day), day: day, process: process}
}

func monthOf(day string) string { return day[:min(len(day), len("2006-01"))] }

// Save stores what a process has counted on a day so far.
func (s HitStore) Save(ctx context.Context, day, process string, t Tally) error {
	return s.save(ctx, s.dayKey(day, process), HitDays{day: {process: t}})
}

func (s HitStore) save(ctx context.Context, k hitsKey, days HitDays) error {
	text, err := json.Marshal(hitsDoc{1, days})
	if err != nil {
		return err
	}
	return s.Store.Store(ctx, k.key, text)
}

// load gives what a key holds; nothing where it isn't there, or is damaged:
// what others have counted counts all the same.
func (s HitStore) load(ctx context.Context, k hitsKey) (HitDays, error) {
	days, err := s.read(ctx, k)
	if damaged := (*damagedError)(nil); errors.As(err, &damaged) {
		sayDamaged(s.Log, err, "the visits in it aren't counted")
		return nil, nil
	}
	return days, err
}

// read gives what a key holds; nothing where it isn't there.
func (s HitStore) read(ctx context.Context, k hitsKey) (HitDays, error) {
	text, err := s.Store.Load(ctx, k.key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var doc hitsDoc
	if err == nil {
		if err := json.Unmarshal(text, &doc); err != nil {
			return nil, &damagedError{k.key, err}
		}
		if doc.Version != 1 {
			err = fmt.Errorf("it is of version %d, which this program doesn't know; use a newer one", doc.Version)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading visitor counts from the state (%s): %w", k.key, err)
	}
	return doc.Days, nil
}

// keys lists those of days and those of months. A month is listed for every
// day too: a day that is gone once it's read has moved there.
func (s HitStore) keys(ctx context.Context) (days, months []hitsKey, err error) {
	all, err := s.Store.List(ctx, s.root(), true)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("listing visitor counts in the state: %w", err)
	}
	seen := map[string]bool{}
	month := func(name string) {
		if !seen[name] {
			seen[name] = true
			months = append(months, s.monthKey(name))
		}
	}
	for _, key := range all {
		name, file := strings.CutSuffix(strings.TrimPrefix(key, s.root()+"/"), ".json")
		switch day, process := path.Split(name); {
		case !file:
		case day == "":
			month(name)
		default:
			day = strings.TrimSuffix(day, "/")
			days = append(days, s.dayKey(day, process))
			month(monthOf(day))
		}
	}
	return days, months, nil
}

// Load gives the counts of a day, "2026-11-24", and those after it; of all days
// for "".
func (s HitStore) Load(ctx context.Context, since string) (HitDays, error) {
	days, months, err := s.keys(ctx)
	if err != nil {
		return nil, err
	}
	all := HitDays{}
	for _, k := range append(days, months...) { // days first, see keys
		if cmp.Or(k.day, k.month+"~") < since {
			continue
		}
		found, err := s.load(ctx, k)
		if err != nil {
			return nil, err
		}
		for day := range found {
			if day < since {
				delete(found, day)
			}
		}
		all.Merge(found)
	}
	return all, nil
}

// Compact puts the days before one into their months, unless somebody else is
// about it.
func (s HitStore) Compact(ctx context.Context, before string) error {
	days, _, err := s.keys(ctx)
	if err != nil {
		return err
	}
	byMonth := map[string][]hitsKey{}
	for _, k := range days {
		if k.day < before {
			byMonth[k.month] = append(byMonth[k.month], k)
		}
	}
	if len(byMonth) == 0 {
		return nil
	}
	lease, err := s.Store.Acquire(ctx, "hits-"+s.Portfolio, state.Holder{})
	if held := (*state.HeldError)(nil); errors.As(err, &held) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lease.Release()
	for month, keys := range byMonth {
		if err := s.compact(lease.Context(), s.monthKey(month), keys); err != nil {
			return err
		}
	}
	return nil
}

func (s HitStore) compact(ctx context.Context, month hitsKey, keys []hitsKey) error {
	all := HitDays{}
	for _, k := range append([]hitsKey{month}, keys...) {
		found, err := s.read(ctx, k) // what is damaged isn't overwritten
		if err != nil {
			return err
		}
		all.Merge(found)
	}
	if err := s.save(ctx, month, all); err != nil {
		return err
	}
	for _, k := range keys {
		if err := s.Store.Delete(ctx, k.key); err != nil {
			return err
		}
	}
	return nil
}
