package portfolio

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWaveSizes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "[0 0 0]", 1: "[1 0 0]", 3: "[1 1 1]", 50: "[1 2 5]", 1000: "[10 50 94]", 10_000: "[100 495 941]"} {
		if got := fmt.Sprint(waveSizes(n)); got != want {
			t.Errorf("%d domains: %s, want %s", n, got, want)
		}
	}
}

// waving is a scene of fifty domains, and the order in which zones are written
// and found served.
func waving(t *testing.T) (s *scene, log *[]string) {
	var domains []string
	for i := range 50 {
		domains = append(domains, fmt.Sprintf("d%02d.example", i))
	}
	s, log = newScene(t, domains...), new([]string)
	s.r.Parallel = 1
	s.r.Progress = func(e Event) {
		if e.Step != StepObserve {
			*log = append(*log, fmt.Sprintf("%s %s", e.Step, e.Domain.ASCII()))
		}
	}
	return s, log
}

func TestWaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log := waving(t)
		s.zones.broken[name(t, "d01.example")] = errors.New("out of order")
		s.zones.unserved[name(t, "d00.example")] = 3
		s.zones.unserved[name(t, "d04.example")] = 2
		report, got := s.run(Options{Waves: true})
		if !strings.HasSuffix(got, "partly") || report.Count(Applied) != 49 {
			t.Fatal(got)
		}
		waves := []int{1, 2, 5}
		at := 0
		for n, size := range waves {
			for i, step := range []string{StepWrite, StepVerify} {
				for k := range size {
					if !strings.HasPrefix((*log)[at+i*size+k], step) {
						t.Errorf("wave %d: %q", n, (*log)[at:at+2*size])
					}
				}
			}
			at += 2 * size
		}
		if rest := (*log)[at:]; len(rest) != 2*41 || !strings.HasPrefix(rest[40], StepWrite) {
			t.Errorf("%d steps after the waves: %q", len(rest), rest)
		}
		// Nothing to do: nothing to wait for.
		if _, got := s.run(Options{Waves: true}); strings.Count(got, "unchanged") != 49 {
			t.Error(got)
		}
	})
}

func TestWaveThatIsNotServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log := waving(t)
		s.zones.unserved[name(t, "d02.example")] = 1 << 30
		start := time.Now()
		report, got := s.run(Options{Waves: true})
		if report.Count(Applied) != 2 || report.Count(Failed) != 1 || report.Count(Refused) != 47 || report.Exit() != ExitPartly {
			t.Error(got)
		}
		if waited := time.Since(start); waited < waveLimit || waited > waveLimit+time.Minute {
			t.Errorf("waited %s", waited)
		}
		const held = "d49.example: held back: d02.example, of the wave before, is not served as wanted; see to that, then apply again"
		if err := report.Outcomes[49].Err; err == nil || err.Error() != held {
			t.Error(err)
		}
		if slices.Contains(*log, "write d03.example") || len(s.store.accepted) != 3 || !s.store.accepted[2].Unserved {
			t.Errorf("%+v, log %q", s.store.accepted, *log)
		}
		// The next run doesn't begin anew with others: it waits for the same.
		report, got = s.run(Options{Waves: true})
		if report.Count(Failed) != 1 || report.Count(Refused) != 47 || !report.Outcomes[49].Held || slices.Contains(*log, "write d03.example") {
			t.Error(got)
		}
		s.zones.unserved = map[Name]int{}
		if _, got := s.run(Options{Waves: true}); !strings.HasSuffix(got, "done") || s.store.accepted[2].Unserved {
			t.Error(got)
		}
	})
}

// A provider that refuses every write leaves nothing to be waited for.
func TestWavesWithoutAnyWrite(t *testing.T) {
	t.Parallel()
	s, _ := waving(t)
	s.zones.budget = 0
	report, got := s.run(Options{Waves: true})
	if report.Count(Failed) != 50 || report.Exit() != ExitFailed {
		t.Error(got)
	}
}
