package cli

import (
	"log/slog"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/term"
	"domherre/cmd/domherre/internal/wire"
	"domherre/config"
)

func (a *app) validateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "validate",
		Short: "tell every fault of every file at once",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, problems := config.Load(a.config, a.loadOptions(c))
			if a.json() {
				if err := a.term.JSON(struct {
					Version  int             `json:"version"`
					Problems config.Problems `json:"problems"`
				}{1, problems}); err != nil {
					return err
				}
			} else {
				a.term.Problems(a.term.Out, problems)
			}
			if problems.Err() != nil {
				return &exit{code: exitConfig}
			}
			if !a.json() {
				a.term.Printf("%s is good: %s\n", cfg.Path, term.Count(len(cfg.Portfolio.Domains), "domain"))
			}
			return nil
		},
	}
	a.reports(c)
	return c
}

func (a *app) loadOptions(c *cobra.Command) config.Options {
	return wire.LoadOptions(a.env.Getenv, c.Flags())
}

// load reads the config, or tells all that is wrong with it.
func (a *app) load(c *cobra.Command) (*config.Config, error) {
	cfg, problems := config.Load(a.config, a.loadOptions(c))
	if problems.Err() != nil {
		a.term.Problems(a.term.Err, problems)
		return nil, &exit{code: exitConfig}
	}
	a.term.Problems(a.term.Err, problems)
	a.term.Redact = cfg.Redact
	return cfg, nil
}

// logger is for what the rooms have to say during a command: warnings, on
// standard error, with every secret of the config taken out.
func (a *app) logger(cfg *config.Config) *slog.Logger {
	return wire.Logger(a.env.Err, cfg, max(cfg.Log.Level, slog.LevelWarn))
}
