package wire

import (
	"cmp"
	"context"
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strconv"

	"domherre/check"
	"domherre/portfolio"
	"domherre/redirect"
)

// HitsDoc is what `hits -o json` and the API give, the contract's JSON.
type HitsDoc struct {
	Version   int      `json:"version"`              // 1
	HideBelow int64    `json:"hide_below,omitempty"` // rows below it were left out
	Portfolio string   `json:"portfolio"`            // its ID
	Rows      []HitRow `json:"rows"`
}

// HitRow is one count.
type HitRow struct {
	Day    string `json:"day"`    // "" for all days
	Domain string `json:"domain"` // "" for all domains
	ASCII  string `json:"ascii"`
	Class  string `json:"class"` // "person" or "bot"
	Hits   int64  `json:"hits"`
}

// Name is the domain in both forms, where they differ.
func (r HitRow) Name() string {
	if r.Domain == r.ASCII {
		return r.Domain
	}
	return r.Domain + " (" + r.ASCII + ")"
}

// What rows may be summed by.
const (
	ByDay    = "day"
	ByDomain = "domain"
)

// NewHitsDoc lists counts by day, domain and class.
func NewHitsDoc(portfolioID string, days HitDays) HitsDoc {
	doc := HitsDoc{Version: 1, Portfolio: portfolioID, Rows: []HitRow{}}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		sum := Tally{}
		for _, tally := range days[day] {
			sum.Add(tally)
		}
		for _, ascii := range slices.Sorted(maps.Keys(sum)) {
			doc.add(HitRow{Day: day, Domain: unicodeName(ascii), ASCII: ascii}, sum[ascii])
		}
	}
	return doc
}

func (doc *HitsDoc) add(row HitRow, c HitCounts) {
	if row.Class, row.Hits = redirect.Person.String(), c.Person; row.Hits > 0 {
		doc.Rows = append(doc.Rows, row)
	}
	if row.Class, row.Hits = redirect.Bot.String(), c.Bot; row.Hits > 0 {
		doc.Rows = append(doc.Rows, row)
	}
}

// unicodeName shows a domain of the counts, which may have left the list.
func unicodeName(ascii string) string {
	if n, err := portfolio.ParseName(ascii); err == nil {
		return n.Unicode()
	}
	return ascii
}

// By sums the rows up by ByDay or ByDomain; "" leaves them as they are.
func (doc HitsDoc) By(what string) HitsDoc {
	if what == "" {
		return doc
	}
	sums := map[HitRow]int64{}
	for _, row := range doc.Rows {
		n := row.Hits
		row.Hits = 0
		if what == ByDay {
			row.Domain, row.ASCII = "", ""
		} else {
			row.Day = ""
		}
		sums[row] += n
	}
	doc.Rows = make([]HitRow, 0, len(sums))
	for row, n := range sums {
		row.Hits = n
		doc.Rows = append(doc.Rows, row)
	}
	slices.SortFunc(doc.Rows, HitRow.compare)
	return doc
}

// compare orders by day, domain and class, people first.
func (r HitRow) compare(o HitRow) int {
	return cmp.Or(cmp.Compare(r.Day, o.Day), cmp.Compare(r.ASCII, o.ASCII), cmp.Compare(o.Class, r.Class))
}

// Only leaves the rows of some domains; of all where none is named.
func (doc HitsDoc) Only(names []portfolio.Name) HitsDoc {
	if len(names) == 0 {
		return doc
	}
	doc.Rows = slices.DeleteFunc(slices.Clone(doc.Rows), func(r HitRow) bool {
		return !slices.ContainsFunc(names, func(n portfolio.Name) bool { return n.ASCII() == r.ASCII })
	})
	return doc
}

// Published leaves out rows with few hits, that could tell of single people.
// What is left out looks like none at all.
func (doc HitsDoc) Published(hideBelow int) HitsDoc {
	doc.HideBelow = int64(hideBelow)
	doc.Rows = slices.DeleteFunc(slices.Clone(doc.Rows), func(r HitRow) bool { return r.Hits < doc.HideBelow })
	return doc
}

// CSV writes the rows for a spreadsheet, with the byte-order mark that Excel
// needs.
func (doc HitsDoc) CSV(w io.Writer, comma rune) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma = comma
	rows := [][]string{{"day", "domain", "ascii", "class", "hits"}}
	for _, r := range doc.Rows {
		rows = append(rows, []string{r.Day, r.Domain, r.ASCII, r.Class, strconv.FormatInt(r.Hits, 10)})
	}
	return out.WriteAll(rows)
}

// FillHits enters counts in the statuses of domains.
func FillHits(domains []check.DomainStatus, total, today Tally) {
	for i := range domains {
		all, now := total[domains[i].ASCII], today[domains[i].ASCII]
		domains[i].Hits = check.Hits{Today: now.Sum(), Total: all.Sum(), PeopleToday: now.Person, PeopleTotal: all.Person}
	}
}

// LoadHits is FillHits with what the state holds.
func (s HitStore) LoadHits(ctx context.Context, domains []check.DomainStatus, today string) error {
	total, ofToday, err := (&HitSums{HitStore: s}).Read(ctx, today)
	if err == nil {
		FillHits(domains, total, ofToday)
	}
	return err
}
