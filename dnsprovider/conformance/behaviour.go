package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"domherre/portfolio"
)

func testStale(t *testing.T, z *zone) {
	old := z.observe()
	now := z.set("www", "A", 300, "192.0.2.1")
	z.puts(now)
	late := portfolio.Write{Domain: z.domain, Observed: old, Steps: []portfolio.Step{{Set: []portfolio.RRset{z.set("www", "A", 300, "192.0.2.9")}}}}
	if err := z.Provider.Write(z.ctx(), late); !errors.Is(err, portfolio.ErrStale) {
		t.Errorf("a write from an older reading gives %v, not ErrStale", err)
	}
	z.holds(now)
}

// Challenges are put by others, the CLI and the daemon, while a plan is carried
// out: nothing gets lost, and the plan isn't disturbed.
func testConcurrent(t *testing.T, z *zone) {
	const writers = 6
	host := "_acme-challenge." + z.name().FQDN()
	observed := z.observe()
	var wg sync.WaitGroup
	var values []string
	for i := range writers {
		value := fmt.Sprintf("value-%d", i)
		values = append(values, value)
		wg.Go(func() {
			if err := z.Provider.Present(z.ctx(), host, value); err != nil {
				t.Errorf("present %s: %v", value, err)
			}
		})
	}
	a := z.set("www", "A", 300, "192.0.2.1")
	wg.Go(func() {
		err := z.Provider.Write(z.ctx(), portfolio.Write{Domain: z.domain, Observed: observed, Steps: []portfolio.Step{{Set: []portfolio.RRset{a}}}})
		if err != nil {
			t.Errorf("write: %v", err)
		}
	})
	wg.Wait()
	z.holds(a, z.set("_acme-challenge", "TXT", 60, values...))
	for _, value := range values {
		wg.Go(func() {
			if err := z.Provider.CleanUp(z.ctx(), host, value); err != nil {
				t.Errorf("clean up %s: %v", value, err)
			}
		})
	}
	wg.Wait()
	z.holds(a)
}

func testCancelled(t *testing.T, z *zone) {
	observed := z.observe()
	ctx, cancel := context.WithCancel(z.ctx())
	cancel()
	start := time.Now()
	w := portfolio.Write{Domain: z.domain, Observed: observed, Steps: []portfolio.Step{{Set: []portfolio.RRset{z.set("www", "A", 300, "192.0.2.1")}}}}
	if err := z.Provider.Write(ctx, w); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled write gives %v", err)
	}
	if _, err := z.Provider.ObserveFull(ctx, z.domain); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled reading gives %v", err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("it took %s to notice", d)
	}
	z.holds()
}

func testEmptied(t *testing.T, z *zone) {
	a := z.set("www", "A", 300, "192.0.2.1")
	z.holds()
	z.puts(a)
	z.write(portfolio.Step{Delete: []portfolio.RRset{a}})
	z.holds()
	// Nothing to delete is no error.
	z.write(portfolio.Step{Delete: []portfolio.RRset{a}})
	z.holds()
}

func testMissing(t *testing.T, z *zone) {
	got := z.observe()
	if !got.Missing || len(got.RRsets) > 0 {
		t.Fatalf("the zone that isn't there reads %+v", got)
	}
	a := z.set("www", "A", 300, "192.0.2.1")
	err := z.Provider.Write(z.ctx(), portfolio.Write{Domain: z.domain, Observed: got, Steps: []portfolio.Step{{Set: []portfolio.RRset{a}}}})
	if z.Creates {
		if err != nil {
			t.Fatal(err)
		}
		z.holds(a)
		return
	}
	if err == nil || !strings.Contains(err.Error(), "add the zone") && !strings.Contains(err.Error(), "create it") {
		t.Errorf("writing a zone that isn't there gives no advice: %v", err)
	}
}

func testChallenge(t *testing.T, z *zone) {
	host := "_acme-challenge.www." + z.name().FQDN()
	foreign := z.set("_acme-challenge.www", "TXT", 600, "someone else's")
	a := z.set("www", "A", 300, "192.0.2.1")
	z.puts(a, foreign)
	z.do(z.Provider.Present(z.ctx(), host, "first"), z.Provider.Present(z.ctx(), host, "second"), z.Provider.Present(z.ctx(), host, "second"))
	z.do(z.Provider.Wait(z.ctx(), host, "first"), z.Provider.Wait(z.ctx(), host, "second"))
	ctx, cancel := context.WithTimeout(z.ctx(), 300*time.Millisecond)
	defer cancel()
	if err := z.Provider.Wait(ctx, host, "third"); err == nil {
		t.Error("a challenge that nobody put is taken for served")
	}
	z.do(z.Provider.CleanUp(z.ctx(), host, "first"))
	got, _ := z.observe().Find(foreign.Key())
	if !slices.Equal(got.Data, []string{"second", "someone else's"}) {
		t.Errorf("after cleaning up the first, %v remain", got.Data)
	}
	z.do(z.Provider.CleanUp(z.ctx(), host, "second"), z.Provider.CleanUp(z.ctx(), host, "second"))
	got, _ = z.observe().Find(foreign.Key())
	if !slices.Equal(got.Data, []string{"someone else's"}) {
		t.Errorf("after cleaning up both, %v remain", got.Data)
	}
}

func testChallengeElsewhere(t *testing.T, from, to *zone) {
	host := "_acme-challenge." + from.name().FQDN()
	alias := from.set("_acme-challenge", "CNAME", 300, "here."+to.name().FQDN())
	from.puts(alias)
	from.do(from.Provider.Present(from.ctx(), host, "value"))
	from.do(from.Provider.Wait(from.ctx(), host, "value"))
	from.holds(alias)
	to.holds(to.set("here", "TXT", 60, "value"))
	from.do(from.Provider.CleanUp(from.ctx(), host, "value"))
	from.holds(alias)
	to.holds()
}

// do demands that nothing went wrong.
func (z *zone) do(errs ...error) {
	z.t.Helper()
	if err := errors.Join(errs...); err != nil {
		z.t.Fatal(err)
	}
}
