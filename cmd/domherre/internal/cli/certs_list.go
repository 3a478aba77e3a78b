package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/term"
	"domherre/cmd/domherre/internal/wire"
)

func (a *app) certsListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "list the certificates, with when each is renewed, and what waits for one",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			doc, err := a.certificates(c)
			if err != nil {
				return err
			}
			return a.showCerts(doc)
		},
	}
	a.reports(c)
	return c
}

// certificates asks the daemon, which knows what each waits for, else the state.
func (a *app) certificates(c *cobra.Command) (wire.CertificateList, error) {
	cfg, err := a.load(c)
	if err != nil {
		return wire.CertificateList{}, err
	}
	var doc wire.CertificateList
	if askDaemon(c.Context(), cfg, "certificates", &doc) == nil && doc.Portfolio == cfg.Portfolio.ID {
		return doc, nil
	}
	r, err := a.openCerts(c, a.openToRead)
	if err != nil {
		return wire.CertificateList{}, err
	}
	defer r.Close()
	doc = wire.CertificatesJSON(r.Config, r.Certs, r.Now())
	if seen, ok, err := wire.LoadStatus(c.Context(), r.Store, cfg.Portfolio.ID); err == nil && ok {
		doc.Explain(seen)
	}
	return doc, nil
}

func (a *app) showCerts(doc wire.CertificateList) error {
	if a.json() {
		return a.term.JSON(doc)
	}
	rows := make([][]string, 0, len(doc.Certificates))
	for _, c := range doc.Certificates {
		rows = append(rows, []string{
			strings.Join(c.Names, " "), c.Issuer, c.NotAfter.Format(time.DateOnly), c.RenewAt.Format(time.DateOnly), c.LastError})
	}
	a.term.Table([]string{"NAMES", "ISSUER", "NOT AFTER", "RENEWS", "LAST ERROR"}, rows)
	if len(doc.Waiting) == 0 {
		return nil
	}
	rows = rows[:0]
	for _, w := range doc.Waiting {
		next := ""
		if w.NextTry != nil {
			next = w.NextTry.UTC().Format("2006-01-02 15:04 UTC")
		}
		rows = append(rows, []string{term.Both(w.Domain, w.ASCII), w.State, next, firstOf(w.Waiting, w.LastError, "an order by the daemon, or by certs renew")})
	}
	a.term.Printf("\n")
	a.term.Table([]string{"WAITING", "STATE", "NEXT TRY", "FOR"}, rows)
	return nil
}
