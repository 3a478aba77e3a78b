package web

import (
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// answers are the counters of one domain, one per status code that a visitor
// can get, each made at its first use.
type answers [len(codes)]atomic.Pointer[prometheus.Counter]

// codes are those of redirects and of paused sites.
var codes = [...]int{
	http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
	http.StatusTemporaryRedirect, http.StatusPermanentRedirect, http.StatusGone,
}

// Redirected counts an answer to a visitor. It neither locks nor allocates,
// but for the first of its kind; other codes than redirects' and 410 are not
// counted.
func (m *Metrics) Redirected(domain string, code int) {
	of := (*m.counted.Load())[domain]
	if of == nil {
		return
	}
	for i, c := range codes {
		if c != code {
			continue
		}
		counter := of[i].Load()
		if counter == nil {
			counter = m.firstAnswer(domain, i)
		}
		if counter != nil {
			(*counter).Inc()
		}
	}
}

// firstAnswer makes the counter of a domain and codes[i], or gives nil where
// the domain has left meanwhile.
func (m *Metrics) firstAnswer(domain string, i int) *prometheus.Counter {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := (*m.counted.Load())[domain]
	if of == nil {
		return nil
	}
	counter := m.redirects.WithLabelValues(domain, strconv.Itoa(codes[i]))
	of[i].Store(&counter)
	return &counter
}
