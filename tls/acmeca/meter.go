package acmeca

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// meter watches the CA's answers for what the acme package doesn't hand on:
// how long a refused client shall wait, and what time the CA thinks it is.
type meter struct {
	next http.RoundTripper
	now  func() time.Time

	mu      sync.Mutex
	refused time.Time // when the CA last said 429 or 503 with a Retry-After
	until   time.Time // what it said then
	skew    time.Duration
}

// RoundTrip implements http.RoundTripper.
func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := m.next.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		m.skew = now.Sub(date)
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
		if until, ok := parseRetryAfter(resp.Header.Get("Retry-After"), now); ok {
			m.refused, m.until = now, until
		}
	}
	return resp, nil
}

// retryAfter gives what the CA last asked for, if it did so after since. One
// account's requests share it: a limit nearly always concerns all of them.
func (m *meter) retryAfter(since time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused.Before(since) {
		return time.Time{}
	}
	return m.until
}

// clockSkew says how far our clock is ahead of the CA's.
func (m *meter) clockSkew() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.skew
}

// parseRetryAfter reads a Retry-After header, seconds or a date (RFC 9110,
// section 10.2.3).
func parseRetryAfter(header string, now time.Time) (time.Time, bool) {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return now.Add(time.Duration(seconds) * time.Second), true
	}
	if date, err := http.ParseTime(header); err == nil {
		return date, true
	}
	return time.Time{}, false
}
