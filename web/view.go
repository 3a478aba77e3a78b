package web

import (
	"cmp"
	"slices"
	"time"

	"domherre/check"
)

// view is what the templates get.
type view struct {
	*text
	Campaign string
	Heading  string // the h1
	Summary  string
	Time     string
	Stamp    string // Time for machines
	Needs    []domainView
	Domains  []domainView
	Columns  []string    // the checks that any domain has, in the report's order
	Labels   []string    // of the columns
	One      *domainView // on a domain's own page
	Notices  []checkView // of the campaign as a whole
	Message  string      // in the place of a report
}

// domainView is one domain as the page shows it.
type domainView struct {
	Domain, ASCII string // ASCII is "" where it says the same as Domain
	Path          string
	Overall       string
	OverallText   string
	Checks        []checkView
	Needs         []checkView // what a person has to do something about
	Certificate   *certificateView
	Hits          check.Hits
}

// checkView is one check of one domain. One that the domain doesn't have shows
// as an empty cell.
type checkView struct {
	Check, Label    string
	State, Word     string
	Since, Stamp    string
	Finding, Advice string
}

type certificateView struct {
	Names                     []string
	Issuer                    string
	Expires, Renews           string
	ExpiresStamp, RenewsStamp string
	LastError                 string
}

// counts are the numbers behind the summary.
type counts struct{ total, live, needed, waiting, unknown, paused, planned int }

// active is how many domains are meant to work now.
func (c counts) active() int { return c.total - c.paused - c.planned }

// newView turns a report into what is shown.
func (s *server) newView(r check.Report) view {
	now := s.now()
	v := view{text: s.text, Campaign: r.Campaign, Heading: r.Campaign, Time: clock(now), Stamp: stamp(now), Columns: columns(r)}
	if v.Heading == "" {
		v.Heading = s.text.Title
	}
	for _, name := range v.Columns {
		v.Labels = append(v.Labels, word(s.text.Checks, name))
	}
	if r.Frontend != nil && r.Frontend.State != check.StateOK {
		v.Notices = append(v.Notices, s.newCheckView(*r.Frontend))
	}
	for _, notice := range r.Notices {
		v.Notices = append(v.Notices, s.newCheckView(notice))
	}
	var c counts
	for _, d := range r.Domains {
		dv := s.newDomainView(d, v.Columns)
		c.add(dv)
		v.Domains = append(v.Domains, dv)
		if len(dv.Needs) > 0 {
			v.Needs = append(v.Needs, dv)
		}
	}
	slices.SortStableFunc(v.Needs, func(a, b domainView) int { return cmp.Compare(urgency(a), urgency(b)) })
	v.Summary = s.text.summary(c)
	return v
}

func (c *counts) add(d domainView) {
	c.total++
	if len(d.Needs) > 0 {
		c.needed++
	}
	switch d.Overall {
	case check.StateLive:
		c.live++
	case check.StatePaused:
		c.paused++
	case check.StatePlanned:
		c.planned++
	case check.StateWaiting:
		if len(d.Needs) == 0 {
			c.waiting++
		}
	case check.StateUnknown:
		if len(d.Needs) == 0 {
			c.unknown++
		}
	}
}

// urgency puts domains that don't work before those that may soon not.
func urgency(d domainView) int {
	if d.Overall == check.StateBroken {
		return 0
	}
	return 1
}

// columns lists the checks that occur in the report.
func columns(r check.Report) []string {
	var names []string
	for _, d := range r.Domains {
		for _, c := range d.Checks {
			if !slices.Contains(names, c.Check) {
				names = append(names, c.Check)
			}
		}
	}
	return names
}

func (s *server) newDomainView(d check.DomainStatus, columns []string) domainView {
	dv := domainView{Domain: d.Domain, ASCII: d.ASCII, Path: "/domains/" + d.ASCII, Overall: d.State, Hits: d.Hits}
	if dv.ASCII == dv.Domain {
		dv.ASCII = ""
	}
	dv.OverallText = word(s.text.Overall, dv.Overall)
	for _, name := range columns {
		cv := checkView{Check: name, Label: word(s.text.Checks, name)}
		if result, ok := d.Check(name); ok {
			cv = s.newCheckView(result)
		}
		dv.Checks = append(dv.Checks, cv)
		if needsSomebody(cv) {
			dv.Needs = append(dv.Needs, cv)
		}
	}
	if c := d.Certificate; c != nil {
		dv.Certificate = &certificateView{
			Names: c.Names, Issuer: c.Issuer, Expires: clock(c.NotAfter), ExpiresStamp: stamp(c.NotAfter),
			Renews: clock(c.RenewAt), RenewsStamp: stamp(c.RenewAt), LastError: c.LastError,
		}
	}
	return dv
}

// needsSomebody tells a check that a person has to act on from one that is
// well, or comes right by itself.
func needsSomebody(c checkView) bool {
	return (c.State == check.StateBroken || c.State == check.StateWarning) && c.Advice != ""
}

func (s *server) newCheckView(c check.Result) checkView {
	return checkView{
		Check: c.Check, Label: word(s.text.Checks, c.Check), State: c.State, Word: word(s.text.States, c.State),
		Since: clock(c.Since), Stamp: stamp(c.Since), Finding: c.Finding, Advice: c.Advice,
	}
}

// word gives the word for a key, or the key itself for one that is newer than
// the page.
func word(words map[string]string, key string) string {
	if w, ok := words[key]; ok {
		return w
	}
	return key
}

// clock shows a time as people here write it, in local time; the zero time is
// empty.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

// stamp shows a time for the datetime attribute.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
