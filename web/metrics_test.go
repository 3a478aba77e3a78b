package web

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func scrape(m *Metrics) string {
	o := Options{Metrics: m}
	return ask(New(o), "GET", "/metrics").Body.String()
}

// ours gives the lines of our metrics, without comments.
func ours(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "domherre_") && !strings.Contains(line, "_bucket{") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return strings.Join(out, "\n")
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	m := NewMetrics()
	m.Portfolio([]string{"kopasex.se", "xn--kpasex-wxa.example"})
	m.Certificates([]string{"kopasex.se", "www.kopasex.se"})
	m.DomainLive("kopasex.se", true)
	m.CheckState("kopasex.se", "records", "waiting")
	m.CheckState("kopasex.se", "records", "ok")
	m.ReconcileDone("applied", 2*time.Second)
	m.PendingChanges("create", 3)
	m.GuardRefused(true)
	m.ConfigValid(true)
	m.ConfigReloaded(time.Unix(1000, 500e6))
	m.CertificateNotAfter("kopasex.se", time.Unix(2000, 0))
	m.CertificateError("kopasex.se")
	m.CountVisits(func(count func(string, int, int64)) {
		count("kopasex.se", 302, 1)
		count("xn--kpasex-wxa.example", 410, 1)
		count("kopasex.se", 302, 1)
		count("another.example", 302, 1)
	})
	m.ProviderRequest("main", "get", "ok")

	const want = `domherre_certificate_errors_total{name="kopasex.se"} 1
domherre_certificate_errors_total{name="www.kopasex.se"} 0
domherre_certificate_not_after_timestamp_seconds{name="kopasex.se"} 2000
domherre_check_state{check="records",domain="kopasex.se",state="ok"} 1
domherre_config_reload_timestamp_seconds 1000.5
domherre_config_valid 1
domherre_degraded 0
domherre_domain_live{domain="kopasex.se"} 1
domherre_guard_refused 1
domherre_pending_changes{op="create"} 3
domherre_provider_requests_total{op="get",outcome="ok",provider="main"} 1
domherre_reconcile_duration_seconds_sum 2
domherre_reconcile_duration_seconds_count 1
domherre_reconcile_total{outcome="applied"} 1
domherre_redirects_total{code="302",domain="kopasex.se"} 2
domherre_redirects_total{code="410",domain="xn--kpasex-wxa.example"} 1`
	if got := ours(scrape(m)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMetricsOfRemovedDomainsDisappear(t *testing.T) {
	t.Parallel()
	m := NewMetrics()
	m.Portfolio([]string{"kopasex.se", "stays.example"})
	m.Certificates([]string{"kopasex.se", "stays.example"})
	m.CountVisits(func(count func(string, int, int64)) {
		count("kopasex.se", 302, 1)
		count("stays.example", 302, 2)
	})
	tell := func() {
		for _, d := range []string{"kopasex.se", "stays.example"} {
			m.DomainLive(d, true)
			m.CheckState(d, "records", "ok")
			m.CertificateNotAfter(d, time.Unix(1, 0))
			m.CertificateError(d)
		}
	}
	tell()
	m.Portfolio([]string{"stays.example"})
	m.Certificates([]string{"stays.example"})
	tell() // what comes late about a removed domain doesn't bring it back
	got := ours(scrape(m))
	if strings.Contains(got, "kopasex.se") {
		t.Errorf("the removed domain is still there:\n%s", got)
	}
	if !strings.Contains(got, `domherre_redirects_total{code="302",domain="stays.example"} 2`) {
		t.Errorf("the other lost its count:\n%s", got)
	}
	m.Portfolio([]string{"kopasex.se", "stays.example"})
	if !strings.Contains(scrape(m), `domherre_redirects_total{code="302",domain="kopasex.se"} 1`) {
		t.Error("a domain that came back isn't counted")
	}
}

// TestCertificateNames: names of certificates follow the portfolio until they
// are told by themselves.
func TestCertificateNames(t *testing.T) {
	t.Parallel()
	m := NewMetrics()
	m.Portfolio([]string{"kopasex.se", "stays.example"})
	for _, name := range []string{"www.kopasex.se", "*.stays.example", "stays.example", "notstays.example", "example"} {
		m.CertificateNotAfter(name, time.Unix(1, 0))
	}
	const one = `domherre_certificate_not_after_timestamp_seconds{name="%s"} 1`
	for _, step := range []struct {
		do   func()
		want []string
	}{
		{func() {}, []string{"*.stays.example", "stays.example", "www.kopasex.se"}},
		{func() { m.Portfolio([]string{"stays.example"}) }, []string{"*.stays.example", "stays.example"}},
		{func() { m.Certificates([]string{"stays.example"}) }, []string{"stays.example"}},
		{func() { m.CertificateNotAfter("*.stays.example", time.Unix(1, 0)) }, []string{"stays.example"}},
	} {
		step.do()
		var want []string
		for _, name := range step.want {
			want = append(want, fmt.Sprintf(one, name))
		}
		var got []string
		for line := range strings.Lines(scrape(m)) {
			if strings.HasPrefix(line, "domherre_certificate_not_after") {
				got = append(got, strings.TrimSpace(line))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestMetricsConcurrently(t *testing.T) {
	t.Parallel()
	m := NewMetrics()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 200 {
				d := fmt.Sprintf("d%d.example", n%7)
				switch i {
				case 0:
					m.Portfolio([]string{d, "stays.example"})
				case 1:
					m.CheckState(d, "records", "ok")
					m.DomainLive(d, true)
				default:
					m.CountVisits(func(count func(string, int, int64)) { count(d, 302, 1) })
					scrape(m)
				}
			}
		})
	}
	all.Wait()
	m.Portfolio(nil)
	if got := ours(scrape(m)); strings.Contains(got, ".example") {
		t.Errorf("left behind:\n%s", got)
	}
}
