package portfolio

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestPlanJSON holds the shape that the contract promises to scripts.
func TestPlanJSON(t *testing.T) {
	t.Parallel()
	s := newScene(t, "köpasex.example", "as-wanted.example", "broken.example", "left.example", "kopasex.se")
	for i := range s.p.Domains {
		d := plain(t)
		d.Name = s.p.Domains[i].Name
		s.p.Domains[i] = d
	}
	s.zones.broken[name(t, "broken.example")] = errors.New("no answer: try again later")
	s.run(Options{Only: []Name{name(t, "as-wanted.example"), name(t, "left.example")}})
	s.edit("xn--kpasex-wxa.example", func(z *Zone) {
		z.RRsets = append(z.RRsets, set("@", "A", 3600, "198.51.100.7"))
	})
	s.edit("kopasex.se", func(z *Zone) {
		z.RRsets = append(z.RRsets, set("@", "A", 300, "192.0.2.10"), set("www", "A", 60, "192.0.2.10"), owning("duavgor", "@ A", "www A"))
	})
	s.p.Domains = append(s.p.Domains[:3], s.p.Domains[4])
	plan, err := s.r.Plan(t.Context(), s.p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(plan, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile("testdata/plan.json", got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s", got)
	}
	if bytes.Contains(got, []byte(`"notes": null`)) || bytes.Contains(got, []byte(`"changes": null`)) {
		t.Error("lists are never null")
	}
	if _, err := ParsePlan(got); err != nil {
		t.Error(err)
	}
}

func TestEmptyPlanJSON(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(NewPlan("duavgor", now, nil))
	want := `{"version":1,"portfolio":"duavgor","made":"2026-11-24T12:00:00Z","digest":"sha256:`
	if err != nil || !bytes.HasPrefix(got, []byte(want)) || !bytes.Contains(got, []byte(`"domains":[],`)) {
		t.Errorf("%s, %v", got, err)
	}
}
