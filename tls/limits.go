package tls

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limit is how much a CA allows in a time: "300 per 3h". Zero: no limit is
// known.
type Limit struct {
	Count int
	Per   time.Duration
}

// String writes "300 per 3h".
func (l Limit) String() string { return strconv.Itoa(l.Count) + " per " + span(l.Per) }

func (l Limit) known() bool { return l.Count > 0 && l.Per > 0 }

// limits are what one CA allows. Orders that follow the CA's own wish to renew
// (RFC 9773) are exempt from all of them.
type limits struct {
	orders     Limit // of one account
	domain     Limit // certificates of one registered domain
	duplicates Limit // certificates with exactly the same names
}

const week = 7 * 24 * time.Hour

// knownLimits are those that CAs publish, by the host name of the directory.
// https://letsencrypt.org/docs/rate-limits/, .../docs/staging-environment/
var knownLimits = map[string]limits{
	"acme-v02.api.letsencrypt.org":         {Limit{300, 3 * time.Hour}, Limit{50, week}, Limit{5, week}},
	"acme-staging-v02.api.letsencrypt.org": {Limit{1500, 3 * time.Hour}, Limit{30_000, week}, Limit{30_000, week}},
}

// limitsOf gives the limits of the CA at host; orders, if set, replaces what is
// known of those.
func limitsOf(host string, orders Limit) limits {
	l := knownLimits[strings.ToLower(host)]
	if orders.known() {
		l.orders = orders
	}
	return l
}

// issued is one certificate that a CA has issued, kept for its limits.
type issued struct {
	At     time.Time `json:"at"`
	Issuer string    `json:"issuer"` // key
	Names  []string  `json:"names"`  // sorted
}

// remember adds a certificate, and drops those that no limit counts any more.
func (r *record) remember(iss *issuer, names []string, now time.Time) {
	if !iss.limits.domain.known() && !iss.limits.duplicates.known() {
		return
	}
	r.Issued = slices.DeleteFunc(slices.Clone(r.Issued), func(i issued) bool { return now.Sub(i.At) >= week })
	r.Issued = append(r.Issued, issued{At: now, Issuer: iss.key, Names: sorted(names)})
}

func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return names
}

// full says until when iss issues no more certificates for the names, and which
// limit says so; zero if it may be asked now. siblings are the certificates
// issued for the other parts of the same domain.
func (r *record) full(iss *issuer, names []string, siblings []issued, now time.Time) (time.Time, string) {
	var domain, duplicates []time.Time
	names = sorted(names)
	for _, i := range slices.Concat(r.Issued, siblings) {
		if i.Issuer != iss.key {
			continue
		}
		domain = append(domain, i.At)
		if slices.Equal(i.Names, names) {
			duplicates = append(duplicates, i.At)
		}
	}
	until, why := iss.limits.domain.reached(domain, now), "certificates of one domain"
	if u := iss.limits.duplicates.reached(duplicates, now); u.After(until) {
		until, why = u, "certificates with the same names"
	}
	if until.IsZero() {
		return until, ""
	}
	return until, iss.name + " allows no more " + why + " before " + minute(until)
}

// reached says when there is room for one more beside what was used, zero if
// there is now.
func (l Limit) reached(used []time.Time, now time.Time) time.Time {
	if !l.known() {
		return time.Time{}
	}
	used = slices.DeleteFunc(used, func(t time.Time) bool { return now.Sub(t) >= l.Per || t.After(now) })
	if len(used) < l.Count {
		return time.Time{}
	}
	slices.SortFunc(used, time.Time.Compare)
	return used[len(used)-l.Count].Add(l.Per)
}

// minute writes a time for people.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// span writes "3h", "7d", "1h30m".
func span(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
	s := d.String() // 3h0m0s
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
