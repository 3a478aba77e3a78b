package web

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Visits gives every count of answers to visitors: how often a domain has
// answered with a status code so far. Counts of one domain and code add up.
type Visits func(count func(domain string, code int, n int64))

// CountVisits tells where the counts of visits are read from, each time that
// the metrics are asked for.
func (m *Metrics) CountVisits(v Visits) { m.visits.Store(&v) }

// redirects is the metric that is made of Visits.
type redirects struct {
	m    *Metrics
	desc *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (r redirects) Describe(to chan<- *prometheus.Desc) { to <- r.desc }

// Collect implements prometheus.Collector.
func (r redirects) Collect(to chan<- prometheus.Metric) {
	visits := r.m.visits.Load()
	if visits == nil {
		return
	}
	type series struct {
		domain string
		code   int
	}
	sums := map[series]int64{}
	(*visits)(func(domain string, code int, n int64) { sums[series{domain, code}] += n })
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	for s, n := range sums {
		if r.m.listed(s.domain) {
			to <- prometheus.MustNewConstMetric(r.desc, prometheus.CounterValue, float64(n), s.domain, strconv.Itoa(s.code))
		}
	}
}
