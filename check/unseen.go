package check

import "domherre/portfolio"

// Unseen is the status of a domain that hasn't been looked at yet.
func (c *Checker) Unseen(d portfolio.Domain) DomainStatus {
	now := c.now()
	r := run{c: c, s: Subject{Domain: d}, now: now, planned: d.Launch.After(now)}
	var all []verdict
	for _, name := range order() {
		all = append(all, verdict{name, StateWaiting, notSeenYet, nil})
	}
	return r.status([][]verdict{all})
}
