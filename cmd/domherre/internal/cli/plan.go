package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/term"
	"domherre/cmd/domherre/internal/wire"
	"domherre/dnsprovider"
	"domherre/portfolio"
)

func (a *app) planCommand() *cobra.Command {
	var o portfolio.Options
	var out string
	var detailed bool
	c := &cobra.Command{
		Use:   "plan [DOMAIN...]",
		Short: "show what apply would do; changes nothing",
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if o.Only, err = domains(c, args); err != nil {
				return err
			}
			plan, costs, err := a.plan(c, o)
			if err != nil {
				return err
			}
			if out != "" {
				if err := savePlan(out, plan); err != nil {
					return err
				}
			}
			if err := a.showPlan(plan, costs); err != nil {
				return err
			}
			return planExit(plan, detailed)
		},
	}
	a.reports(c)
	c.Flags().StringVar(&out, "out", "", "save the plan in `FILE`, for apply --plan")
	c.Flags().BoolVar(&o.Prune, "prune", false, "delete what is ours in domains that left the list")
	c.Flags().BoolVar(&o.Full, "full", false, "read every zone whole, also those that show no sign of change")
	c.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 when changes are pending")
	return c
}

// plan makes a plan, and tells what it costs.
func (a *app) plan(c *cobra.Command, o portfolio.Options) (portfolio.Plan, []dnsprovider.Cost, error) {
	r, err := a.openToRead(c)
	if err != nil {
		return portfolio.Plan{}, nil, err
	}
	defer r.Close()
	reconciler, err := r.Reconciler(c.Context(), a.progress)
	if err != nil {
		return portfolio.Plan{}, nil, err
	}
	o.Lean, o.Away = true, true
	plan, err := reconciler.Plan(c.Context(), r.Config.Portfolio, o)
	return redactPlan(plan, r.Config.Redact), wire.Costs(r.Config, plan), err
}

// redactPlan takes secrets out of what providers said.
func redactPlan(p portfolio.Plan, redact func(string) string) portfolio.Plan {
	own := false
	for i := range p.Domains {
		told := p.Domains[i].Error
		if told == "" {
			continue
		}
		if !own {
			p.Domains, own = slices.Clone(p.Domains), true
		}
		p.Domains[i].Error = redact(told)
	}
	return p
}

func (a *app) showPlan(p portfolio.Plan, costs []dnsprovider.Cost) error {
	if a.json() {
		return writeJSON(a.term.Out, p)
	}
	a.writePlan(p, costs)
	return nil
}

// writePlan writes a plan for people.
func (a *app) writePlan(p portfolio.Plan, costs []dnsprovider.Cost) {
	a.term.Plan(p)
	for _, c := range costs {
		a.term.Cost(c.Provider, c.Requests, c.PerSecond, c.Takes())
	}
}

// planExit is how a plan ends the command: what failed comes before what was
// refused, and that before what is pending.
func planExit(p portfolio.Plan, detailed bool) error {
	refused := p.Summary.Refused != ""
	for i := range p.Domains {
		refused = refused || p.Domains[i].Refused != ""
	}
	switch {
	case p.Summary.Failed > 0 && p.Summary.Failed == p.Summary.Domains:
		return &exit{code: exitFailed}
	case p.Summary.Failed > 0:
		return &exit{code: exitPartly}
	case refused:
		return &exit{code: exitRefused}
	case detailed && p.Pending():
		return &exit{code: exitPending}
	}
	return nil
}

// savePlan writes a plan whole or not at all. It may hold what nobody else
// should read before it is public.
func savePlan(path string, p portfolio.Plan) error {
	err := replaceFile(path, func(w io.Writer) error { return writeJSON(w, p) })
	if err != nil {
		if e := (*fs.PathError)(nil); errors.As(err, &e) {
			err = e.Err // its path is that of a file on the way
		}
		return fmt.Errorf("saving the plan in %s: %w", path, err)
	}
	return nil
}

// replaceFile writes a file that only its owner reads.
func replaceFile(path string, write func(io.Writer) error) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o600), renameio.WithExistingPermissions())
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		return errors.Join(err, f.Cleanup())
	}
	return errors.Join(f.CloseAtomicallyReplace(), f.Cleanup())
}

// writeJSON writes a plan as the contract has it.
func writeJSON(w io.Writer, p portfolio.Plan) error {
	domains := p.Domains
	p.Domains = []portfolio.DomainPlan{}
	return term.WriteDomains(w, p, len(domains), func(i int) any { return &domains[i] })
}

// loadPlan reads a plan that plan --out saved.
func loadPlan(path string) (*portfolio.Plan, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, hinted(err.Error(), "domherre plan --out "+path+" saves one")
	}
	p, err := portfolio.ParsePlan(text)
	if errors.Is(err, portfolio.ErrPlanEdited) {
		return nil, hinted(path+": the plan was changed after it was saved", "domherre plan --out "+path+" makes a new one")
	}
	if err != nil {
		return nil, hinted(path+": "+err.Error(), "domherre plan --out FILE saves one")
	}
	return &p, nil
}
