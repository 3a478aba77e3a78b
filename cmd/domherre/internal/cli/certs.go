package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/wire"
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
