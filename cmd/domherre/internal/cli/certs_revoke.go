package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"domherre/portfolio"
	"domherre/tls"
)

func (a *app) certsRevokeCommand() *cobra.Command {
	var reason string
	var now, yes bool
	c := &cobra.Command{
		Use:   "revoke DOMAIN",
		Short: "replace a domain's certificate, then revoke the old one; asks first on a terminal",
		Long: "Replaces a domain's certificate, then revokes the old one: when its key may have been\nseen by others. Where it can't be replaced nothing is revoked, unless --now says so.\n\n" +
			"Reasons: " + strings.Join(reasons(), ", ") + ".",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			only, err := domains(c, args)
			if err != nil {
				return err
			}
			code, ok := tls.Reasons[reason]
			if !ok {
				return usage(c, "--reason takes one of "+strings.Join(reasons(), ", ")+", not "+reason)
			}
			return a.revoke(c, only[0], code, now, yes)
		},
	}
	c.Flags().StringVar(&reason, "reason", "unspecified", "told to the CA: "+strings.Join(reasons(), ", "))
	c.Flags().BoolVar(&now, "now", false, "revoke at once, and leave it to the daemon to replace it")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "don't ask")
	return c
}

func reasons() []string { return slices.Sorted(maps.Keys(tls.Reasons)) }

func (a *app) revoke(c *cobra.Command, name portfolio.Name, reason int, now, yes bool) error {
	r, err := a.openCerts(c, a.open)
	if err != nil {
		return err
	}
	defer r.Close()
	held := r.Certs.Held(name.ASCII())
	if len(held) == 0 {
		return hinted(name.String()+" has no certificate", "domherre certs list shows those there are")
	}
	if !yes {
		if !a.term.Interactive() {
			return hinted("a certificate that is revoked never works again", "say --yes where nobody can be asked")
		}
		if !a.term.Ask(fmt.Sprintf("Revoke the certificate of %s for good?", name)) {
			return &exit{exitFailed, hinted("nothing was revoked", "")}
		}
	}
	if !now {
		done, err := a.renew(c.Context(), r, []portfolio.Name{name}, true, renewPatience)
		if err == nil {
			err = failedOf(done)
		}
		if err != nil {
			return hinted("nothing was revoked, since there is no replacement: "+err.Error(), "--now revokes it all the same; until there is another, the domain has no certificate that counts")
		}
	}
	if err := r.Certs.Revoke(c.Context(), held, reason); err != nil {
		return err
	}
	if now {
		a.term.Printf("%s: revoked; a daemon replaces it within seconds, else certs renew does.\n", name)
		return nil
	}
	a.term.Printf("%s: replaced, and the old one revoked.\n", name)
	return nil
}
