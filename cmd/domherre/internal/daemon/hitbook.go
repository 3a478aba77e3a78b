package daemon

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"domherre/cmd/domherre/internal/wire"
	"domherre/redirect"
)

const (
	hitsEvery = 15 * time.Second // how often counts are written; less than a minute, with a try in reserve
	keptDays  = 3                // past ones, in memory
	dayForm   = time.DateOnly
)

// hitBook holds what this process has counted, by day of the system's time
// zone, and what the others have.
type hitBook struct {
	visits  *redirect.Hits
	now     func() time.Time
	zone    *time.Location
	process string // names this process in the state

	mu      sync.Mutex
	seen    map[redirect.Hit]int64 // of each counter, without its N: how much is in the book
	day     string                 // that what comes next belongs to
	days    map[string]wire.Tally  // of this process
	used    []string               // past ones among them, the one used last at the end
	unsaved map[string]int         // by day: how often something was added since it was saved
	total   wire.Tally             // of this process

	others, othersToday wire.Tally
	othersDay           string

	reading wire.HitSums // of one goroutine
}

func newHitBook(visits *redirect.Hits, now func() time.Time, zone *time.Location) *hitBook {
	b := &hitBook{
		visits: visits, now: now, zone: zone, process: strings.ToLower(rand.Text()[:8]),
		seen: map[redirect.Hit]int64{}, days: map[string]wire.Tally{}, unsaved: map[string]int{}, total: wire.Tally{},
	}
	b.day = b.today()
	return b
}

func (b *hitBook) today() string { return b.now().In(b.zone).Format(dayForm) }

// daysBefore gives the day that is n days before another.
func daysBefore(day string, n int) string {
	t, err := time.Parse(dayForm, day)
	if err != nil {
		return day
	}
	return t.AddDate(0, 0, -n).Format(dayForm)
}

// pause is how long to wait before the counts are written again: to midnight at
// most, since what is counted until then belongs to the day that ends.
func (b *hitBook) pause() time.Duration {
	now := b.now().In(b.zone)
	midnight := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, b.zone)
	return min(hitsEvery, max(midnight.Sub(now), time.Millisecond))
}

// enter brings the book up to date.
func (b *hitBook) enter() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for hit := range b.visits.All() {
		n := hit.N
		hit.N = 0
		if n -= b.seen[hit]; n == 0 {
			continue
		}
		b.seen[hit] += n
		var c wire.HitCounts
		if hit.Class == redirect.Person {
			c.Person = n
		} else {
			c.Bot = n
		}
		if b.days[b.day] == nil {
			b.days[b.day] = wire.Tally{}
		}
		b.days[b.day].Add(wire.Tally{hit.Domain: c})
		b.total.Add(wire.Tally{hit.Domain: c})
		b.unsaved[b.day]++
	}
	if today := b.today(); today != b.day {
		b.turn(today)
	}
}

// turn begins a day. A few past days stay: where the clock is set back, their
// counts must go on and not begin again.
func (b *hitBook) turn(today string) {
	b.used = append(slices.DeleteFunc(b.used, func(day string) bool { return day == today }), b.day)
	b.day = today
	if first := b.used[0]; len(b.used) > keptDays && b.unsaved[first] == 0 {
		delete(b.days, first)
		b.used = b.used[1:]
	}
}

// save writes the days down that have changed since they were.
func (b *hitBook) save(ctx context.Context, to wire.HitStore) error {
	b.enter()
	b.mu.Lock()
	days := make(map[string]wire.Tally, len(b.unsaved))
	for day := range b.unsaved {
		days[day] = maps.Clone(b.days[day])
	}
	marks := maps.Clone(b.unsaved)
	b.mu.Unlock()
	for day, tally := range days {
		if err := to.Save(ctx, day, b.process, tally); err != nil {
			return err
		}
		b.saved(day, marks[day])
	}
	return nil
}

func (b *hitBook) saved(day string, mark int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unsaved[day] == mark { // else more came meanwhile
		delete(b.unsaved, day)
	}
}

// learn reads what the others have counted, and this node before it started.
func (b *hitBook) learn(ctx context.Context, from wire.HitStore) error {
	today := b.today()
	b.reading.HitStore, b.reading.Except = from, b.process
	total, ofToday, err := b.reading.Read(ctx, today)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.others, b.othersToday, b.othersDay = total, ofToday, today
	return nil
}

// sums gives the counts of all nodes, over all days and of today.
func (b *hitBook) sums() (total, today wire.Tally) {
	b.enter()
	b.mu.Lock()
	defer b.mu.Unlock()
	total, today = maps.Clone(b.total), wire.Tally{}
	total.Add(b.others)
	today.Add(b.days[b.day])
	if b.othersDay == b.day {
		today.Add(b.othersToday)
	}
	return total, today
}

// own gives what the book holds of a day and those after it.
func (b *hitBook) own(since string) wire.HitDays {
	b.enter()
	b.mu.Lock()
	defer b.mu.Unlock()
	days := wire.HitDays{}
	for day, tally := range b.days {
		if day >= since {
			days.Merge(wire.HitDays{day: {b.process: tally}})
		}
	}
	return days
}
