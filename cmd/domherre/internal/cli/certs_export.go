package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/term"
	"domherre/cmd/domherre/internal/wire"
)

func (a *app) certsExportCommand() *cobra.Command {
	var x wire.CertificateExport
	c := &cobra.Command{
		Use:   "export --to DIR",
		Short: "write the certificates and keys as PEM files for other servers",
		Long: "Writes the certificates and their keys as PEM files for other servers: only what has\nchanged, readable by the owner alone, each in one step. Then it runs --exec, once, if\n" +
			"anything has changed: to have the server read them again.\n\nLayouts: nginx is DIR/DOMAIN/fullchain.pem and privkey.pem; haproxy is DIR/DOMAIN.pem with both.",
		Example: "  domherre certs export --to /etc/nginx/certs --exec 'nginx -s reload'\n  domherre certs export --to /etc/haproxy/certs --layout haproxy --exec 'systemctl reload haproxy'",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case x.Dir == "":
				return usage(c, "--to names no folder")
			case !slices.Contains(wire.Layouts, x.Layout):
				return usage(c, "--layout takes "+strings.Join(wire.Layouts, " or ")+", not "+x.Layout)
			}
			return a.exportCerts(c, x)
		},
	}
	a.reports(c)
	c.Flags().StringVar(&x.Dir, "to", "", "the folder to write to")
	c.Flags().StringVar(&x.Layout, "layout", wire.LayoutNginx, strings.Join(wire.Layouts, " or "))
	c.Flags().StringVar(&x.Exec, "exec", "", "a command for sh, run once if anything has changed")
	return c
}

func (a *app) exportCerts(c *cobra.Command, x wire.CertificateExport) error {
	r, err := a.openCerts(c, a.openToRead)
	if err != nil {
		return err
	}
	defer r.Close()
	held := r.Certs.Held("")
	x.Output = a.env.Err
	changed, executed, err := x.Write(c.Context(), held)
	if err != nil {
		return err
	}
	if a.json() {
		return a.term.JSON(struct {
			Version   int      `json:"version"`
			To        string   `json:"to"`
			Changed   []string `json:"changed"`
			Unchanged int      `json:"unchanged"`
			Executed  bool     `json:"executed"`
		}{1, x.Dir, append([]string{}, changed...), len(held) - len(changed), executed})
	}
	a.term.Printf("%s in %s: %d written, %d unchanged.\n", term.Count(len(held), "certificate"), x.Dir, len(changed), len(held)-len(changed))
	return nil
}
