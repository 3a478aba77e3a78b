package config

import (
	"encoding/csv"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"domherre/portfolio"
)

// Export writes the domains as a table with a byte-order mark, without which
// Excel takes it for Windows-1252. comma stands between the columns: a
// spreadsheet that counts with decimal commas wants semicolons. What a domain
// has from the common settings is left empty, so that a table that is read
// again says the same.
func (c *Config) Export(w io.Writer, comma rune) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	table := csv.NewWriter(w)
	table.Comma = comma
	rows := [][]string{columns}
	for _, d := range c.Portfolio.Domains {
		rows = append(rows, c.row(d))
	}
	return table.WriteAll(rows)
}

func (c *Config) row(d portfolio.Domain) []string {
	frontend, provider, paused := d.Frontend, d.Provider, ""
	if frontend == c.Frontend {
		frontend = ""
	}
	if provider == c.Providers[0].Name {
		provider = ""
	}
	if d.Paused {
		paused = strconv.FormatBool(true)
	}
	return []string{
		d.Name.Unicode(), UnicodeURL(frontend), provider, d.Note, d.Owner, strings.Join(d.Tags, ", "),
		d.Registrar, dateText(d.Expires), dateText(d.Launch), paused,
	}
}

// dateText writes a date as a domain file takes it.
func dateText(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case t.Equal(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())):
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}

// UnicodeURL shows a URL of the configuration, whose host is held as A-labels,
// as people write it.
func UnicodeURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	host, err := idna.Lookup.ToUnicode(u.Hostname())
	if err != nil {
		return s
	}
	return strings.Replace(s, u.Hostname(), host, 1)
}
