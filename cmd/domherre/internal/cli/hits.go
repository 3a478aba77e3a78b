package cli

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/term"
	"domherre/cmd/domherre/internal/wire"
	"domherre/config"
	"domherre/portfolio"
	"domherre/redirect"
)

// hitOptions are the flags of hits.
type hitOptions struct {
	since, by          string
	publish, semicolon bool
}

func (a *app) hitsCommand() *cobra.Command {
	var o hitOptions
	c := &cobra.Command{
		Use:   "hits [DOMAIN...]",
		Short: "show how many visitors came, by day or by domain",
		Long: "Shows how many visitors came, of all nodes together: by day or by domain, people\n" +
			"apart from bots, as well as they can be told apart. Days begin at midnight of\n" +
			"this machine's time zone. JSON and CSV give every day and domain, unless --by\n" +
			"sums them up.",
		RunE: func(c *cobra.Command, args []string) error {
			only, err := domains(c, args)
			if err != nil {
				return err
			}
			return a.hits(c, only, o)
		},
	}
	a.reports(c, "csv")
	c.Flags().StringVar(&o.since, "since", "", "leave out what is older: a day such as 2026-11-01, or a number of days such as 30d, today among them")
	c.Flags().StringVar(&o.by, "by", "", "sum up by day or by domain (text: by day)")
	c.Flags().BoolVar(&o.publish, "publish", false, "leave out counts below hits.hide_below, which could tell of single people")
	c.Flags().BoolVar(&o.semicolon, "semicolon", false, "CSV: separate columns by semicolons, as a Swedish Excel wants it")
	_ = c.RegisterFlagCompletionFunc("by", cobra.FixedCompletions([]string{wire.ByDay, wire.ByDomain}, cobra.ShellCompDirectiveNoFileComp)) // fails for a flag that isn't there
	return c
}

func (a *app) hits(c *cobra.Command, only []portfolio.Name, o hitOptions) error {
	since, err := sinceDay(o.since, time.Now())
	if err != nil {
		return usage(c, err.Error())
	}
	if o.by != "" && o.by != wire.ByDay && o.by != wire.ByDomain {
		return usage(c, "--by takes day or domain, not "+o.by)
	}
	cfg, err := a.load(c)
	if err != nil {
		return err
	}
	doc, err := a.countedHits(c.Context(), cfg, since)
	if err != nil {
		return err
	}
	by := o.by
	if a.output == "text" {
		by = cmp.Or(by, wire.ByDay)
	}
	doc = doc.Only(only).By(by)
	if o.publish {
		doc = doc.Published(cfg.Hits.HideBelow)
	}
	switch {
	case a.json():
		return a.term.JSON(doc)
	case a.output == "csv" && o.semicolon:
		return doc.CSV(a.term.Out, ';')
	case a.output == "csv":
		return doc.CSV(a.term.Out, ',')
	}
	a.term.Hits(strings.ToUpper(by), hitLines(doc, by, !o.publish), doc.HideBelow)
	return nil
}

// sinceDay reads --since: "2026-11-01", or "30d" for today and the 29 days
// before it.
func sinceDay(text string, now time.Time) (string, error) {
	if text == "" {
		return "", nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.Format(time.DateOnly), nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(text, "d"))
	if err != nil || !strings.HasSuffix(text, "d") || n < 1 || n > 36500 {
		return "", errors.New("--since takes a day such as 2026-11-01 or a number of days such as 30d, not " + strconv.Quote(text))
	}
	return now.AddDate(0, 0, 1-n).Format(time.DateOnly), nil
}

// countedHits asks the daemon, else the store, where each daemon writes at
// least every 15 seconds.
func (a *app) countedHits(ctx context.Context, cfg *config.Config, since string) (wire.HitsDoc, error) {
	var doc wire.HitsDoc
	if err := askDaemon(ctx, cfg, "hits?since="+url.QueryEscape(since), &doc); err == nil && doc.Portfolio == cfg.Portfolio.ID {
		return doc, nil
	}
	store, err := wire.OpenStateDegraded(ctx, cfg, a.logger(cfg))
	if err != nil {
		return doc, err
	}
	defer store.Close()
	days, err := wire.HitStore{Store: store, Portfolio: cfg.Portfolio.ID, Log: a.logger(cfg)}.Load(ctx, since)
	return wire.NewHitsDoc(cfg.Portfolio.ID, days), err
}

// hitLines makes a line of each day or domain, days in their order, and domains
// with the most people first.
func hitLines(doc wire.HitsDoc, by string, gaps bool) []term.HitLine {
	var lines []term.HitLine
	for _, r := range doc.Rows {
		label := r.Day
		if by == wire.ByDomain {
			label = r.Name()
		}
		if n := len(lines); n == 0 || lines[n-1].Label != label {
			if gaps && by == wire.ByDay && n > 0 {
				lines = append(lines, daysBetween(lines[n-1].Label, label)...)
			}
			lines = append(lines, term.HitLine{Label: label})
		}
		if last := &lines[len(lines)-1]; r.Class == redirect.Person.String() {
			last.People = r.Hits
		} else {
			last.Bots = r.Hits
		}
	}
	if by == wire.ByDomain {
		slices.SortStableFunc(lines, func(a, b term.HitLine) int { return cmp.Compare(b.People, a.People) })
	}
	return lines
}

// daysBetween gives empty lines for the days between two on which nobody came.
func daysBetween(before, after string) []term.HitLine {
	var lines []term.HitLine
	day, err := time.Parse(time.DateOnly, before)
	for err == nil {
		day = day.AddDate(0, 0, 1)
		label := day.Format(time.DateOnly)
		if label >= after {
			break
		}
		lines = append(lines, term.HitLine{Label: label})
	}
	return lines
}
