package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/wire"
	"domherre/portfolio"
)

func (a *app) zonesCommand() *cobra.Command {
	c := &cobra.Command{Use: "zones", Short: "what the DNS providers hold"}
	c.AddCommand(a.zonesListCommand(), a.zonesImportCommand())
	return c
}

func (a *app) zonesListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "list every provider's zones: which are ours, another portfolio's, or not in the list",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := a.open(c)
			if err != nil {
				return err
			}
			defer r.Close()
			zones, err := r.SurveyZones(c.Context(), func(done, total int) { a.term.Progress("reading zones", done, total) })
			if err := a.showZones(zones); err != nil {
				return err
			}
			if err != nil {
				return &exit{exitPartly, hinted(r.Config.Redact(err.Error()), "domherre providers TYPE says what a provider can't do")}
			}
			return nil
		},
	}
	a.reports(c)
	return c
}

func (a *app) showZones(zones []wire.ZoneInfo) error {
	if a.json() {
		return a.term.JSON(struct {
			Version int             `json:"version"`
			Zones   []wire.ZoneInfo `json:"zones"`
		}{1, append([]wire.ZoneInfo{}, zones...)})
	}
	rows := make([][]string, 0, len(zones))
	for _, z := range zones {
		listed := "yes"
		if !z.Listed {
			listed = "no"
		}
		note := z.Error
		if z.Managed == wire.ZoneOurs && !z.Listed {
			note = "left the list: apply --prune takes our records out"
		}
		zone := z.Zone
		if !z.Name.IsZero() {
			zone = z.Name.String()
		}
		rows = append(rows, []string{z.Provider, zone, listed, z.Managed, strconv.Itoa(z.Owned), strconv.Itoa(z.Foreign), note})
	}
	a.term.Table([]string{"PROVIDER", "ZONE", "LISTED", "MANAGED BY", "OURS", "OTHERS", "NOTE"}, rows)
	return nil
}

func (a *app) zonesImportCommand() *cobra.Command {
	var provider string
	c := &cobra.Command{
		Use:   "import DOMAIN...",
		Short: "print what others have put into zones as entries of a domain file",
		Long: "Prints what isn't ours in the domains' zones as entries of a domain file, with\n" +
			"records: to keep. What is declared that way plans to nothing.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			only, err := domains(c, args)
			if err != nil {
				return err
			}
			r, err := a.open(c)
			if err != nil {
				return err
			}
			defer r.Close()
			for _, n := range only {
				d, err := entryOf(r, n, provider)
				if err != nil {
					return err
				}
				zone, err := r.Zones.ObserveFull(c.Context(), d)
				if err != nil {
					return err
				}
				if zone.Missing {
					return hinted("provider "+d.Provider+" has no zone "+n.String(), "domherre zones list shows what the providers have")
				}
				a.term.Entry(d, r.Config.Providers[0].Name, portfolio.Foreign(zone))
			}
			return nil
		},
	}
	c.Flags().StringVar(&provider, "provider", "", "`NAME` of the provider that has the zones, for domains that aren't listed yet")
	return c
}

// entryOf gives a domain's entry; that of one which isn't listed yet is what a
// bare name in the domain file would make.
func entryOf(r *wire.Rooms, n portfolio.Name, provider string) (portfolio.Domain, error) {
	for _, d := range r.Config.Portfolio.Domains {
		if d.Name == n {
			return d, nil
		}
	}
	if provider == "" {
		provider = r.Config.Providers[0].Name
	}
	for _, p := range r.Config.Providers {
		if p.Name == provider {
			return portfolio.Domain{Name: n, Provider: provider, DNS: r.Config.DNS}, nil
		}
	}
	return portfolio.Domain{}, hinted("there is no provider "+provider+" in the config", "the first is "+r.Config.Providers[0].Name)
}
