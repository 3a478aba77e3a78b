package config

import (
	"maps"
	"slices"

	"domherre/portfolio"
)

// checkFit tells of domains whose provider can't hold what is wanted: each
// reason once, at the first that has it.
func (l *loader) checkFit() {
	if l.options.Facts == nil {
		return
	}
	facts := map[string]portfolio.Facts{}
	for _, p := range l.config.Providers {
		facts[p.Name] = l.options.Facts(p.Type, p.Settings)
	}
	unfit := map[string][]*entry{}
	for i, e := range l.entries {
		d := l.config.Portfolio.Domains[i]
		if d.DNS.CAA == portfolio.CAAAuto {
			d.DNS.CAA = portfolio.CAANone // what issuers there are is known later
		}
		if why := portfolio.Unfit(&d, facts[d.Provider], d.Launch); why != "" {
			unfit[why] = append(unfit[why], e)
		}
	}
	for _, why := range slices.Sorted(maps.Keys(unfit)) {
		es := unfit[why]
		es[0].at.fault(andOthers(es)+" a provider that doesn't fit: "+why, "`domherre providers` tells what each type can't; choose another, or want less")
	}
}
