package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/term"
	"domherre/cmd/domherre/internal/wire"
	"domherre/config"
	"domherre/portfolio"
	"domherre/tls"
)

// renewPatience is how long certs renew tries what fails and waits for what
// must wait unless told, before it leaves that to its next run.
const renewPatience = time.Minute

func (a *app) certsRenewCommand() *cobra.Command {
	var force, all bool
	var patience time.Duration
	c := &cobra.Command{
		Use:   "renew [DOMAIN...]",
		Short: "order what is due now, then exit: for a timer; beside a daemon nothing is ordered twice",
		Long: "Orders the certificates that are due, by the daemon's own rules, then exits: for a\ntimer where no daemon runs. Beside a daemon nothing is ordered twice. What must wait\n" +
			"for its turn at the CA is left for the next run.\n\nExits with 0 when nothing failed, 3 when some failed, 1 when all did.",
		RunE: func(c *cobra.Command, args []string) error {
			only, err := domains(c, args)
			if err != nil {
				return err
			}
			switch {
			case all && len(only) > 0:
				return usage(c, "--all and domains exclude each other")
			case force && !all && len(only) == 0:
				return usage(c, "--force takes the domains whose certificates are to be replaced, or --all")
			}
			r, err := a.openCerts(c, a.open)
			if err != nil {
				return err
			}
			defer r.Close()
			done, err := a.renew(c.Context(), r, only, force, patience)
			if err != nil {
				return err
			}
			return a.showRenewed(r.Config, done)
		},
	}
	a.reports(c)
	c.Flags().BoolVar(&force, "force", false, "replace certificates that aren't due as well")
	c.Flags().BoolVar(&all, "all", false, "every domain; this is what happens where none is named, but --force wants it said")
	c.Flags().DurationVar(&patience, "patience", renewPatience, "how long to go on trying what fails or must wait")
	return c
}

// renew answers challenges meanwhile, where the daemon doesn't.
func (a *app) renew(ctx context.Context, r *wire.Rooms, only []portfolio.Name, force bool, patience time.Duration) ([]tls.Renewed, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if r.AnswersChallenges() {
		if err := r.Certs.ListenForChallenges(ctx); err != nil {
			return nil, hinted(err.Error(), "run it as the user that may open the port, or beside the daemon, or use challenge: dns-01")
		}
	}
	e := tls.Errand{Force: force, Patience: patience}
	for _, n := range only {
		e.Domains = append(e.Domains, n.ASCII())
	}
	return r.Certs.Renew(ctx, e)
}

func (a *app) showRenewed(cfg *config.Config, done []tls.Renewed) error {
	doc := wire.RenewalsJSON(cfg, done)
	if a.json() {
		if err := a.term.JSON(doc); err != nil {
			return err
		}
		return renewExit(doc)
	}
	for _, c := range doc.Certificates {
		switch name := term.Both(c.Domain, c.ASCII); c.Outcome {
		case tls.Issued:
			a.term.Printf("%s: issued by %s, valid until %s\n", name, c.Issuer, c.NotAfter.Format("2006-01-02"))
		case tls.Waits:
			a.term.Printf("%s: waits: %s\n", name, c.Waiting)
		case tls.Failed:
			a.term.Printf("%s: failed: %s\n", name, strings.TrimPrefix(firstOf(c.LastError, c.Waiting), name+": "))
		}
	}
	a.term.Printf("%s: %d issued, %d not due, %d waiting, %d failed.\n", term.Count(len(doc.Certificates), "certificate"),
		doc.Summary[tls.Issued], doc.Summary[tls.Kept], doc.Summary[tls.Waits], doc.Summary[tls.Failed])
	return renewExit(doc)
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return "it isn't known why"
}

func renewExit(doc wire.RenewalList) error {
	switch failed := doc.Summary[tls.Failed]; {
	case failed == 0:
		return nil
	case failed == len(doc.Certificates):
		return &exit{code: exitFailed}
	}
	return &exit{code: exitPartly}
}

// failedOf joins why certificates failed.
func failedOf(done []tls.Renewed) error {
	var errs []error
	for _, r := range done {
		if r.Outcome != tls.Issued {
			errs = append(errs, errors.New(firstOf(r.LastError, r.Waiting)))
		}
	}
	return errors.Join(errs...)
}
