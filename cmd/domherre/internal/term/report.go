package term

import (
	"domherre/portfolio"
)

// Report writes what became of a run, whose plan has been shown already unless
// there was nothing to do.
func (t *Term) Report(r portfolio.Report) {
	if r.Plan.Summary.Refused != "" {
		t.Plan(r.Plan)
		return
	}
	for _, o := range r.Outcomes {
		switch o.Outcome {
		case portfolio.Failed:
			t.Printf("%s %s: %s\n", t.paint(bad, "failed"), o.Domain, o.Err)
		case portfolio.Refused:
			t.Printf("%s %s: %s\n", t.paint(bad, "refused"), o.Domain, o.Err)
		case portfolio.Applied:
			if !o.Served.All() {
				t.Printf("%s %s: written, but not served as wanted yet: %s\n", t.paint(amber, "waiting"), o.Domain, o.Served)
			}
		}
	}
	t.Printf("%d applied, %d unchanged, %d failed, %d refused.\n",
		r.Count(portfolio.Applied), r.Count(portfolio.Unchanged), r.Count(portfolio.Failed), r.Count(portfolio.Refused))
}
