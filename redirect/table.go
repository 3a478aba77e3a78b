package redirect

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Table finds the site of a host. It never changes once made, so that any
// number of goroutines read it without a lock; a Server swaps one for another.
type Table struct {
	exact    map[string]*entry
	wildcard map[string]*entry // keyed by what follows "*."
}

// entry is what the table knows of one host, with everything that an answer
// needs made beforehand.
type entry struct {
	site   *site
	target *target // nil where nothing is kept
	fixed  *answer // the redirect with nothing kept, or the page of a paused site
	open   *answer // the redirect to a place of the reply's own
	host   string  // "" for a wildcard
	secure string  // Location of the same host's HTTPS; "" for a wildcard
}

// site is what the hosts of a Site share.
type site struct {
	domain    string
	keepPath  bool
	keepQuery bool
	paused    bool
	hsts      string // value of Strict-Transport-Security, or ""
}

// NewTable makes the table of all sites. It fails, naming the domain, on a
// host that two sites claim and on values that config should have refused.
func NewTable(sites []Site) (*Table, error) {
	t := &Table{exact: make(map[string]*entry, 2*len(sites)), wildcard: map[string]*entry{}}
	done := made{targets: map[string]*target{}, answers: map[answerKey]*answer{}}
	for _, s := range sites {
		if s.Status == 0 {
			s.Status = http.StatusFound
		}
		if !validStatus(s.Status) {
			return nil, fmt.Errorf("%s: redirect status %d; use 301, 302, 303, 307 or 308", s.Domain, s.Status)
		}
		if err := t.add(s, done); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func validStatus(code int) bool {
	switch code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

func (t *Table) add(s Site, made made) error {
	shared := &site{domain: s.Domain, keepPath: s.KeepPath, keepQuery: s.KeepQuery, paused: s.Paused, hsts: s.HSTS}
	var paused *answer
	if s.Paused {
		paused = goneAnswer(s.Language)
	}
	for _, pattern := range s.Hosts {
		host, in := pattern, t.exact
		if rest, ok := strings.CutPrefix(pattern, "*."); ok {
			host, in = rest, t.wildcard
		}
		if clean, ok := splitHost(host); !ok || clean == "" || clean != host {
			return fmt.Errorf("%s: host %q; write lower-case A-labels", s.Domain, pattern)
		}
		if other, taken := in[host]; taken {
			return fmt.Errorf("%s: host %s belongs to %s already; remove it from one of them", s.Domain, pattern, other.site.domain)
		}
		e, err := newEntry(s, shared, pattern, made)
		if err != nil {
			return err
		}
		if paused != nil {
			e.fixed = paused
		}
		if host == pattern {
			e.secure = "https://" + host + "/"
			e.host = e.secure[len("https://") : len(e.secure)-1]
		}
		in[host] = e
	}
	return nil
}

// made remembers what was made for other hosts of a new table: portfolios lead
// most of theirs to one place.
type made struct {
	targets map[string]*target // by URL, without tags
	answers map[answerKey]*answer
}

type answerKey struct {
	status   int
	location string
}

// target gives where a host of s leads.
func (m made) target(s Site, host string) (*target, error) {
	if known := m.targets[s.Target]; known != nil && len(s.Tags) == 0 {
		return known, nil
	}
	to, err := newTarget(s, host)
	if err == nil && len(s.Tags) == 0 {
		m.targets[s.Target] = to
	}
	return to, err
}

// open gives a redirect without a location.
func (m made) open(status int) *answer {
	key := answerKey{status: status}
	if m.answers[key] == nil {
		body := strconv.Itoa(status) + " " + http.StatusText(status) + "\n"
		m.answers[key] = newAnswer(status, "text/plain; charset=utf-8", body, field{"Cache-Control", cacheControl(status)})
	}
	return m.answers[key]
}

func newEntry(s Site, shared *site, host string, made made) (*entry, error) {
	to, err := made.target(s, host)
	if err != nil {
		return nil, err
	}
	e := &entry{site: shared}
	if s.KeepPath || s.KeepQuery {
		e.target, e.open = to, made.open(s.Status)
	}
	key := answerKey{s.Status, to.location("", "")}
	if made.answers[key] == nil {
		made.answers[key] = redirectAnswer(key.status, key.location)
	}
	e.fixed = made.answers[key]
	return e, nil
}

// find gives the entry of a host as splitHost returns it, or nil. An exact
// host comes before any wildcard, and the longest wildcard before the others
// (RFC 4592 has no other order either).
func (t *Table) find(host string) *entry {
	if e := t.exact[host]; e != nil {
		return e
	}
	if len(t.wildcard) == 0 {
		return nil
	}
	for rest := host; ; {
		dot := strings.IndexByte(rest, '.')
		if dot < 0 {
			return nil
		}
		rest = rest[dot+1:]
		if e := t.wildcard[rest]; e != nil {
			return e
		}
	}
}
