package tls

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// 10,000 names at Let's Encrypt's 300 orders per 3 hours take 4.1 days, as long
// as Run would take; what is there already takes nothing.
func TestForecast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, store := newFakeCA(t), newMemory()
		l := knownLimits["acme-v02.api.letsencrypt.org"]
		m := f.limited(t, store, l)
		m.Manage(fleet(50))
		ctx, stop := context.WithCancel(t.Context())
		start(ctx, t, m)
		time.Sleep(time.Minute)
		stop()
		synctest.Wait()

		m = f.limited(t, store, l) // a command, after that
		m.Manage(fleet(60))
		if err := m.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := m.Forecast(t.Context(), 9_990)
		if err != nil {
			t.Fatal(err)
		}
		if got.Kept != 50 || len(got.Turns) != 10_000 || got.Allowances[0].Left != 250 {
			t.Fatalf("%d kept, %d turns, %v", got.Kept, len(got.Turns), got.Allowances)
		}
		if first := got.Turns[0]; first.Domain == "" || first.Reason != ReasonNew || !first.At.Equal(time.Now()) {
			t.Errorf("first %+v", first)
		}
		took := got.Turns[9_999].At.Sub(got.Now)
		if took < 4*24*time.Hour || took > 5*24*time.Hour {
			t.Errorf("10,000 names take %v", took)
		}
		var times []time.Time
		for _, turn := range got.Turns {
			times = append(times, turn.At)
		}
		if n := mostWithin(times, l.orders.Per); n > l.orders.Count {
			t.Errorf("%d orders within %v", n, l.orders.Per)
		}
		m.issuers = append(m.issuers, &issuer{key: "second", name: "second CA", ca: f})
		if got, err = m.Forecast(t.Context(), 1000); err != nil || !got.Turns[999].At.Equal(got.Now) {
			t.Errorf("with a second CA that has no limit: %v", err)
		}
	})
}
