package zoneio

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Transport gives the refusals of an HTTP API their kind: 401 is Credentials,
// 429 and 5xx are Temporary, with the pause that Retry-After asks for. These
// come as errors from RoundTrip; every other response passes. base nil is
// http.DefaultTransport, now nil time.Now.
func Transport(base http.RoundTripper, now func() time.Time) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	if now == nil {
		now = time.Now
	}
	return &transport{base, now}
}

type transport struct {
	base http.RoundTripper
	now  func() time.Time
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	kind := Temporary
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		kind = Credentials
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode >= 500:
	default:
		return resp, nil
	}
	defer resp.Body.Close()
	const enough = 512
	body, _ := io.ReadAll(io.LimitReader(resp.Body, enough)) // what is there of it is shown
	failure := fmt.Errorf("HTTP %s", resp.Status)
	if text := strings.Join(strings.Fields(string(body)), " "); text != "" {
		failure = fmt.Errorf("HTTP %s: %s", resp.Status, text)
	}
	return nil, &Error{Kind: kind, RetryAfter: AskedPause(resp.Header, t.now()), Err: failure}
}

// AskedPause gives how long an answer asks to be left alone, by the standard's
// header or by that of Simply.com; zero where it says nothing.
func AskedPause(h http.Header, now time.Time) time.Duration {
	if value := h.Get("Retry-After"); value != "" {
		return ParseRetryAfter(value, now)
	}
	return ParseRetryAfter(h.Get("X-Ratelimit-Retry-After"), now)
}

// ParseRetryAfter reads the header of that name (RFC 9110, section 10.2.3):
// seconds or a date. It gives zero where there is none, or it can't be read, or
// it has passed.
func ParseRetryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
