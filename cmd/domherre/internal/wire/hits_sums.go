package wire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/caddyserver/certmagic"
)

// HitSums sums counts up again and again, reading what has changed only. It
// belongs to one goroutine.
type HitSums struct {
	HitStore
	Except string // a process that isn't counted, since it does it itself
	months map[string]monthSum
}

// monthSum is a month's document in short.
type monthSum struct {
	info  certmagic.KeyInfo // of what was read
	total Tally
	holds map[string]bool // days and processes, "2026-11-24/k3f9"
}

// Read gives the sums over all days, and over one of them.
func (s *HitSums) Read(ctx context.Context, today string) (total, ofToday Tally, err error) {
	days, months, err := s.keys(ctx)
	if err != nil {
		return nil, nil, err
	}
	found := make([]HitDays, len(days))
	for i, k := range days { // before the months, see keys
		if k.process == s.Except {
			continue
		}
		if found[i], err = s.load(ctx, k); err != nil {
			return nil, nil, err
		}
	}
	total, ofToday = Tally{}, Tally{}
	sums := make(map[string]monthSum, len(months))
	for _, k := range months {
		m, err := s.month(ctx, k)
		if err != nil {
			return nil, nil, err
		}
		total.Add(m.total)
		sums[k.month] = m
	}
	s.months = sums
	for i, k := range days {
		if err := s.add(ctx, total, sums[k.month], k, found[i]); err != nil {
			return nil, nil, err
		}
		if k.day == today {
			ofToday.Add(found[i][k.day][k.process])
		}
	}
	return total, ofToday, nil
}

// month reads a month's document, if it has changed.
func (s *HitSums) month(ctx context.Context, k hitsKey) (monthSum, error) {
	info, err := s.Store.Stat(ctx, k.key)
	if errors.Is(err, fs.ErrNotExist) {
		return monthSum{}, nil
	}
	if err != nil {
		return monthSum{}, fmt.Errorf("reading visitor counts from the state: %w", err)
	}
	if known, ok := s.months[k.month]; ok && known.info == info {
		return known, nil
	}
	days, err := s.load(ctx, k)
	m := monthSum{info: info, total: Tally{}, holds: map[string]bool{}}
	for day, processes := range days {
		for process, tally := range processes {
			if process != s.Except {
				m.total.Add(tally)
				m.holds[day+"/"+process] = true
			}
		}
	}
	return m, err
}

// add adds a process' day to the total, as far as its month doesn't hold it
// already.
func (s *HitSums) add(ctx context.Context, total Tally, m monthSum, k hitsKey, found HitDays) error {
	tally := found[k.day][k.process]
	if !m.holds[k.day+"/"+k.process] {
		total.Add(tally)
		return nil
	}
	held, err := s.load(ctx, s.monthKey(k.month))
	for domain, c := range tally {
		was := held[k.day][k.process][domain]
		total[domain] = total[domain].plus(was.larger(c).minus(was))
	}
	return err
}
