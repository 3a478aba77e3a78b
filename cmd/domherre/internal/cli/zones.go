package cli

import (
	"context"
	"errors"
	"fmt"
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
			r, err := a.openToRead(c)
			if err != nil {
				return err
			}
			defer r.Close()
			zones, mute, err := r.SurveyZones(c.Context(), func(done, total int) { a.term.Progress("reading zones", done, total) })
			if err := a.showZones(zones); err != nil {
				return err
			}
			for _, provider := range mute {
				a.term.Notef("provider %s can't list its zones: those of the list alone were looked for", provider)
			}
			if err != nil {
				return &exit{exitPartly, errors.New(r.Config.Redact(err.Error()))}
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
			r, err := a.openToRead(c)
			if err != nil {
				return err
			}
			defer r.Close()
			return a.importZones(c.Context(), r, only, provider)
		},
	}
	c.Flags().StringVar(&provider, "provider", "", "`NAME` of the provider that has the zones, for domains that aren't listed yet")
	return c
}

// importZones prints what it can of the domains' zones, and tells what it can't.
func (a *app) importZones(ctx context.Context, r *wire.Rooms, names []portfolio.Name, provider string) error {
	var errs []error
	for _, n := range names {
		if err := a.importZone(ctx, r, n, provider); err != nil {
			errs = append(errs, err)
		}
	}
	switch {
	case len(errs) == 0:
		return nil
	case len(names) == 1:
		return errs[0]
	}
	for _, err := range errs {
		a.term.Error(err)
	}
	if len(errs) == len(names) {
		return &exit{code: exitFailed}
	}
	return &exit{code: exitPartly}
}

func (a *app) importZone(ctx context.Context, r *wire.Rooms, n portfolio.Name, provider string) error {
	d, err := entryOf(r, n, provider)
	if err != nil {
		return err
	}
	zone, err := r.Zones.ObserveFull(ctx, d)
	if err != nil {
		return fmt.Errorf("%s: %w", n, err)
	}
	if zone.Missing {
		return hinted("provider "+d.Provider+" has no zone "+n.String(), "domherre zones list shows what the providers have")
	}
	a.term.Entry(d, r.Config.Providers[0].Name, portfolio.Foreign(zone))
	return nil
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
