package dnsprovider

import (
	"cmp"
	"slices"
	"time"

	"domherre/portfolio"
)

// Cost is about what it takes to carry out a plan at one provider.
type Cost struct {
	Provider  string
	Requests  int     // calls of several, where the limits see no more: see Type.Cannot
	PerSecond float64 // that the provider is asked by
}

// Takes gives the time that the requests take at least.
func (c Cost) Takes() time.Duration {
	return time.Duration(float64(c.Requests) / c.PerSecond * float64(time.Second))
}

// Costs gives what a plan costs at each provider that has work, in order of the
// config. Those without a limit on requests are left out: there it is the server
// that tells.
func Costs(cfgs []Config, p portfolio.Plan) []Cost {
	table := rows()
	var out []Cost
	for i, cfg := range cfgs {
		at := slices.IndexFunc(table, func(r row) bool { return r.Name == cfg.Type })
		if at < 0 {
			continue
		}
		c := Cost{Provider: cfg.Name, PerSecond: cfg.Limits.or(table[at].Limits).RequestsPerSecond}
		if c.PerSecond <= 0 {
			continue
		}
		for j := range p.Domains {
			if d := &p.Domains[j]; d.Provider == cfg.Name || d.Provider == "" && i == 0 {
				c.Requests += table[at].cost(d.Changes)
			}
		}
		if c.Requests > 0 {
			out = append(out, c)
		}
	}
	return out
}

// cost gives about how many requests carry out the changes of one zone: it is
// read before and after, and the marker is written beside.
func (r row) cost(changes []portfolio.Change) int {
	if len(changes) == 0 {
		return 0
	}
	calls, records := 1, 1 // the marker's
	sets, deletes := 0, 0
	for _, c := range changes {
		var before, after []string
		if c.Before != nil {
			before = c.Before.Data
			deletes++
		}
		if c.After != nil {
			after = c.After.Data
			sets++
		}
		records += max(len(before), len(after))
	}
	w := r.weights
	if w == (weights{}) {
		w = weights{read: 1, record: 1}
	}
	switch {
	case r.how == bySet:
		calls += min(sets, 1) + min(deletes, 1)
	default:
		calls += sets + deletes
	}
	return 2*cmp.Or(w.read, 1) + w.zone + calls*w.call + records*w.record
}
