package cli

import (
	"context"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/wire"
	"domherre/portfolio"
)

func (a *app) historyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "history [DOMAIN...]",
		Short: "list what was done to the zones, newest first",
		Long:  "Lists what was done to the zones, by whom, newest first. With domains named, it\nshows every change; rollback takes any entry back.",
		RunE: func(c *cobra.Command, args []string) error {
			only, err := domains(c, args)
			if err != nil {
				return err
			}
			cfg, err := a.load(c)
			if err != nil {
				return err
			}
			store, err := wire.OpenStateDegraded(c.Context(), cfg, a.logger(cfg))
			if err != nil {
				return err
			}
			defer store.Close()
			entries, err := wire.Journal{Store: store}.Entries(c.Context(), only)
			if err != nil {
				return err
			}
			if a.json() {
				return a.term.JSON(struct {
					Version int               `json:"version"`
					Entries []portfolio.Entry `json:"entries"`
				}{1, entries})
			}
			a.term.History(entries, len(only) > 0)
			return nil
		},
	}
	a.reports(c)
	return c
}

func (a *app) rollbackCommand() *cobra.Command {
	var o portfolio.Options
	var yes bool
	c := &cobra.Command{
		Use:   "rollback ENTRY",
		Short: "take a zone back to what stood before an entry of the history; asks first on a terminal",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.change(c, "domherre rollback", o, yes, func(ctx context.Context, w *portfolio.Reconciler, p portfolio.Portfolio, o portfolio.Options) (portfolio.Report, error) {
				return rollback(ctx, w, p, o, args[0])
			})
		},
	}
	a.reports(c)
	c.Flags().BoolVarP(&yes, "yes", "y", false, "don't ask")
	c.Flags().BoolVar(&o.Force, "force", false, "do what the guard refuses")
	c.Flags().BoolVar(&o.Wait, "wait", false, "until all authoritative servers serve it")
	return c
}

func rollback(ctx context.Context, w *portfolio.Reconciler, p portfolio.Portfolio, o portfolio.Options, id string) (portfolio.Report, error) {
	e, found, err := w.Journal.(wire.Journal).Entry(ctx, id)
	if err != nil {
		return portfolio.Report{}, err
	}
	if !found {
		return portfolio.Report{}, hinted("the history has no entry "+id, "domherre history lists the entries")
	}
	return w.Rollback(ctx, p, e, o)
}
