package cli

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"domherre/check"
	"domherre/cmd/domherre/internal/wire"
	"domherre/portfolio"
	"domherre/tls"
)

func (a *app) checkCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "check [DOMAIN...]",
		Short: "run the checks now, from here; exits with 3 if a domain should be live and isn't",
		RunE: func(c *cobra.Command, args []string) error {
			only, err := domains(c, args)
			if err != nil {
				return err
			}
			r, err := a.openToRead(c)
			if err != nil {
				return err
			}
			defer r.Close()
			report, err := a.check(c.Context(), r, only)
			if err != nil {
				return err
			}
			if err := a.showStatus(report); err != nil {
				return err
			}
			for _, d := range report.Domains {
				if d.Failing() {
					return &exit{code: exitPartly}
				}
			}
			return nil
		},
	}
	a.reports(c)
	return c
}

func (a *app) check(ctx context.Context, r *wire.Rooms, only []portfolio.Name) (check.Report, error) {
	reconciler, err := r.Reconciler(ctx, nil)
	if err != nil {
		return check.Report{}, err
	}
	plan, err := reconciler.Plan(ctx, r.Config.Portfolio, portfolio.Options{Only: only})
	if err != nil {
		return check.Report{}, err
	}
	table, err := wire.Table(r.Config, nil, r.Now())
	if err != nil {
		return check.Report{}, err
	}
	entries := wire.Entries(wire.Inventory(r.Config, r.Certs))
	var subjects []check.Subject
	for i := range plan.Domains {
		d := &plan.Domains[i]
		if !d.Leaving {
			subjects = append(subjects, wire.CheckSubject(r.Config, *d.Entry, d.Wanted(), table, entry(entries, d.Name)))
		}
	}
	done := 0
	checker := wire.Checker(r.Config, r.Zones, r.Certs, r.Store, r.Log)
	report := check.Report{Version: 1, Campaign: r.Config.Campaign, Portfolio: r.Config.Portfolio.ID}
	var frontend sync.WaitGroup
	if r.Config.Frontend != "" {
		frontend.Go(func() {
			health := checker.FrontendHealth(ctx, r.Config.Frontend, nil)
			report.Frontend = &health
		})
	}
	report.Domains = checker.All(ctx, subjects, func(check.DomainStatus) {
		done++
		a.term.Progress("checking", done, len(subjects))
	})
	frontend.Wait()
	hits := wire.HitStore{Store: r.Store, Portfolio: r.Config.Portfolio.ID, Log: r.Log}
	return report, cmp.Or(ctx.Err(), hits.LoadHits(ctx, report.Domains, r.Now().Format(time.DateOnly)))
}

func entry(entries map[string]tls.Entry, n portfolio.Name) *tls.Entry {
	if e, ok := entries[n.ASCII()]; ok {
		return &e
	}
	return nil
}
