package web

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the numbers that /metrics shows. Domains and hosts are named by
// their A-labels. All methods may be called by many goroutines.
type Metrics struct {
	registry *prometheus.Registry

	live          *prometheus.GaugeVec
	check         *prometheus.GaugeVec
	reconciles    *prometheus.CounterVec
	duration      prometheus.Histogram
	pending       *prometheus.GaugeVec
	guard         prometheus.Gauge
	configValid   prometheus.Gauge
	configReload  prometheus.Gauge
	degraded      prometheus.Gauge
	notAfter      *prometheus.GaugeVec
	certErrors    *prometheus.CounterVec
	providerCalls *prometheus.CounterVec

	visits atomic.Pointer[Visits]

	mu      sync.Mutex
	domains map[string]bool // of the portfolio
	wanted  map[string]bool // names of certificates; nil before the first Certificates
	names   map[string]bool // of those, the ones that metrics show
	states  map[[2]string]string
}

// NewMetrics makes the metrics in a registry of their own, with those of the
// Go runtime and the process.
func NewMetrics() *Metrics {
	const ns = "domherre_"
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: ns + name, Help: help}, labels)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: ns + name, Help: help}, labels)
	}
	m := &Metrics{
		registry:     prometheus.NewRegistry(),
		live:         gauge("domain_live", "Whether the domain is delegated, served, certified and redirecting.", "domain"),
		check:        gauge("check_state", "1 for the state that a check of a domain is in.", "domain", "check", "state"),
		reconciles:   counter("reconcile_total", "Reconcile runs by their outcome.", "outcome"),
		duration:     prometheus.NewHistogram(prometheus.HistogramOpts{Name: ns + "reconcile_duration_seconds", Help: "How long reconcile runs took.", Buckets: prometheus.ExponentialBuckets(0.05, 3, 9)}),
		pending:      gauge("pending_changes", "Changes of the latest plan that are not applied, by operation.", "op"),
		guard:        prometheus.NewGauge(prometheus.GaugeOpts{Name: ns + "guard_refused", Help: "1 while the guard refuses the plan and waits for a person."}),
		configValid:  prometheus.NewGauge(prometheus.GaugeOpts{Name: ns + "config_valid", Help: "1 while the config on disk is the one that runs, 0 when it has faults."}),
		configReload: prometheus.NewGauge(prometheus.GaugeOpts{Name: ns + "config_reload_timestamp_seconds", Help: "When the config that runs was loaded."}),
		degraded:     prometheus.NewGauge(prometheus.GaugeOpts{Name: ns + "degraded", Help: "1 while the state can't be written: what is there is served, and nothing changes."}),
		notAfter:     gauge("certificate_not_after_timestamp_seconds", "When the certificate for a name expires.", "name"),
		certErrors:   counter("certificate_errors_total", "Failed attempts to obtain or renew the certificate for a name.", "name"),
		providerCalls: counter("provider_requests_total", "Requests to DNS providers.",
			"provider", "op", "outcome"),
		states: map[[2]string]string{},
		names:  map[string]bool{},
	}
	visited := prometheus.NewDesc(ns+"redirects_total", "Redirects answered, by domain and status code.", []string{"domain", "code"}, nil)
	m.registry.MustRegister(m.live, m.check, m.reconciles, m.duration, m.pending, m.guard, m.configValid, m.configReload, m.degraded,
		m.notAfter, m.certErrors, redirects{m, visited}, m.providerCalls,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{DisableCompression: true})
}

// Portfolio tells which domains there are, those that are leaving included.
// The metrics of all others disappear, and what is still reported about them
// is ignored.
func (m *Metrics) Portfolio(domains []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.domains
	m.domains = setOf(domains)
	for d := range before {
		if !m.domains[d] {
			of := prometheus.Labels{"domain": d}
			m.live.DeletePartialMatch(of)
			m.check.DeletePartialMatch(of)
		}
	}
	maps.DeleteFunc(m.states, func(key [2]string, _ string) bool { return !m.domains[key[0]] })
	m.dropNames()
}

// listed reports whether a domain is in the portfolio; m.mu is held.
func (m *Metrics) listed(domain string) bool { return m.domains[domain] }

// Certificates tells which names certificates are wanted for; before the first
// call, those at or below a domain of the portfolio are. Their errors count
// from 0. The metrics of all others disappear, and what is still reported about
// them is ignored.
func (m *Metrics) Certificates(names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wanted = setOf(names)
	m.dropNames()
	for _, name := range names {
		m.names[name] = true
		m.certErrors.WithLabelValues(name) // at 0, so that the first failure is an increase
	}
}

// wants reports whether the metrics show a certificate's name; m.mu is held.
func (m *Metrics) wants(name string) bool {
	if m.wanted != nil {
		return m.wanted[name]
	}
	for rest, more := name, true; more; _, rest, more = strings.Cut(rest, ".") {
		if m.listed(rest) {
			return true
		}
	}
	return false
}

// dropNames removes the metrics of names that aren't wanted; m.mu is held.
func (m *Metrics) dropNames() {
	for name := range m.names {
		if !m.wants(name) {
			m.notAfter.DeleteLabelValues(name)
			m.certErrors.DeleteLabelValues(name)
			delete(m.names, name)
		}
	}
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}

// DomainLive tells whether a domain is live.
func (m *Metrics) DomainLive(domain string, live bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.listed(domain) {
		m.live.WithLabelValues(domain).Set(number(live))
	}
}

// CheckState tells the state that a check of a domain is in now.
func (m *Metrics) CheckState(domain, check, state string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.listed(domain) {
		return
	}
	key := [2]string{domain, check}
	if before, ok := m.states[key]; ok && before != state {
		m.check.DeleteLabelValues(domain, check, before)
	}
	m.states[key] = state
	m.check.WithLabelValues(domain, check, state).Set(1)
}

// ReconcileDone tells of a finished run.
func (m *Metrics) ReconcileDone(outcome string, took time.Duration) {
	m.reconciles.WithLabelValues(outcome).Inc()
	m.duration.Observe(took.Seconds())
}

// PendingChanges tells how many changes of an operation wait.
func (m *Metrics) PendingChanges(op string, n int) { m.pending.WithLabelValues(op).Set(float64(n)) }

// GuardRefused tells whether the guard holds the plan back.
func (m *Metrics) GuardRefused(refused bool) { m.guard.Set(number(refused)) }

// ConfigValid tells whether the config on disk could be loaded.
func (m *Metrics) ConfigValid(valid bool) { m.configValid.Set(number(valid)) }

// Degraded tells whether the state can't be written.
func (m *Metrics) Degraded(degraded bool) { m.degraded.Set(number(degraded)) }

// ConfigReloaded tells when the config that runs was loaded.
func (m *Metrics) ConfigReloaded(at time.Time) { m.configReload.Set(seconds(at)) }

// CertificateNotAfter tells when the certificate for a name expires.
func (m *Metrics) CertificateNotAfter(name string, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.wants(name) {
		m.names[name] = true
		m.notAfter.WithLabelValues(name).Set(seconds(at))
	}
}

// CertificateError counts a failed attempt for a name.
func (m *Metrics) CertificateError(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.wants(name) {
		m.names[name] = true
		m.certErrors.WithLabelValues(name).Inc()
	}
}

// ProviderRequest counts a request to a DNS provider.
func (m *Metrics) ProviderRequest(provider, op, outcome string) {
	m.providerCalls.WithLabelValues(provider, op, outcome).Inc()
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
