package portfolio

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

// saved is the plan of the scene as a file would give it back.
func (s *scene) saved(o Options) Plan {
	s.t.Helper()
	p, err := s.r.Plan(s.t.Context(), s.p, o)
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		s.t.Fatal(err)
	}
	p, err = ParsePlan(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func TestSavedPlan(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example", "b.example", "c.example", "d.example", "e.example")
	s.zones.broken[name(t, "e.example")] = errors.New("no answer")
	s.run(Options{Only: []Name{name(t, "d.example")}})
	plan := s.saved(Options{})

	delete(s.zones.broken, name(t, "e.example"))
	s.edit("b.example", func(z *Zone) { z.RRsets = append(z.RRsets, set("blog", "A", 60, "198.51.100.1")) })
	s.p.Domains[2].DNS.TTL = 60
	s.edit("d.example", func(z *Zone) { z.RRsets = z.RRsets[1:] }) // not what the plan was about
	s.p.Domains = append(s.p.Domains, entry(t, "new.example"))

	_, got := s.run(Options{Saved: &plan})
	s.want(got, `a.example applied
b.example refused: b.example: its zone has changed since the plan was saved: make the plan anew
c.example refused: c.example: what is wanted has changed since the plan was saved: make the plan anew
d.example unchanged
e.example unchanged
partly`)
	_, got = s.run(Options{Saved: &plan, Force: true})
	if !strings.Contains(got, "b.example refused") || !strings.HasSuffix(got, "partly") {
		t.Errorf("force lets a stale plan pass:\n%s", got)
	}
}

func TestSavedPlanOfPruning(t *testing.T) {
	t.Parallel()
	s := settled(t, "a.example", "b.example", "c.example", "d.example")
	s.p.Domains = s.p.Domains[:3]
	kept, pruned := s.saved(Options{}), s.saved(Options{Prune: true})
	s.run(Options{Saved: &kept})
	if len(s.zones.get(name(t, "d.example")).RRsets) != 16 || len(s.store.accepted) != 4 {
		t.Error("pruned, though the plan doesn't say so")
	}
	_, got := s.run(Options{Saved: &pruned})
	s.want(got, "a.example unchanged\nb.example unchanged\nc.example unchanged\nd.example applied\ndone")
	if len(s.zones.get(name(t, "d.example")).RRsets) != 1 || len(s.store.accepted) != 3 {
		t.Error("not pruned")
	}
}

func TestSavedPlanGoesStaleWhileItIsWritten(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example")
	plan := s.saved(Options{})
	s.zones.before = func(n Name) {
		s.zones.before = nil
		s.edit(n.ASCII(), func(z *Zone) { z.RRsets = append(z.RRsets, set("@", "A", 60, "198.51.100.1")) })
	}
	_, got := s.run(Options{Saved: &plan})
	s.want(got, "a.example refused: a.example: the zone has changed since the plan was made: make the plan anew\nfailed")
}

func TestSavedPlanThatIsNone(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example")
	plan := s.saved(Options{})
	text, _ := json.Marshal(plan)
	for broken, want := range map[string]string{
		"{":                "the saved plan can't be read: unexpected end of JSON input",
		"{}":               "the saved plan has version 0, not 1: make it anew with plan --out",
		"":                 "the saved plan can't be read: unexpected end of JSON input",
		string(text) + "x": "the saved plan can't be read: invalid character 'x' after top-level value",
		strings.Replace(string(text), "192.0.2.10", "192.0.2.11", 1): "the saved plan was changed after it was made: make it anew with plan --out",
	} {
		if _, err := ParsePlan([]byte(broken)); err == nil || err.Error() != want {
			t.Errorf("%.40q: %v", broken, err)
		}
	}
	s.p.ID = "other"
	_, err := s.r.RunOnce(t.Context(), s.p, Options{Saved: &plan})
	if err == nil || err.Error() != "the saved plan is for portfolio duavgor, not other" {
		t.Error(err)
	}
}

func TestDigestOfAPlan(t *testing.T) {
	t.Parallel()
	s := newScene(t, "a.example", "b.example")
	first := s.saved(Options{})
	s.r.Now = func() time.Time { return now.Add(time.Hour) }
	s.p.Domains[0], s.p.Domains[1] = s.p.Domains[1], s.p.Domains[0]
	second := s.saved(Options{})
	if first.Digest != second.Digest || first.Made.Equal(second.Made) {
		t.Errorf("%s %s", first.Digest, second.Digest)
	}
	s.edit("b.example", func(z *Zone) { z.RRsets = append(z.RRsets, set("blog", "A", 60, "198.51.100.1")) })
	if third := s.saved(Options{}); third.Digest == first.Digest {
		t.Error("another zone, the same digest")
	}
}

func FuzzParsePlan(f *testing.F) {
	p := NewPlan("x", now, nil)
	text, _ := json.Marshal(p)
	f.Add(text)
	f.Add([]byte(`{"version":1,"domains":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePlan(text)
		if err != nil {
			return
		}
		again, _ := json.Marshal(p)
		if q, err := ParsePlan(again); err != nil || q.Digest != p.Digest {
			t.Fatalf("%s: %v", again, err)
		}
	})
}
