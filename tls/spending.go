package tls

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/caddyserver/certmagic"
)

// spending is how many orders were placed at a CA within its limit, oldest
// first. It lies in the store, one value per CA, since all processes on the
// store share the account that the CA counts by.
type spending struct {
	Spent []spent `json:"spent"`
}

// spent counts the orders of a short while. At is the while's end, so that
// none is ever taken for older than it is.
type spent struct {
	At     time.Time `json:"at"`
	Orders int       `json:"orders"`
}

// SpendingPrefix is the folder of the store that holds what was spent of the
// CAs' limits.
const SpendingPrefix = "limits"

func spendingKey(issuerKey string) string {
	return path.Join(SpendingPrefix, certmagic.StorageKeys.Safe(issuerKey)+".json")
}

// grain is how long a while is: a thousandth of the limit's time.
func (l Limit) grain() time.Duration { return max(l.Per/1000, time.Second) }

// recent drops what the limit no longer counts, and what a clock gone wrong has
// put into the future.
func (s spending) recent(l Limit, now time.Time) spending {
	var kept []spent
	for _, e := range s.Spent {
		if age := now.Sub(e.At); age < l.Per && age >= -l.grain() {
			kept = append(kept, e)
		}
	}
	return spending{kept}
}

func (s spending) total() int {
	n := 0
	for _, e := range s.Spent {
		n += e.Orders
	}
	return n
}

// add counts n orders placed now.
func (s spending) add(l Limit, now time.Time, n int) spending {
	s = s.recent(l, now)
	end := now.Truncate(l.grain())
	if end.Before(now) {
		end = end.Add(l.grain())
	}
	if last := len(s.Spent) - 1; last >= 0 && !s.Spent[last].At.Before(end) {
		s.Spent[last].Orders += n
		return s
	}
	s.Spent = append(s.Spent, spent{end, n})
	return s
}

// slots says when the next n orders may be placed, earliest first: at once, as
// far as the limit isn't reached, then as each order before them leaves it.
func (s spending) slots(l Limit, now time.Time, n int) []time.Time {
	s = s.recent(l, now)
	var used []time.Time // the latest l.Count orders
	for _, e := range slices.Backward(s.Spent) {
		for range e.Orders {
			if len(used) == l.Count {
				break
			}
			used = append(used, e.At)
		}
	}
	slices.Reverse(used)
	free := l.Count - len(used)
	slots := make([]time.Time, n)
	for i := range slots {
		switch {
		case i < free:
			slots[i] = now
		case i < l.Count:
			slots[i] = used[i-free].Add(l.Per)
		default:
			slots[i] = slots[i-l.Count].Add(l.Per)
		}
	}
	return slots
}

// spend takes one order for t of what iss allows, and reports whether there was
// one left.
func (m *Manager) spend(ctx context.Context, iss *issuer, t *task) (bool, error) {
	l := iss.limits.orders
	if !l.known() {
		return true, nil
	}
	ctx, unlock, err := m.lockSpending(ctx, iss)
	if err != nil {
		return false, err
	}
	defer unlock()
	s, err := m.loadSpending(ctx, iss)
	if err != nil {
		return false, err
	}
	if s.total() >= l.Count {
		m.know(iss, s)
		return false, nil
	}
	if err := m.storeSpending(ctx, iss, s.add(l, m.now(), 1)); err != nil {
		return false, err
	}
	m.update(t, func() { t.turn = false })
	return true, nil
}

// charge counts orders that were placed beside the one that was spent: each
// type of challenge that is tried takes one.
func (m *Manager) charge(ctx context.Context, iss *issuer, n int) error {
	if !iss.limits.orders.known() || n == 0 {
		return nil
	}
	ctx, unlock, err := m.lockSpending(ctx, iss)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := m.loadSpending(ctx, iss)
	if err != nil {
		return err
	}
	return m.storeSpending(ctx, iss, s.add(iss.limits.orders, m.now(), n))
}

func (m *Manager) storeSpending(ctx context.Context, iss *issuer, s spending) error {
	value, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := m.o.Storage.Store(ctx, spendingKey(iss.key), value); err != nil {
		return fmt.Errorf("the state can't be written, so nothing is ordered: %w", err)
	}
	m.know(iss, s)
	return nil
}

// lockSpending takes the lock that all processes share. Within this one, a
// channel keeps the steps from asking the store again and again.
func (m *Manager) lockSpending(ctx context.Context, iss *issuer) (under context.Context, unlock func(), err error) {
	select {
	case iss.spending <- struct{}{}:
	case <-ctx.Done():
		return ctx, nil, ctx.Err()
	}
	name := "limits_" + certmagic.StorageKeys.Safe(iss.key)
	if err := m.o.Storage.Lock(ctx, name); err != nil {
		<-iss.spending
		return ctx, nil, fmt.Errorf("locking what was spent at %s: %w", iss.name, err)
	}
	return m.fenced(ctx, name), func() {
		if err := m.o.Storage.Unlock(context.WithoutCancel(ctx), name); err != nil {
			m.log.Warn("certificate: unlocking", "lock", name, "error", err)
		}
		<-iss.spending
	}, nil
}

// loadSpending reads what was spent at iss. What is damaged counts as nothing:
// the CA counts as well, and its word is heeded.
func (m *Manager) loadSpending(ctx context.Context, iss *issuer) (spending, error) {
	value, err := m.o.Storage.Load(ctx, spendingKey(iss.key))
	if errors.Is(err, fs.ErrNotExist) {
		return spending{}, nil
	}
	if err != nil {
		return spending{}, fmt.Errorf("reading what was spent at %s: %w", iss.name, err)
	}
	var s spending
	if err := json.Unmarshal(value, &s); err != nil {
		m.log.Warn("certificate: what was spent of a CA's limit is damaged: counting anew", "ca", iss.name, "error", err)
		return spending{}, nil
	}
	return s.recent(iss.limits.orders, m.now()), nil
}

// know keeps what was spent, for those who only want to estimate.
func (m *Manager) know(iss *issuer, s spending) {
	m.mu.Lock()
	defer m.mu.Unlock()
	iss.spent = s
	m.undealt = m.undealt || m.queued > 0
}
