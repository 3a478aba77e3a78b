package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"domherre/config"
	"domherre/dnsprovider"
)

// complete has a shell offer what a command's arguments can be. A broken config
// offers what can be read of it.
func (a *app) complete(c *cobra.Command) {
	switch {
	case strings.Contains(c.Use, "DOMAIN"), c.Name() == "remove":
		c.ValidArgsFunction = func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
			cfg, _ := config.Load(a.config, a.loadOptions(c))
			return offered(cfg, args, begun), cobra.ShellCompDirectiveNoFileComp
		}
	case c.Name() == "providers":
		for _, t := range dnsprovider.Types() {
			c.ValidArgs = append(c.ValidArgs, t.Name)
		}
	case c.Args == nil || strings.Contains(c.Use, "FILE") || strings.Contains(c.Use, "DIR"):
	case len(c.ValidArgs) == 0:
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
}

// offered lists the domains that may come next, in the form that was begun.
func offered(cfg *config.Config, args []string, begun string) []string {
	var names []string
	for _, d := range cfg.Portfolio.Domains {
		if slices.Contains(args, d.Name.Unicode()) || slices.Contains(args, d.Name.ASCII()) {
			continue
		}
		for _, form := range []string{d.Name.Unicode(), d.Name.ASCII()} {
			if strings.HasPrefix(form, strings.ToLower(begun)) {
				names = append(names, form)
				break
			}
		}
	}
	return names
}
