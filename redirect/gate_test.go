package redirect

import (
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
)

func TestGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gate
		for range runtime.GOMAXPROCS(0) {
			if err := g.enter(); err != nil {
				t.Fatal(err)
			}
		}
		came := make(chan int)
		for i := range 3 {
			go func() {
				if g.enter() == nil {
					came <- i
				}
			}()
			synctest.Wait()
		}
		for _, want := range []int{2, 1, 0} {
			g.leave()
			if got := <-came; got != want {
				t.Errorf("%d was let in, want %d", got, want)
			}
		}
		if err := g.enter(); !errors.Is(err, errCrowded) {
			t.Errorf("after %v: %v", gateTime, err)
		}
		for range runtime.GOMAXPROCS(0) {
			g.leave()
		}
		if g.inside != 0 || len(g.waiting) != 0 {
			t.Errorf("%d inside, %d waiting", g.inside, len(g.waiting))
		}
	})
}
