package term

import (
	"fmt"
	"time"

	"domherre/config"
	"domherre/portfolio"
)

// Domains writes the list: what is declared, and where.
func (t *Term) Domains(domains []portfolio.Domain) {
	rows := make([][]string, 0, len(domains))
	for _, d := range domains {
		rows = append(rows, []string{
			d.Name.String(), config.UnicodeURL(d.Frontend), d.Provider, fmt.Sprintf("%s:%d", d.Source.File, d.Source.Line), remarks(d),
		})
	}
	t.Table([]string{"DOMAIN", "LEADS TO", "PROVIDER", "WRITTEN AT", "NOTE"}, rows)
}

// remarks gathers what people should know of a domain at a glance.
func remarks(d portfolio.Domain) string {
	text := d.Note
	add := func(s string) {
		if text != "" {
			text += "; "
		}
		text += s
	}
	if d.Paused {
		add("paused")
	}
	if !d.Launch.IsZero() {
		add("launch " + d.Launch.Format(time.DateOnly))
	}
	return text
}
