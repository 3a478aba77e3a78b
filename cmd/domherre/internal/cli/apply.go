package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/term"
	"domherre/cmd/domherre/internal/wire"
	"domherre/dnsprovider"
	"domherre/portfolio"
)

// waitFor bounds apply --wait.
const waitFor = 10 * time.Minute

func (a *app) applyCommand() *cobra.Command {
	var o portfolio.Options
	var saved string
	var yes bool
	c := &cobra.Command{
		Use:   "apply [DOMAIN... | --plan FILE]",
		Short: "make the zones what the list says; asks first on a terminal",
		RunE: func(c *cobra.Command, args []string) error {
			if saved != "" && (len(args) > 0 || o.Prune) {
				return usage(c, "--plan says what is done: domains and --prune don't go with it")
			}
			var err error
			if o.Only, err = domains(c, args); err != nil {
				return err
			}
			if saved != "" {
				if o.Saved, err = loadPlan(saved); err != nil {
					return err
				}
			}
			return a.apply(c, o, yes)
		},
	}
	a.reports(c)
	c.Flags().StringVar(&saved, "plan", "", "do what the plan saved in `FILE` says, and nothing else")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "don't ask")
	c.Flags().BoolVar(&o.Prune, "prune", false, "delete what is ours in domains that left the list")
	c.Flags().BoolVar(&o.Force, "force", false, "do what the guard refuses")
	c.Flags().BoolVar(&o.Wait, "wait", false, "until all authoritative servers serve it")
	c.Flags().BoolVar(&o.Waves, "waves", false, "a few domains first, and more once those are served as wanted")
	return c
}

func (a *app) apply(c *cobra.Command, o portfolio.Options, yes bool) error {
	return a.change(c, "domherre apply", o, yes, func(ctx context.Context, w *portfolio.Reconciler, p portfolio.Portfolio, o portfolio.Options) (portfolio.Report, error) {
		return w.RunOnce(ctx, p, o)
	})
}

// changes is what writes to zones: a run of the reconciler.
type changes func(context.Context, *portfolio.Reconciler, portfolio.Portfolio, portfolio.Options) (portfolio.Report, error)

// change carries out changes under the portfolio's lease, and reports them.
func (a *app) change(c *cobra.Command, command string, o portfolio.Options, yes bool, run changes) error {
	r, err := a.open(c)
	if err != nil {
		return err
	}
	defer r.Close()
	lease, err := a.lease(c.Context(), r, command)
	if err != nil {
		return err
	}
	defer lease.Release()
	ctx := lease.Context()
	if o.Wait {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, waitFor, errors.New("--wait gives up after "+waitFor.String()))
		defer cancel()
	}
	o.By, o.Waves, o.Lean, o.Away = who(), o.Waves || r.Config.Reconcile.Waves, true, true
	shown := false
	o.Confirm = func(p portfolio.Plan) error {
		shown = true
		return a.confirm(redactPlan(p, r.Config.Redact), wire.Costs(r.Config, p), yes)
	}
	reconciler, err := r.Reconciler(ctx, a.progress)
	if err != nil {
		return err
	}
	report, err := run(ctx, reconciler, r.Config.Portfolio, o)
	if err != nil && report.Count(portfolio.Applied) == 0 {
		return err
	}
	report.Plan = redactPlan(report.Plan, r.Config.Redact)
	if !a.json() && !shown {
		a.term.Plan(report.Plan)
	}
	code := exitCode(report)
	if shownErr := a.showReport(report, r.Config.Redact); shownErr != nil {
		return shownErr
	}
	switch {
	case err != nil:
		return err
	case code == exitOK:
		return nil
	case c.Context().Err() != nil:
		return &exit{code, hinted("interrupted: what was not written yet is left as it was", "run it again to go on")}
	}
	return &exit{code: code}
}

var errDeclined = errors.New("nothing was changed")

// confirm shows the plan and, on a terminal, asks.
func (a *app) confirm(p portfolio.Plan, costs []dnsprovider.Cost, yes bool) error {
	if !a.json() {
		a.writePlan(p, costs)
	}
	if yes || !a.term.Interactive() || a.term.Ask("Do this?") {
		return nil
	}
	return errDeclined
}

// appliedDomain is a domain of apply's JSON: its plan, and what became of it.
type appliedDomain struct {
	portfolio.DomainPlan
	Outcome string `json:"outcome"`
	Journal string `json:"journal"`
}

func (a *app) showReport(r portfolio.Report, redact func(string) string) error {
	for i := range r.Outcomes {
		if err := r.Outcomes[i].Err; err != nil {
			r.Outcomes[i].Err = errors.New(redact(err.Error()))
		}
	}
	if !a.json() {
		a.term.Report(r)
		return nil
	}
	doc := struct {
		portfolio.Plan
		Domains []appliedDomain `json:"domains"` // in place of the plan's
	}{Plan: r.Plan, Domains: []appliedDomain{}}
	doc.Plan.Domains = nil
	return term.WriteDomains(a.term.Out, doc, len(r.Plan.Domains), func(i int) any {
		d, o := r.Plan.Domains[i], r.Outcomes[i]
		if o.Err != nil && d.Error == "" {
			d.Error = o.Err.Error()
		}
		return appliedDomain{d, outcomeWord(o, r), o.Journal}
	})
}

// outcomeWord is a domain's outcome; where the guard stopped the whole run, all
// domains with changes were refused.
func outcomeWord(o portfolio.Outcome, r portfolio.Report) string {
	if o.Outcome == "" && r.Plan.Summary.Refused != "" {
		return portfolio.Refused
	}
	return o.Outcome
}

func exitCode(r portfolio.Report) int {
	switch r.Exit() {
	case portfolio.ExitRefused:
		return exitRefused
	case portfolio.ExitPartly:
		return exitPartly
	case portfolio.ExitFailed:
		return exitFailed
	}
	return exitOK
}
