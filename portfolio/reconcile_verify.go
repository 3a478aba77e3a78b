package portfolio

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Pauses between the rounds of asking the authoritative servers.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 5 * time.Second
)

// verify asks the authoritative servers of what was applied, once; with Wait of
// what stands unchanged too, until all is served or ctx ends.
func (r *Reconciler) verify(ctx context.Context, report *Report, o Options) {
	var open []int
	for i, out := range report.Outcomes {
		if out.Served.All() {
			continue // its wave was waited for
		}
		if out.Outcome == Applied || o.Wait && out.Outcome == Unchanged && !report.Plan.Domains[i].Leaving {
			open = append(open, i)
		}
	}
	r.ask(ctx, report, open, o.Wait)
}

// ask asks the authoritative servers of some domains, once or until all is
// served. open is used up.
func (r *Reconciler) ask(ctx context.Context, report *Report, open []int, wait bool) {
	progress := r.progress(StepVerify, len(open))
	for pause := firstPause; len(open) > 0; pause = min(2*pause, lastPause) {
		domains := report.Plan.Domains
		r.each(len(open), func(i int) string { return domains[open[i]].Provider }, func(i int) {
			d := &domains[open[i]]
			report.Outcomes[open[i]].Served = r.Zones.Verify(ctx, *d.Entry, d.Wanted())
		})
		open = slices.DeleteFunc(open, func(i int) bool {
			served := report.Outcomes[i].Served.All() || len(domains[i].Wanted()) == 0
			if served {
				delete(report.unserved, i)
			}
			if served || !wait {
				progress.done(domains[i].Name, nil)
			}
			return served || !wait
		})
		if len(open) > 0 && !sleep(ctx, pause) {
			break
		}
	}
	for _, i := range open {
		out := &report.Outcomes[i]
		report.unserved[i] = true
		out.Outcome = Failed
		out.Err = fmt.Errorf("%s: the zone is written, but not served as wanted: %s: %w", out.Domain, out.Served, context.Cause(ctx))
		progress.done(out.Domain, out.Err)
	}
}

// String words what is amiss, or that nothing is.
func (s Served) String() string {
	if len(s.Servers) == 0 {
		return "no authoritative server is known"
	}
	var amiss []string
	for _, a := range s.Servers {
		if a.Err != "" {
			amiss = append(amiss, a.Server+": "+a.Err)
		} else if len(a.Wrong) > 0 {
			amiss = append(amiss, a.Server+": "+strings.Join(a.Wrong, ", "))
		}
	}
	if len(amiss) == 0 {
		return "served as wanted"
	}
	return strings.Join(amiss, "; ")
}

// sleep reports whether ctx lived through d.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// accept remembers the portfolio as this run leaves it, where that differs from
// before: what the guard refused stays as last accepted, what was pruned is
// forgotten.
func (r *Reconciler) accept(ctx context.Context, p Portfolio, before []Domain, report Report) error {
	if r.Accepted == nil {
		return nil
	}
	after := acceptedAfter(before, report)
	if slices.EqualFunc(before, after, sameEntry) {
		return nil
	}
	if err := r.Accepted.SaveAccepted(context.WithoutCancel(ctx), p.ID, after); err != nil {
		return fmt.Errorf("the zones are written, but not what was accepted, which the guard needs: %w", err)
	}
	return nil
}

// sameEntry compares entries as they are kept.
func sameEntry(a, b Domain) bool {
	was, err := json.Marshal(a)
	is, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(was, is)
}

// gone reports whether what was ours in the zone of a leaving domain is gone.
func (p *DomainPlan) gone(out Outcome) bool {
	return p.Prune && out.Outcome != Failed && out.Outcome != Refused
}

func acceptedAfter(before []Domain, report Report) []Domain {
	kept := make(map[Name]Domain, len(before))
	for _, d := range before {
		kept[d.Name] = d
	}
	for i, out := range report.Outcomes {
		d := &report.Plan.Domains[i]
		entry, known := kept[d.Name]
		switch {
		case d.Away != "":
			if known && d.gone(out) {
				entry.Former = formerly(entry, d.Provider, 0)
				kept[d.Name] = entry
			}
			continue
		case d.Leaving && d.gone(out):
			if delete(kept, d.Name); len(entry.Former) > 0 { // they come next
				entry.Provider, entry.Former = entry.Former[0], entry.Former[1:]
				kept[d.Name] = entry
			}
			continue
		case d.Leaving:
			if !known {
				entry = *d.Entry
			}
			entry.Leaving = true
		case out.Outcome == Refused:
			if !known {
				continue
			}
		default:
			was := entry
			entry = *d.Entry
			entry.Leaving, entry.Owned, entry.Former = false, was.Owned, formerly(was, d.Provider, was.Owned)
			if was.Provider != d.Provider {
				entry.Owned = 0
			}
		}
		if out.Outcome == Applied || out.Outcome == Unchanged {
			entry.Owned = out.Owned
		}
		entry.Unserved = report.waves && report.unserved[i]
		kept[d.Name] = entry
	}
	after := make([]Domain, 0, len(kept))
	for _, d := range kept {
		after = append(after, d)
	}
	slices.SortFunc(after, func(a, b Domain) int { return strings.Compare(a.Name.ascii, b.Name.ascii) })
	return after
}
