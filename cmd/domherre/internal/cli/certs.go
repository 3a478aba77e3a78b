package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/wire"
	"domherre/tls"
)

func (a *app) certsCommand() *cobra.Command {
	c := &cobra.Command{Use: "certs", Short: "the certificates"}
	c.AddCommand(a.certsListCommand(), a.certsPlanCommand(), a.certsRenewCommand(), a.certsExportCommand(), a.certsRevokeCommand())
	return c
}

// openCerts opens the rooms and reads the inventory, domains that are leaving
// included. Close the rooms in the end.
func (a *app) openCerts(c *cobra.Command, open func(*cobra.Command) (*wire.Rooms, error)) (*wire.Rooms, error) {
	r, err := open(c)
	if err != nil {
		return nil, err
	}
	leaving, err := r.Leaving(c.Context())
	if err == nil {
		err = r.LoadCerts(c.Context(), leaving)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (a *app) certsListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "list the certificates, with when each is renewed",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := a.openCerts(c, a.openToRead)
			if err != nil {
				return err
			}
			defer r.Close()
			return a.showCerts(wire.Inventory(r.Config, r.Certs))
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
