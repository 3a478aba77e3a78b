package redirect

import "strings"

// Lead tells what a visitor of a host's front page meets over HTTPS: the
// status, and the Location unless the site is paused. host is one of a Site's
// Hosts. ok is false for a host that the table doesn't have.
func (t *Table) Lead(host string) (status int, location string, ok bool) {
	e := t.exact[host]
	if rest, wildcard := strings.CutPrefix(host, "*."); wildcard {
		e = t.wildcard[rest]
	}
	if e == nil {
		return 0, "", false
	}
	return e.fixed.status, e.fixed.location, true
}
