package term

import (
	"strconv"
	"strings"
)

// HitLine is a line of the visitor counts.
type HitLine struct {
	Label        string // a day or a domain
	People, Bots int64
}

const barWidth = 40 // cells of the longest bar

// Hits writes visitor counts as a table with a bar for each line, people and
// bots apart. What is below hideBelow is told as that.
func (t *Term) Hits(heading string, lines []HitLine, hideBelow int64) {
	if len(lines) == 0 {
		t.Printf("No visits were counted.\n")
		return
	}
	var longest, people, bots int64
	for _, l := range lines {
		longest = max(longest, l.People+l.Bots)
		people, bots = people+l.People, bots+l.Bots
	}
	count := func(n int64) string {
		if n < hideBelow {
			return "<" + strconv.FormatInt(hideBelow, 10)
		}
		return number(int(n))
	}
	rows := make([][]string, 0, len(lines))
	for _, l := range lines {
		rows = append(rows, []string{l.Label, count(l.People), count(l.Bots), t.bar(l, longest)})
	}
	t.Table([]string{heading, "PEOPLE", "BOTS", ""}, rows)
	if hideBelow == 0 {
		t.Printf("\n%s by people, %s by bots.\n", Count(int(people), "visit"), number(int(bots)))
	}
}

// bar draws a line's counts to the scale of the longest.
func (t *Term) bar(l HitLine, longest int64) string {
	if longest == 0 {
		return ""
	}
	cells := func(n int64) int { return int((n*barWidth + longest - 1) / longest) } // what isn't nothing shows
	people := cells(l.People)
	return t.paint(good, strings.Repeat("█", people)) + t.paint(faint, strings.Repeat("░", max(cells(l.People+l.Bots)-people, 0)))
}
