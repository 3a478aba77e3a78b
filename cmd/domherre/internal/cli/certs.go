package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/wire"
	"domherre/tls"
)

func (a *app) certsCommand() *cobra.Command {
	c := &cobra.Command{Use: "certs", Short: "the certificates"}
	c.AddCommand(a.certsListCommand())
	return c
}

func (a *app) certsListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "list the certificates, with when each is renewed",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := a.open(c)
			if err != nil {
				return err
			}
			defer r.Close()
			leaving, err := r.Leaving(c.Context())
			if err != nil {
				return err
			}
			if err := r.LoadCerts(c.Context(), leaving); err != nil {
				return err
			}
			return a.showCerts(r.Certs.Inventory())
		},
	}
	a.reports(c)
	return c
}

func (a *app) showCerts(inventory []tls.Entry) error {
	doc := wire.CertificatesJSON(inventory)
	if a.json() {
		return a.term.JSON(doc)
	}
	rows := make([][]string, 0, len(doc.Certificates))
	for _, c := range doc.Certificates {
		rows = append(rows, []string{
			strings.Join(c.Names, " "), c.Issuer, c.NotAfter.Format("2006-01-02"), c.RenewAt.Format("2006-01-02"), c.LastError})
	}
	a.term.Table([]string{"NAMES", "ISSUER", "NOT AFTER", "RENEWS", "LAST ERROR"}, rows)
	return nil
}
