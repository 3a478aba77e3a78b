package daemon

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// many is from how many domains on one line of the log tells of them all.
const many = 4

// account takes in what became of a run: what is to be checked, tried again,
// said and counted.
func (d *daemon) account(n *generation, w work, report portfolio.Report) {
	d.checks.add(d.book.planned(w, report)...)
	d.countPending()
	d.sayRefused(n, w, report)
	failures := map[string][]failure{}
	for i := range report.Plan.Domains {
		plan, o := &report.Plan.Domains[i], outcomeOf(report, i)
		switch o.Outcome {
		case portfolio.Failed:
			d.failed(n, o, failures)
			continue
		case portfolio.Refused:
			hint := "the guard waits for a person: domherre apply --force"
			if o.Held {
				hint = "tried again at the next run; what is written already is waited for first"
			}
			d.sayOnce(n, o.Domain, fmt.Sprint(o.Err), hint)
		case drifted:
			d.sayOnce(n, o.Domain, changesDue(len(plan.Changes)), "the zone isn't as declared: domherre plan shows how, domherre apply mends it")
		case portfolio.Applied:
			d.complaints.settled(o.Domain.ASCII())
			n.log.Info("applied", "domain", o.Domain.String(), "changes", len(plan.Changes), "entry", o.Journal)
			d.checks.add(o.Domain)
		default:
			d.complaints.settled(o.Domain.ASCII())
		}
		d.zoneRetry.well(o.Domain)
	}
	n.sayFailures(w.provider, failures)
}

// drifted is the outcome of a domain whose zone isn't as declared, where the
// config leaves mending it to people.
const drifted = "drifted"

// outcomeOf gives what became of a domain; in a run that only planned, what the
// plan says.
func outcomeOf(r portfolio.Report, i int) portfolio.Outcome {
	if i < len(r.Outcomes) {
		return r.Outcomes[i]
	}
	plan := &r.Plan.Domains[i]
	o := portfolio.Outcome{Domain: plan.Name, Outcome: portfolio.Unchanged, Err: plan.Err}
	switch {
	case plan.Err != nil:
		o.Outcome = portfolio.Failed
	case plan.Refused != "":
		o.Outcome, o.Err = portfolio.Refused, errors.New(plan.Refused)
	case plan.Pending():
		o.Outcome = drifted
	}
	return o
}

func changesDue(n int) string {
	if n == 1 {
		return "1 change is due"
	}
	return fmt.Sprintf("%d changes are due", n)
}

type failure struct {
	domain portfolio.Name
	text   string
}

// failed has a domain tried again, unless nothing can come of it, and collects
// what hasn't been said yet, by its cause.
func (d *daemon) failed(n *generation, o portfolio.Outcome, fresh map[string][]failure) {
	if o.Err == nil || cancelled(o.Err) {
		d.zoneRetry.unwell(o.Domain, n.cfg.Reconcile.Every)
		return
	}
	if !refusedCredentials(o.Err) {
		d.zoneRetry.unwell(o.Domain, n.cfg.Reconcile.Every)
	}
	why := n.cfg.Redact(rootOf(o.Err).Error())
	if d.complaints.fresh(o.Domain.ASCII(), why) {
		fresh[why] = append(fresh[why], failure{o.Domain, n.cfg.Redact(o.Err.Error())})
	}
}

// sayFailures logs a line a domain, or one for all where many failed from one
// cause.
func (n *generation) sayFailures(provider string, failures map[string][]failure) {
	for _, why := range slices.Sorted(maps.Keys(failures)) {
		group := failures[why]
		if len(group) >= many {
			n.log.Error("reconcile", "domains", len(group), "provider", provider, "first", group[0].domain.String(), "error", group[0].text)
			continue
		}
		for _, f := range group {
			n.log.Error("reconcile", "domain", f.domain.String(), "error", f.text)
		}
	}
}

// sayRefused tells once why the guard refuses a whole plan.
func (d *daemon) sayRefused(n *generation, w work, report portfolio.Report) {
	why := report.Plan.Summary.Refused
	switch key := "guard " + w.provider; {
	case why != "" && d.complaints.fresh(key, why):
		n.log.Warn("the guard refuses the plan and waits for a person: domherre apply --force", "provider", w.provider, "reason", why)
	case why == "" && w.all:
		d.complaints.settled(key)
	}
}

func (d *daemon) sayOnce(n *generation, domain portfolio.Name, why, what string) {
	if d.complaints.fresh(domain.ASCII(), why) {
		n.log.Warn(what, "domain", domain.String(), "reason", why)
	}
}

// countPending sets the metrics of what is left to be done.
func (d *daemon) countPending() {
	d.metrics.GuardRefused(len(d.book.refusals()) > 0)
	pending := d.book.pending()
	for _, op := range []string{portfolio.OpCreate, portfolio.OpUpdate, portfolio.OpDelete} {
		d.metrics.PendingChanges(op, pending[op])
	}
}

// refusedCredentials reports whether a provider refused its credentials, now or
// in the request that it is left alone for: trying again won't help.
func refusedCredentials(err error) bool {
	for err != nil {
		var known *zoneio.Error
		if !errors.As(err, &known) {
			return false
		}
		if known.Kind == zoneio.Credentials {
			return true
		}
		err = known.Err
	}
	return false
}

// rootOf is the error that others wrap: domains that fail from one cause share it.
func rootOf(err error) error {
	for {
		within := errors.Unwrap(err)
		if within == nil {
			return err
		}
		err = within
	}
}

// complaints remember what was said, so that it isn't said at every try.
type complaints struct {
	mu   sync.Mutex
	said map[string]string
}

func newComplaints() *complaints { return &complaints{said: map[string]string{}} }

// fresh reports whether why is news about a subject.
func (c *complaints) fresh(subject, why string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.said[subject] == why {
		return false
	}
	c.said[subject] = why
	return true
}

// settled forgets a subject: all is well with it.
func (c *complaints) settled(subject string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.said, subject)
}
