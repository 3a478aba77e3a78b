package daemon

// countVisits gives the metrics what was counted since the start.
func (d *daemon) countVisits(count func(domain string, code int, n int64)) {
	for hit := range d.visits.All() {
		count(hit.Domain, hit.Code, hit.N)
	}
}
