package tls

import (
	"math/rand/v2"
	"strings"
	"time"

	"domherre/tls/acmeca"
)

// How long to wait after the n-th failure in a row. What may pass by itself
// within minutes is tried often. A CA that the public shares counts failed
// validations (Let's Encrypt: five per name and hour), so with one of those a
// name that can't be verified is tried seldom; Poke is for when it was put
// right.
var (
	waitsTransient = []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute}
	waitsPublic    = []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour}
	waitsReady     = []time.Duration{time.Second, time.Second, 2 * time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second}
)

const (
	failureWindow    = time.Hour
	failuresAllowed  = 4 // validations per name and window, one below Let's Encrypt's limit
	busyDelay        = 3 * time.Second
	stateDelay       = 5 * time.Second // after the store failed
	shortestLimit    = time.Minute     // when a CA says rateLimited without saying how long
	longestRateLimit = 8 * 24 * time.Hour
)

// waitAfter gives the wait after the n-th failure in a row, from 1.
func waitAfter(kind acmeca.Kind, public bool, n int) time.Duration {
	waits := waitsTransient
	if public && (kind == acmeca.Validation || kind == acmeca.Refused) {
		waits = waitsPublic
	}
	return jitter(nth(waits, n))
}

func nth(waits []time.Duration, n int) time.Duration {
	return waits[min(max(n, 1), len(waits))-1]
}

// jitter spreads d by a fifth, so that what failed together doesn't come back
// together.
func jitter(d time.Duration) time.Duration {
	return d + time.Duration((rand.Float64()*0.4-0.2)*float64(d))
}

// publicHosts are CAs that the public shares, by the end of their host names.
var publicHosts = []string{
	"letsencrypt.org", "zerossl.com", "pki.goog", "buypass.com", "ssl.com", "sectigo.com", "digicert.com",
	"actalis.com", "harica.gr", "globalsign.com",
}

func isPublicCA(host string) bool {
	host = strings.ToLower(host)
	for _, h := range publicHosts {
		if host == h || strings.HasSuffix(host, "."+h) {
			return true
		}
	}
	return false
}

// pause says until when an issuer must be left alone for this record, because
// the CA said so or would lock the name out; zero if it may be asked now.
func (r *record) pause(iss *issuer, now time.Time) time.Time {
	until := r.Limited[iss.key]
	if !until.After(now) {
		until = time.Time{}
	}
	if !iss.public {
		return until
	}
	recent := recentFailures(r.Failed[iss.key], now)
	allowed := max(1, failuresAllowed/max(1, len(iss.challenges())))
	if len(recent) < allowed {
		return until
	}
	if free := recent[len(recent)-allowed].Add(failureWindow); free.After(until) {
		until = free
	}
	return until
}

// recentFailures drops those outside the window, and those that a clock gone
// wrong has put into the future.
func recentFailures(all []time.Time, now time.Time) []time.Time {
	var recent []time.Time
	for _, t := range all {
		if age := now.Sub(t); age >= 0 && age < failureWindow {
			recent = append(recent, t)
		}
	}
	return recent
}
