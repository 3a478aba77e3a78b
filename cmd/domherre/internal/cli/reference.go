package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/term"
	"domherre/config"
	"domherre/dnsprovider"
)

func (a *app) providersCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "providers [TYPE]",
		Short: "list the types of DNS providers, or one type's settings with an example",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			types := dnsprovider.Types()
			if len(args) == 0 {
				return a.showTypes(types)
			}
			for _, t := range types {
				if t.Name == args[0] {
					return a.showType(t)
				}
			}
			return &exit{exitUsage, hinted("there is no provider type "+args[0], "domherre providers lists them")}
		},
	}
	a.reports(c)
	return c
}

func (a *app) showTypes(types []dnsprovider.Type) error {
	if a.json() {
		doc := struct {
			Version int            `json:"version"`
			Types   []providerType `json:"types"`
		}{1, []providerType{}}
		for _, t := range types {
			doc.Types = append(doc.Types, providerTypeOf(t))
		}
		return a.term.JSON(doc)
	}
	rows := make([][]string, 0, len(types))
	for _, t := range types {
		rows = append(rows, []string{t.Name, t.Summary})
	}
	a.term.Table([]string{"TYPE", "WHAT IT IS"}, rows)
	return nil
}

func (a *app) showType(t dnsprovider.Type) error {
	if a.json() {
		return a.term.JSON(struct {
			Version int `json:"version"`
			providerType
		}{1, providerTypeOf(t)})
	}
	a.term.Printf("%s: %s\n%s\n\n", t.Name, t.Summary, t.Home)
	rows := make([][]string, 0, len(t.Settings))
	for _, s := range t.Settings {
		rows = append(rows, []string{s.Key, s.Kind, settingNotes(s)})
	}
	a.term.Table([]string{"SETTING", "KIND", "WHAT IT IS"}, rows)
	for _, note := range typeNotes(t) {
		a.term.Printf("\nNote: %s.", note)
	}
	a.term.Printf("\n\nproviders:\n%s", indent(t.Example()))
	return nil
}

// typeNotes are what there is to know of a type beside its settings.
func typeNotes(t dnsprovider.Type) []string {
	notes := slices.Clone(t.Cannot)
	if len(t.Unsupported) > 0 {
		notes = append(notes, "left out of plans: "+strings.ReplaceAll(strings.Join(t.Unsupported, ", "), "MX 0 .", "a null MX"))
	}
	switch {
	case len(t.TTLs) == 1:
		notes = append(notes, fmt.Sprintf("every TTL is %d seconds", t.TTLs[0]))
	case len(t.TTLs) > 0:
		notes = append(notes, "TTLs are raised to one of "+strings.Trim(fmt.Sprint(t.TTLs), "[]")+" seconds")
	case t.MinTTL > 0:
		notes = append(notes, fmt.Sprintf("TTLs are at least %d seconds", t.MinTTL))
	}
	switch {
	case t.Creates:
		notes = append(notes, "a zone that is missing is created")
	case t.CreatesBy != "":
		notes = append(notes, "a zone that is missing is created where "+t.CreatesBy+" is set; else add it at the vendor first")
	default:
		notes = append(notes, "a zone that is missing isn't created: add it there first")
	}
	limits := "limits unless the config says otherwise: " + term.Count(t.Limits.Concurrency, "request") + " at once"
	if rate := t.Limits.RequestsPerSecond; rate > 0 {
		limits += fmt.Sprintf(", %g a second", rate)
	}
	return append(notes, fmt.Sprintf("%s, each for %s at most, tried up to %d times more", limits, t.Limits.Timeout, t.Limits.Retries))
}

// providerType is the JSON of a type.
type providerType struct {
	Name     string            `json:"name"`
	Home     string            `json:"home"`
	Summary  string            `json:"summary"`
	Cannot   []string          `json:"cannot"`  // never null
	MinTTL   uint32            `json:"min_ttl"` // seconds
	TTLs     []uint32          `json:"ttls"`    // the only ones, in seconds; empty, but never null: any
	LeftOut  []string          `json:"left_out"`
	Creates  bool              `json:"creates_zones"`    // that are missing
	By       string            `json:"creates_zones_by"` // the setting that it takes, else empty
	Limits   providerLimits    `json:"limits"`
	Settings []providerSetting `json:"settings"`
	Example  string            `json:"example"` // YAML, an entry of providers:
}

type providerLimits struct {
	Concurrency       int     `json:"concurrency"`
	RequestsPerSecond float64 `json:"requests_per_second"` // 0: any
	Timeout           string  `json:"timeout"`
	Retries           int     `json:"retries"`
}

type providerSetting struct {
	Key      string `json:"key"`
	Kind     string `json:"kind"`
	Doc      string `json:"doc"`
	Default  string `json:"default"`
	Example  string `json:"example"`
	Required bool   `json:"required"`
	Secret   bool   `json:"secret"`
}

func providerTypeOf(t dnsprovider.Type) providerType {
	out := providerType{
		Name: t.Name, Home: t.Home, Summary: t.Summary, Cannot: append([]string{}, t.Cannot...), MinTTL: t.MinTTL,
		TTLs: append([]uint32{}, t.TTLs...), LeftOut: append([]string{}, t.Unsupported...), Creates: t.Creates, By: t.CreatesBy,
		Limits:   providerLimits{t.Limits.Concurrency, t.Limits.RequestsPerSecond, t.Limits.Timeout.String(), t.Limits.Retries},
		Settings: []providerSetting{}, Example: t.Example(),
	}
	for _, s := range t.Settings {
		out.Settings = append(out.Settings, providerSetting{s.Key, s.Kind, s.Doc, s.Default, s.Example, s.Required, s.Secret})
	}
	return out
}

func settingNotes(s dnsprovider.Setting) string {
	notes := s.Doc
	if s.Required {
		notes += " (required)"
	}
	if s.Default != "" {
		notes += " (default " + s.Default + ")"
	}
	if s.Secret {
		notes += " (secret: write ${env:NAME} or ${file:PATH})"
	}
	return notes
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("  " + line)
	}
	return b.String()
}

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "schema [config|domains]",
		Short:     "print the JSON Schema of the config file, or of domain files",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"config", "domains"},
		RunE: func(_ *cobra.Command, args []string) error {
			name := config.MainSchema
			if len(args) == 1 && args[0] == "domains" {
				name = config.DomainsSchema
			}
			a.term.Printf("%s", config.Schemas()[name])
			return nil
		},
	}
}
