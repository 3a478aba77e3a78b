package cli

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/term"
	"domherre/cmd/domherre/internal/wire"
	"domherre/tls"
)

func (a *app) certsPlanCommand() *cobra.Command {
	var more int
	c := &cobra.Command{
		Use:   "plan",
		Short: "say when the certificates that are due can be ordered, within what the CAs allow",
		Long:  "Says when the certificates that are due can be ordered, within what the CAs allow.\nIt orders nothing, and asks no CA.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if more < 0 {
				return usage(c, "--more takes a number of domains")
			}
			r, err := a.openCerts(c, a.openToRead)
			if err != nil {
				return err
			}
			defer r.Close()
			f, err := r.Certs.Forecast(c.Context(), more)
			if err != nil {
				return err
			}
			if a.json() {
				return a.term.JSON(wire.ForecastJSON(f))
			}
			a.showForecast(f)
			return nil
		},
	}
	a.reports(c)
	c.Flags().IntVar(&more, "more", 0, "as if so many domains were added")
	return c
}

func (a *app) showForecast(f tls.Forecast) {
	rows := make([][]string, 0, len(f.Allowances))
	for _, i := range f.Allowances {
		row := []string{i.Issuer, "no limit is known", ""}
		if i.Orders != (tls.Limit{}) {
			row = []string{i.Issuer, i.Orders.String(), strconv.Itoa(i.Left)}
		}
		rows = append(rows, row)
	}
	a.term.Table([]string{"ISSUER", "ORDERS", "LEFT NOW"}, rows)
	a.term.Printf("\n")
	if len(f.Turns) == 0 {
		a.term.Printf("Nothing is due: %s kept.\n", term.Count(f.Kept, "certificate"))
		return
	}
	a.term.Table([]string{"WHEN", "ORDERS", "DONE"}, schedule(f))
	a.term.Printf("\n")
	last := f.Turns[len(f.Turns)-1].At
	when := "all of them now"
	if last.After(f.Now) {
		when = fmt.Sprintf("the last one about %s, in %s", last.UTC().Format("2006-01-02 15:04 UTC"), roughly(last.Sub(f.Now)))
	}
	a.term.Printf("%s to order, %s; %d not due.\n", term.Count(len(f.Turns), "certificate"), when, f.Kept)
}

// schedule makes rows of the turns: by minute, or by whatever keeps them few.
func schedule(f tls.Forecast) [][]string {
	const few = 30
	var rows [][]string
	for _, grain := range []time.Duration{time.Minute, time.Hour, 24 * time.Hour} {
		rows = rows[:0]
		count := 0
		for i, t := range f.Turns {
			count++
			at := t.At.Truncate(grain)
			if i+1 < len(f.Turns) && f.Turns[i+1].At.Truncate(grain).Equal(at) {
				continue
			}
			when := "now"
			if t.At.After(f.Now) {
				when = at.UTC().Format("2006-01-02 15:04 UTC")
			}
			rows = append(rows, []string{when, strconv.Itoa(count), fmt.Sprintf("%d of %d", i+1, len(f.Turns))})
			count = 0
		}
		if len(rows) <= few {
			break
		}
	}
	return rows
}

// roughly writes a duration for people: "4d 3h", "9h 2m", "5m".
func roughly(d time.Duration) string {
	d = d.Round(time.Minute)
	days, hours, minutes := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60
	switch {
	case days > 0:
		return fmt.Sprintf("%dd %dh", days, hours)
	case hours > 0:
		return fmt.Sprintf("%dh %dm", hours, minutes)
	}
	return fmt.Sprintf("%dm", max(minutes, 1))
}
