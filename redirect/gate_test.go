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
			if err := g.enter(&wish{}); err != nil {
				t.Fatal(err)
			}
		}
		came := make(chan int)
		for i, lane := range []uint8{7, 7, 7, 9, 7} {
			go func() {
				if g.enter(&wish{lane: lane}) == nil {
					came <- i
				}
			}()
			synctest.Wait()
		}
		for _, want := range []int{4, 3, 2, 1, 0} { // the newest of each lane, in turns
			g.leave()
			if got := <-came; got != want {
				t.Errorf("%d was let in, want %d", got, want)
			}
		}
		if err := g.enter(&wish{lane: 7}); !errors.Is(err, errCrowded) {
			t.Errorf("after %v: %v", gateTime, err)
		}
		for range runtime.GOMAXPROCS(0) {
			g.leave()
		}
		if g.inside != 0 || len(g.turns) != 0 || g.lanes[7].Len()+g.lanes[9].Len() != 0 {
			t.Errorf("%d inside, %v waiting", g.inside, g.turns)
		}
	})
}
