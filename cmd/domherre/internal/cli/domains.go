package cli

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"domherre/config"
	"domherre/portfolio"
)

func (a *app) domainsCommand() *cobra.Command {
	c := &cobra.Command{Use: "domains", Short: "the list of domains, and changes to its files"}
	c.AddCommand(a.domainsListCommand(), a.domainsAddCommand(), a.domainsRemoveCommand(), a.domainsImportCommand(), a.domainsExportCommand())
	return c
}

// listedDomain is a domain in the contract's JSON.
type listedDomain struct {
	Domain   string     `json:"domain"`
	ASCII    string     `json:"ascii"`
	File     string     `json:"file"`
	Line     int        `json:"line"`
	Frontend string     `json:"frontend"`
	Provider string     `json:"provider"`
	Note     string     `json:"note"`
	Owner    string     `json:"owner"`
	Tags     []string   `json:"tags"`   // never null
	Launch   *time.Time `json:"launch"` // null where no date is set
	Paused   bool       `json:"paused"`
}

func (a *app) domainsListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "list the domains, with where each is written and where it leads",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.load(c)
			if err != nil {
				return err
			}
			if a.json() {
				return a.term.JSON(listed(cfg.Portfolio.Domains))
			}
			a.term.Domains(cfg.Portfolio.Domains)
			return nil
		},
	}
	a.reports(c)
	return c
}

func listed(domains []portfolio.Domain) any {
	doc := struct {
		Version int            `json:"version"`
		Domains []listedDomain `json:"domains"`
	}{1, []listedDomain{}}
	for _, d := range domains {
		l := listedDomain{
			Domain: d.Name.Unicode(), ASCII: d.Name.ASCII(), File: d.Source.File, Line: d.Source.Line, Frontend: d.Frontend,
			Provider: d.Provider, Note: d.Note, Owner: d.Owner, Tags: append([]string{}, d.Tags...), Paused: d.Paused,
		}
		if !d.Launch.IsZero() {
			l.Launch = &d.Launch
		}
		doc.Domains = append(doc.Domains, l)
	}
	return doc
}

func (a *app) domainsAddCommand() *cobra.Command {
	var file string
	var like config.Addition
	c := &cobra.Command{
		Use:   "add NAME...",
		Short: "put domains at the end of a domain file",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			names, err := domains(c, args)
			if err != nil {
				return err
			}
			places := a.places(c)
			var add []config.Addition
			for i, n := range names {
				if at, there := places[n]; there {
					return &exit{exitFailed, hinted(fmt.Sprintf("%s is on the list already: %s", n, placeOf(at)), "nothing was written")}
				}
				if slices.Contains(names[:i], n) {
					return usage(c, n.String()+" is named twice")
				}
				d := like
				d.Name = n
				add = append(add, d)
			}
			return a.add(c, file, add)
		},
	}
	c.Flags().StringVar(&file, "file", "", "the domain `FILE` to write to (default: the first)")
	c.Flags().StringVar(&like.Note, "note", "", "a remark for people")
	c.Flags().StringVar(&like.Frontend, "frontend", "", "the `URL` to lead to, if not where all do")
	return c
}

// places gives where each domain is declared; nothing where the config is
// broken, which is told once the change is tried.
func (a *app) places(c *cobra.Command) map[portfolio.Name]portfolio.Source {
	cfg, _ := config.Load(a.config, a.loadOptions(c))
	places := make(map[portfolio.Name]portfolio.Source, len(cfg.Portfolio.Domains))
	for _, d := range cfg.Portfolio.Domains {
		places[d.Name] = d.Source
	}
	return places
}

func placeOf(at portfolio.Source) string {
	return config.Problem{File: at.File, Line: at.Line, Column: at.Column}.Place()
}

func (a *app) add(c *cobra.Command, file string, add []config.Addition) error {
	edit, problems := config.PrepareAdd(a.config, a.loadOptions(c), file, add)
	if err := a.write(problems, edit); err != nil {
		return err
	}
	for _, d := range add {
		a.term.Printf("%s: added %s\n", edit.File, d.Name)
	}
	return nil
}

// write carries out edits, unless the files would not be good then.
func (a *app) write(problems config.Problems, edits ...config.Edit) error {
	if problems.Err() != nil {
		a.term.Problems(a.term.Err, problems.Errors())
		return &exit{exitConfig, fmt.Errorf("nothing was written: with this change, the files would have these faults")}
	}
	a.term.Problems(a.term.Err, problems)
	for _, e := range edits {
		if err := e.Write(); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) domainsRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME...",
		Short: "take domains off the list",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			names, err := domains(c, args)
			if err != nil {
				return err
			}
			places := a.places(c)
			for _, n := range names {
				if _, there := places[n]; !there && len(places) > 0 {
					return hinted(n.String()+" isn't on the list: nothing was written", "domherre domains list shows it")
				}
			}
			edits, problems := config.PrepareRemove(a.config, a.loadOptions(c), names)
			if err := a.write(problems, edits...); err != nil {
				return err
			}
			for _, n := range names {
				a.term.Printf("removed %s\n", n)
			}
			a.term.Notef("their records stay, and lead here, until apply --prune")
			a.term.Warn("a domain whose registration lapses can be caught by anybody, and visitors and old links still find it",
				"keep it registered for years after the campaign, even without records")
			return nil
		},
	}
}

func (a *app) domainsImportCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "import FILE.csv",
		Short: "put the domains of a spreadsheet at the end of a domain file",
		Long:  "Puts the domains of a spreadsheet, saved as CSV, at the end of a domain file.\nDomains that are on the list already stay as they are.",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			all, problems := config.ReadTable(args[0], a.loadOptions(c))
			a.term.Problems(a.term.Err, problems)
			if problems.Err() != nil {
				return &exit{code: exitConfig}
			}
			places := a.places(c)
			var add []config.Addition
			for _, d := range all {
				if at, there := places[d.Name]; there {
					a.term.Notef("%s is on the list already: %s", d.Name, placeOf(at))
				} else {
					add = append(add, d)
				}
			}
			if len(add) == 0 {
				a.term.Notef("nothing to add")
				return nil
			}
			return a.add(c, file, add)
		},
	}
	c.Flags().StringVar(&file, "file", "", "the domain `FILE` to write to (default: the first)")
	return c
}

func (a *app) domainsExportCommand() *cobra.Command {
	var semicolon bool
	c := &cobra.Command{
		Use:   "export",
		Short: "print the list as CSV, for a spreadsheet",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.load(c)
			if err != nil {
				return err
			}
			comma := ','
			if semicolon {
				comma = ';'
			}
			return cfg.Export(a.term.Out, comma)
		},
	}
	c.Flags().BoolVar(&semicolon, "semicolon", false, "separate columns by semicolons, as a Swedish Excel wants it")
	return c
}
