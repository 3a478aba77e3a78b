package portfolio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	staleTries     = 3                // writes of a zone that others change meanwhile
	aftermathLimit = 15 * time.Second // for finding out, after a cancelled write, what came of it
)

// foregone gives the outcomes that are settled before anything is written; the
// others are empty.
func foregone(p Plan) []Outcome {
	outcomes := make([]Outcome, len(p.Domains))
	for i := range p.Domains {
		d := &p.Domains[i]
		o := Outcome{Domain: d.Name, Owned: d.Owned}
		switch {
		case d.Err != nil:
			o.Outcome, o.Err = Failed, d.Err
		case d.Stale:
			o.Outcome, o.Err = Refused, fmt.Errorf("%s: %w", d.Name, outdated(d.Refused))
		case d.Refused != "":
			o.Outcome, o.Err = Refused, fmt.Errorf("%s: the guard refuses the plan: %s; see it with plan, approve it with --force", d.Name, d.Refused)
		case !d.Pending():
			o.Outcome = Unchanged
		case p.Summary.Refused != "":
			o.Outcome, o.Err = Refused, fmt.Errorf("%s: the guard refuses the whole plan: %s", d.Name, p.Summary.Refused)
		}
		outcomes[i] = o
	}
	return outcomes
}

// apply writes what is still open.
func (r *Reconciler) apply(ctx context.Context, report *Report, o Options, again replan) {
	if o.Waves {
		r.applyInWaves(ctx, report, o, again)
		return
	}
	open := report.unsettled()
	r.write(ctx, report, open, r.progress(StepWrite, len(open)), o, again)
}

// write writes some of the domains.
func (r *Reconciler) write(ctx context.Context, report *Report, open []int, progress *progress, o Options, again replan) {
	domains := report.Plan.Domains
	r.each(len(open), func(i int) string { return domains[open[i]].Provider }, func(i int) {
		w := writer{r: r, plan: report.Plan, opts: o, again: again}
		out := w.write(ctx, domains[open[i]])
		report.Outcomes[open[i]] = out
		progress.done(out.Domain, out.Err)
	})
}

// outdated is ErrStale, saying what no longer fits.
type outdated string

func (o outdated) Error() string      { return string(o) }
func (outdated) Is(target error) bool { return target == ErrStale }

// replan makes the plan of d anew, for the zone as it is now.
type replan func(d DomainPlan, now Zone) DomainPlan

// writer carries out the plans of single domains.
type writer struct {
	r     *Reconciler
	plan  Plan
	opts  Options
	again replan
}

// write carries out d, looks again, and journals what came of it.
func (w writer) write(ctx context.Context, d DomainPlan) Outcome {
	out := Outcome{Domain: d.Name, Outcome: Applied, Owned: d.Owned}
	failed := func(err error) Outcome {
		out.Outcome, out.Err = Failed, err
		return out
	}
	d, after, err := w.writeZone(ctx, d)
	switch {
	case errors.Is(err, ErrStale) && w.opts.Saved != nil:
		out.Outcome, out.Err = Refused, fmt.Errorf("%s: %w: make the plan anew", d.Name, err)
		return out
	case errors.Is(err, ErrStale):
		return failed(fmt.Errorf("%s: writing the zone at provider %s: %w: run again", d.Name, d.Provider, err))
	case !d.Pending():
		out.Outcome = Unchanged // others did the same meanwhile
		return out
	}
	changes, left, known := w.lookAgain(ctx, d, after, err)
	if err != nil && known && left == "" {
		err = nil // the answer was lost, not the write
	}
	if err != nil {
		err = fmt.Errorf("%s: writing the zone at provider %s: %w", d.Name, d.Provider, err)
	} else if left != "" {
		err = fmt.Errorf("%s: after writing, provider %s still doesn't hold what is wanted: %s", d.Name, d.Provider, left)
	}
	if err == nil {
		out.Owned = len(d.Marker.After.Owned)
	}
	if len(changes) > 0 || err == nil {
		id, journalErr := w.journal(ctx, d, changes, err)
		out.Journal = id
		err = errors.Join(err, journalErr)
	}
	if err != nil {
		return failed(err)
	}
	return out
}

// writeZone writes d, and gives the zone as it was read then, where that is
// known. Where others changed the zone since it was read, it is read again, and
// written if that leaves the plan as it was.
func (w writer) writeZone(ctx context.Context, d DomainPlan) (_ DomainPlan, after *Zone, err error) {
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return d, nil, err
		}
		after, err := w.r.send(ctx, Write{Domain: *d.Entry, Observed: d.Zone, Steps: Steps(d)})
		if !errors.Is(err, ErrStale) || try == staleTries {
			return d, after, err
		}
		zone, observeErr := w.r.observe(ctx, *d.Entry, true)
		if observeErr != nil {
			return d, nil, observeErr
		}
		fresh := w.again(d, zone)
		if fresh.Err != nil {
			return d, nil, fresh.Err
		}
		if fresh.Pending() && !slices.EqualFunc(fresh.Changes, d.Changes, Change.equal) {
			return d, nil, err
		}
		fresh.Leaving = d.Leaving
		d = fresh
		if !d.Pending() {
			return d, nil, nil
		}
	}
}

// send writes, and gives the zone as it was read again, where Zones tells.
func (r *Reconciler) send(ctx context.Context, w Write) (*Zone, error) {
	reader, ok := r.Zones.(WriteReader)
	if !ok {
		return nil, r.Zones.Write(ctx, w)
	}
	after, err := reader.WriteAndRead(ctx, w)
	if err != nil {
		return nil, err
	}
	return &after, nil
}

// lookAgain gives the changes that came to pass with a write, and in words what
// is still missing. It reads the zone, unless the write has told how it stands.
// Where the zone can't be read, it takes the plan's changes for done: the journal
// rather says too much. After a write without an error, which has read the zone
// itself, its serial will do.
func (w writer) lookAgain(ctx context.Context, d DomainPlan, after *Zone, writeErr error) (changes []Change, left string, known bool) {
	if after == nil {
		zone, err := w.aftermath(ctx, d, writeErr)
		if err != nil {
			return d.Changes, "", false
		}
		after = &zone
	}
	for _, c := range d.Changes {
		before, had := d.Zone.Find(c.Key())
		now, has := after.Find(c.Key())
		if had != has || had && (before.TTL != now.TTL || !slices.Equal(before.Data, now.Data)) {
			changes = append(changes, c)
		}
	}
	return changes, remaining(w.again(d, *after)), true
}

// aftermath reads the zone after a write; after one that failed, whole, and
// even where the run was cancelled meanwhile.
func (w writer) aftermath(ctx context.Context, d DomainPlan, writeErr error) (Zone, error) {
	if writeErr != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), aftermathLimit)
		defer cancel()
	}
	return w.r.observe(ctx, *d.Entry, writeErr != nil)
}

// remaining words what a plan would still do.
func remaining(p DomainPlan) string {
	switch {
	case p.Err != nil:
		return p.Error
	case !p.Pending():
		return ""
	case len(p.Changes) == 0:
		return "the marker at " + MarkerName
	}
	var what []string
	for _, c := range p.Changes {
		what = append(what, fmt.Sprintf("%s of %s %s", c.Op, c.Name, c.Type))
	}
	return strings.Join(what, ", ")
}

// journal records what one write did.
func (w writer) journal(ctx context.Context, d DomainPlan, changes []Change, failure error) (string, error) {
	if w.r.Journal == nil {
		return "", nil
	}
	e := Entry{
		Time: w.r.Now(), By: w.opts.By, Domain: d.Domain, ASCII: d.ASCII, Provider: d.Provider,
		PlanDigest: w.plan.Digest, Changes: slices.Concat([]Change{}, changes), Undoes: d.undoes,
	}
	if failure != nil {
		e.Error = failure.Error()
	}
	// What happened is recorded even where the run was cancelled meanwhile.
	id, err := w.r.Journal.Append(context.WithoutCancel(ctx), e)
	if err != nil {
		return "", fmt.Errorf("%s: written, but not in the journal: %w", d.Name, err)
	}
	return id, nil
}
