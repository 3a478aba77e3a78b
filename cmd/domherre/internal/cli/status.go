package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"domherre/check"
	"domherre/cmd/domherre/internal/wire"
	"domherre/config"
	"domherre/portfolio"
)

func (a *app) statusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "status [DOMAIN...]",
		Short: "say which domains are live, and what must be done about the others",
		Long:  "Says which domains are live, and what must be done about the others: as the daemon\nsees it where one runs, else as it was seen last.",
		RunE: func(c *cobra.Command, args []string) error {
			only, err := domains(c, args)
			if err != nil {
				return err
			}
			cfg, err := a.load(c)
			if err != nil {
				return err
			}
			report, err := a.status(c.Context(), cfg)
			if err != nil {
				return err
			}
			if report, err = selected(report, only); err != nil {
				return err
			}
			return a.showStatus(report)
		},
	}
	a.reports(c)
	return c
}

// status asks the daemon, else the store.
func (a *app) status(ctx context.Context, cfg *config.Config) (check.Report, error) {
	report, err := askStatus(ctx, cfg)
	if err == nil {
		return report, nil
	}
	store, storeErr := wire.OpenStateDegraded(ctx, cfg, a.logger(cfg))
	if storeErr != nil {
		return check.Report{}, storeErr
	}
	defer store.Close()
	report, ok, storeErr := wire.LoadStatus(ctx, store, cfg.Portfolio.ID)
	if storeErr != nil {
		return check.Report{}, storeErr
	}
	if !ok {
		return check.Report{}, hinted(fmt.Sprintf("nothing is known yet: no daemon answers (%v), and none has run with this state", err),
			"domherre check looks now; domherre run starts the daemon")
	}
	hits := wire.HitStore{Store: store, Portfolio: cfg.Portfolio.ID, Log: a.logger(cfg)}
	if err := hits.LoadHits(ctx, report.Domains, time.Now().Format(time.DateOnly)); err != nil {
		return check.Report{}, err
	}
	a.term.Notef("no daemon answers on %s: this is what was seen last", cfg.Listen.Admin)
	return report, nil
}

// askStatus asks the daemon that listens where the config says, and believes
// only one of the same portfolio.
func askStatus(ctx context.Context, cfg *config.Config) (check.Report, error) {
	var report check.Report
	err := askDaemon(ctx, cfg, "status", &report)
	if err == nil && report.Portfolio != cfg.Portfolio.ID {
		err = fmt.Errorf("on %s, where another portfolio's does", cfg.Listen.Admin)
	}
	return report, err
}

// askDaemon asks the daemon for something of its API.
func askDaemon(ctx context.Context, cfg *config.Config, what string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+local(cfg.Listen.Admin)+"/api/v1/"+what, nil)
	if err != nil {
		return err
	}
	if !cfg.Admin.Token.IsZero() {
		req.Header.Set("Authorization", "Bearer "+cfg.Admin.Token.Reveal())
	}
	resp, err := (&http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return fmt.Errorf("on %s", cfg.Listen.Admin)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("on %s: %s", cfg.Listen.Admin, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("on %s: %w", cfg.Listen.Admin, err)
	}
	return nil
}

// local gives the address by which a listener is reached from this machine.
func local(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || host != "" && !net.ParseIP(host).IsUnspecified() {
		return listen
	}
	return net.JoinHostPort("localhost", port)
}

// selected leaves the named domains in a report.
func selected(r check.Report, only []portfolio.Name) (check.Report, error) {
	if len(only) == 0 {
		return r, nil
	}
	all := r.Domains
	r.Domains = nil
	for _, n := range only {
		i := slices.IndexFunc(all, func(d check.DomainStatus) bool { return d.ASCII == n.ASCII() })
		if i < 0 {
			return r, hinted(n.String()+" is not in the portfolio, or hasn't been looked at yet", "domherre status lists what is known")
		}
		r.Domains = append(r.Domains, all[i])
	}
	return r, nil
}

func (a *app) showStatus(r check.Report) error {
	if r.Domains == nil {
		r.Domains = []check.DomainStatus{}
	}
	if a.json() {
		return a.term.JSON(r)
	}
	a.term.Status(r)
	return nil
}
