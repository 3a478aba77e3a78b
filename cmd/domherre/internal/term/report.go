package term

import (
	"domherre/portfolio"
)

// Report writes what became of a run whose plan has been shown already. What
// befell many domains is said once.
func (t *Term) Report(r portfolio.Report) {
	if r.Count(portfolio.Unchanged) == len(r.Outcomes) {
		return
	}
	of := names{len(r.Outcomes), func(i int) portfolio.Name { return r.Outcomes[i].Domain }}
	for _, g := range groupLines(len(r.Outcomes), func(i int) []line { return outcomeLines(r.Outcomes[i]) }) {
		t.group(g, of)
	}
	t.Printf("%s applied, %s unchanged, %s failed, %s refused.\n",
		number(r.Count(portfolio.Applied)), number(r.Count(portfolio.Unchanged)),
		number(r.Count(portfolio.Failed)), number(r.Count(portfolio.Refused)))
}

// outcomeLines says what people should know of an outcome; nothing where all
// went as planned.
func outcomeLines(o portfolio.Outcome) []line {
	switch {
	case o.Outcome == portfolio.Failed:
		return []line{{tone: toneBad, text: "failed: " + withoutName(o.Domain, o.Err.Error())}}
	case o.Outcome == portfolio.Refused:
		return []line{{tone: toneBad, text: "refused: " + withoutName(o.Domain, o.Err.Error())}}
	case o.Outcome == portfolio.Applied && !o.Served.All():
		return []line{{tone: toneUpdate, text: "written, but not served as wanted yet: " + withoutName(o.Domain, o.Served.String())}}
	}
	return nil
}
