package cli

import (
	"log/slog"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/daemon"
	"domherre/cmd/domherre/internal/wire"
	"domherre/config"
)

func (a *app) runCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "run the daemon: records, certificates, redirects, checks, the status page",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.load(c)
			if err != nil {
				return err
			}
			return daemon.Run(c.Context(), cfg, daemon.Options{
				Load: func() (*config.Config, config.Problems) { return config.Load(a.config, a.loadOptions(c)) },
				Log:  func(cfg *config.Config) *slog.Logger { return wire.Logger(a.env.Err, cfg, cfg.Log.Level) },
			})
		},
	}
	config.AddFlags(c.Flags(), "listen.http", "listen.https", "listen.admin", "listen.dns", "log.level", "log.format")
	return c
}
