package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

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

// hits answers with the counts since a day, or all of them.
func (s *server) hits(w http.ResponseWriter, r *http.Request) {
	since := r.URL.Query().Get("since")
	if _, err := time.Parse(time.DateOnly, since); err != nil && since != "" {
		s.writeJSON(w, http.StatusBadRequest, map[string]string{"error": "since takes a day, such as 2026-11-24"})
		return
	}
	s.api("hits", func(ctx context.Context) (any, error) { return s.options.Hits(ctx, since) })(w, r)
}
