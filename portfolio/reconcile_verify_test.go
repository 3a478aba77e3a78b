package portfolio

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWaitUntilServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, "a.example", "b.example")
		s.zones.unserved[name(t, "a.example")] = 6
		start := time.Now()
		report, got := s.run(Options{Wait: true})
		s.want(got, "a.example applied\nb.example applied\ndone")
		if waited := time.Since(start); waited != 200*time.Millisecond*(1+2+4+8+16)+lastPause || !report.Outcomes[0].Served.All() {
			t.Errorf("waited %v", waited)
		}
		// What stood already is waited for too.
		s.zones.unserved[name(t, "b.example")] = 1
		if report, _ := s.run(Options{Wait: true}); !report.Outcomes[1].Served.All() {
			t.Errorf("%+v", report.Outcomes)
		}
	})
}

func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, "a.example", "b.example")
		s.zones.unserved[name(t, "a.example")] = 1000
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		report, err := s.r.RunOnce(ctx, s.p, Options{Wait: true})
		if err != nil {
			t.Fatal(err)
		}
		s.want(outcomes(report), "a.example failed: a.example: the zone is written, but not served as wanted: ns1.example.net (192.0.2.53:53): 14 RRsets are not there yet: context deadline exceeded\nb.example applied\npartly")
	})
}

func TestWithoutWaitNothingIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example")
	s.zones.unserved[name(t, "a.example")] = 1000
	report, got := s.run(Options{})
	s.want(got, "a.example applied\ndone")
	if report.Outcomes[0].Served.All() || !strings.Contains(report.Outcomes[0].Served.String(), "not there yet") {
		t.Errorf("%+v", report.Outcomes[0].Served)
	}
}

func TestServedInWords(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]Served{
		"no authoritative server is known": {},
		"served as wanted":                 {Servers: []ServerAnswer{{Server: "a"}}},
		"b: timeout; c: x, y": {Servers: []ServerAnswer{
			{Server: "a"}, {Server: "b", Err: "timeout"}, {Server: "c", Wrong: []string{"x", "y"}},
		}},
	} {
		if s.String() != want {
			t.Errorf("%q, want %q", s, want)
		}
	}
}
