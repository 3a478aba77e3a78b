package portfolio

import (
	"testing"
)

func TestRunOnceConverges(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	zones := newFake(zoneOf(t, "kopasex.se", set("@", "A", 3600, "198.51.100.7"), set("www", "CNAME", 3600, "parking.example.")))
	store := &fakeStore{}
	r := reconciler(zones, store)
	p := portfolioOf(entry(t, "kopasex.se"), entry(t, "köpasex.example"))

	rep, err := r.RunOnce(ctx, p, Options{By: "anna@laptop"})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range rep.Outcomes {
		if o.Outcome != Applied || o.Err != nil || !o.Served.All() {
			t.Errorf("%+v", o)
		}
	}
	if len(store.entries) != 2 || len(store.accepted) != 2 || store.accepted[0].Owned != 14 {
		t.Errorf("journal %d, accepted %+v", len(store.entries), store.accepted)
	}
	plan, err := r.Plan(ctx, p, Options{})
	if err != nil || plan.Pending() {
		t.Errorf("second plan: %v %+v", err, plan)
	}
	t.Log(zones.get(p.Domains[0].Name))
}
