package tls

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A domain that left the list leaves its certificate behind until 30 days after
// its end; what another portfolio on the store keeps stays.
func TestTidy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		f, store := newFakeCA(t), newMemory()
		all := fleet(4)
		ctx, stop := context.WithCancel(t.Context())
		ours, theirs := f.over(t, store, false), f.over(t, store, false)
		ours.Manage(all[:3])
		theirs.Manage(all[3:])
		start(ctx, t, ours)
		start(ctx, t, theirs)
		time.Sleep(day)
		ours.Manage(all[:1])
		left := func() (n int) {
			for _, s := range all {
				if keys, _ := store.List(ctx, folderOf(s.Domain), false); len(keys) > 0 {
					n++
				}
			}
			return n
		}
		time.Sleep((90 + 28) * day)
		if n := left(); n != 4 {
			t.Errorf("%d of 4 are in the store within the grace period", n)
		}
		time.Sleep(5 * day)
		if n := left(); n != 2 {
			t.Errorf("%d are in the store after it, not the two that are kept", n)
		}
		stop()
		synctest.Wait()
	})
}
