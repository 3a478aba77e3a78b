package check

import "context"

// Delegation runs the checks of delegation and DNSSEC alone, within the
// timeout; the others stay empty.
func (c *Checker) Delegation(ctx context.Context, s Subject) DomainStatus {
	ctx, cancel := context.WithTimeout(ctx, orDefault(c.Timeout, defaultTimeout))
	defer cancel()
	r := run{c: c, s: s, now: c.now()}
	var d DomainStatus
	for _, v := range r.dns(ctx) {
		d.Checks = append(d.Checks, r.result(v))
	}
	return d
}
