package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/term"
	"domherre/cmd/domherre/internal/wire"
	"domherre/config"
	"domherre/state"
)

func (a *app) stateCommand() *cobra.Command {
	c := &cobra.Command{Use: "state", Short: "move the state between folders and databases"}
	c.AddCommand(a.stateCopyCommand())
	return c
}

func (a *app) stateCopyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "copy FROM TO",
		Short: "copy a state to an empty folder or database, and compare the two",
		Long: "Copies a state, all values and the journal, to an empty folder or database, reads\n" +
			"both again and compares them. Each is a folder, or a postgres:// URL, whose password\n" +
			"is best left to PGPASSWORD or ~/.pgpass. A copy that was broken off goes on where it\n" +
			"stopped. No daemon may work with either.\n\n" +
			"Encrypted values are read with any key under state_key in the config, and written\n" +
			"with the first.",
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := a.loadIfThere(c)
			if err != nil {
				return err
			}
			r, err := a.copyState(c.Context(), cfg, args[0], args[1])
			if err != nil {
				return err
			}
			return a.showCopy(r)
		},
	}
	a.reports(c)
	return c
}

// loadIfThere is load for commands that can do without a config.
func (a *app) loadIfThere(c *cobra.Command) (*config.Config, error) {
	there := func(path string) bool { _, err := os.Stat(path); return err == nil }
	if a.config == "" && !slices.ContainsFunc(config.DefaultPaths(), there) {
		return &config.Config{}, nil
	}
	return a.load(c)
}

func (a *app) copyState(ctx context.Context, cfg *config.Config, from, to string) (state.CopyResult, error) {
	var none state.CopyResult
	if _, err := os.Stat(from); err != nil && !strings.Contains(from, "://") {
		return none, hinted("there is no state in "+from, "name the folder that state: in the config names")
	}
	keys, err := wire.StateKeys(cfg)
	if err != nil {
		return none, err
	}
	source, err := state.Open(ctx, from, a.logger(cfg), state.WithKeys(keys...), state.ForCopy())
	if err != nil {
		return none, err
	}
	defer source.Close()
	target, err := state.Open(ctx, to, a.logger(cfg), state.WithKeys(keys...), state.ForCopy())
	if err != nil {
		return none, err
	}
	defer target.Close()
	if fmt.Sprint(source) == fmt.Sprint(target) {
		return none, fmt.Errorf("%s can't be copied onto itself", source)
	}
	var ids []string
	if cfg.Portfolio.ID != "" {
		ids = append(ids, cfg.Portfolio.ID)
	}
	halted, release, err := wire.Halt(ctx, "domherre state copy", ids, source, target)
	if err != nil {
		return none, err
	}
	defer release()
	return state.Copy(halted, source, target, func(done, total int) { a.term.Progress("copying values", done, total) })
}

func (a *app) showCopy(r state.CopyResult) error {
	if a.json() {
		return a.term.JSON(struct {
			Version int    `json:"version"`
			From    string `json:"from"`
			To      string `json:"to"`
			Values  int    `json:"values"`
			Copied  int    `json:"copied"`
			Entries int    `json:"entries"`
			Entered int    `json:"entered"`
			Digest  string `json:"digest"`
		}{1, r.From, r.To, r.Values, r.Copied, r.Entries, r.Entered, r.Digest})
	}
	a.term.Printf("Copied %s to %s:\n", r.From, r.To)
	a.term.Printf("  %s, %d of them now\n", term.Count(r.Values, "value"), r.Copied)
	a.term.Printf("  %s in the journal, %d of them now\n", term.Count(r.Entries, "line"), r.Entered)
	a.term.Printf("Read again, both hold %s.\n", r.Digest)
	return nil
}
