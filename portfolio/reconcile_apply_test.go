package portfolio

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestOthersWriteMeanwhile(t *testing.T) {
	t.Parallel()
	challenge := set("_acme-challenge", "TXT", 60, "token")
	once := func(s *scene, change RRset) {
		s.zones.before = func(n Name) {
			s.zones.before = nil
			s.edit(n.ASCII(), func(z *Zone) {
				z.RRsets = slices.DeleteFunc(z.RRsets, func(s RRset) bool { return s.Key() == change.Key() })
				z.RRsets = append(z.RRsets, change)
			})
		}
	}
	t.Run("what doesn't matter", func(t *testing.T) {
		t.Parallel()
		s := newScene(t, "a.example")
		once(s, challenge)
		_, got := s.run(Options{})
		s.want(got, "a.example applied\ndone")
		if _, there := s.zones.get(name(t, "a.example")).Find(challenge.Key()); !there {
			t.Error("the challenge is lost")
		}
	})
	t.Run("what matters", func(t *testing.T) {
		t.Parallel()
		s := newScene(t, "a.example")
		once(s, set("@", "A", 60, "198.51.100.1"))
		_, got := s.run(Options{})
		s.want(got, "a.example failed: a.example: writing the zone at provider main: the zone has changed since the plan was made: run again\nfailed")
		if len(s.store.entries) > 0 || s.zones.requests > 0 {
			t.Error("something was written")
		}
		_, got = s.run(Options{})
		s.want(got, "a.example applied\ndone")
	})
	t.Run("the same", func(t *testing.T) {
		t.Parallel()
		s := newScene(t, "a.example")
		other := reconciler(s.zones, &fakeStore{})
		s.zones.before = func(Name) {
			s.zones.before = nil
			if _, err := other.RunOnce(t.Context(), s.p, Options{}); err != nil {
				t.Error(err)
			}
		}
		_, got := s.run(Options{})
		s.want(got, "a.example unchanged\ndone")
	})
	t.Run("all the time", func(t *testing.T) {
		t.Parallel()
		s := newScene(t, "a.example")
		n := uint32(60)
		s.zones.before = func(d Name) {
			n++
			s.edit(d.ASCII(), func(z *Zone) { z.RRsets = []RRset{set("_acme-challenge", "TXT", n, "token")} })
		}
		_, got := s.run(Options{})
		s.want(got, "a.example failed: a.example: writing the zone at provider main: the zone has changed since the plan was made: run again\nfailed")
		if n != 60+staleTries {
			t.Errorf("%d tries", n-60)
		}
	})
}

func TestTheAnswerToAWriteIsLost(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example")
	s.zones.lost = errors.New("timeout")
	_, got := s.run(Options{})
	s.want(got, "a.example applied\ndone")
	if len(s.store.entries) != 1 || s.store.entries[0].Error != "" {
		t.Errorf("%+v", s.store.entries)
	}
}

func TestAWriteBreaksOff(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example")
	s.edit("a.example", func(z *Zone) {
		z.RRsets = append(z.RRsets, set("www", "A", 60, "198.51.100.1"), set("www", "TXT", 60, "x"), owning("duavgor", "www A", "www TXT x"))
	})
	s.p.Domains[0].DNS.Hosts = []string{"@"}
	s.zones.budget = 2
	_, got := s.run(Options{Force: true})
	s.want(got, "a.example failed: a.example: writing the zone at provider main: killed\nfailed")
	if len(s.store.entries) != 1 {
		t.Fatalf("%+v", s.store.entries)
	}
	e := s.store.entries[0]
	deletes := slices.ContainsFunc(e.Changes, func(c Change) bool { return c.Op == OpDelete })
	if e.Error != "a.example: writing the zone at provider main: killed" || len(e.Changes) != 9 || deletes {
		t.Errorf("the journal says more or less than what was done: %+v", e)
	}
	s.zones.budget = 0
	s.store.entries = nil
	if s.run(Options{Force: true}); len(s.store.entries) > 0 {
		t.Error("nothing was done, and yet in the journal")
	}
}

func TestWhatTheProviderDoesntKeep(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example")
	s.r.Zones = forgetful{s.zones, Key{"www", "HTTPS"}}
	_, got := s.run(Options{})
	s.want(got, "a.example failed: a.example: after writing, provider main still doesn't hold what is wanted: create of www HTTPS\nfailed")
	s.r.Zones = forgetful{s.zones, MarkerKey}
	_, got = s.run(Options{})
	s.want(got, "a.example failed: a.example: after writing, provider main still doesn't hold what is wanted: the marker at _domherre\nfailed")
}

// forgetful never shows the RRset at key.
type forgetful struct {
	*fakeZones
	key Key
}

func (f forgetful) Observe(ctx context.Context, d Domain) (Zone, error) {
	z, err := f.fakeZones.Observe(ctx, d)
	z.RRsets = slices.DeleteFunc(slices.Clone(z.RRsets), func(s RRset) bool { return s.Key() == f.key })
	return z, err
}

func (f forgetful) ObserveFull(ctx context.Context, d Domain) (Zone, error) { return f.Observe(ctx, d) }

func (f forgetful) Write(ctx context.Context, w Write) error {
	w.Observed = f.get(w.Domain.Name)
	return f.fakeZones.Write(ctx, w)
}
