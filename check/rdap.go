package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"domherre/portfolio"
)

const (
	rdapFresh   = 24 * time.Hour // how long an answer serves, give or take rdapJitter
	rdapJitter  = 4 * time.Hour
	rdapRetry   = time.Hour // after a failure, where the registry names no time
	rdapTimeout = 5 * time.Second
	rdapBurst   = 60               // look-ups at once: a portfolio of the usual size
	rdapPace    = 10 * time.Second // between the look-ups beyond that
	rdapMax     = 1 << 20          // bytes of an answer that are read
)

// IANABootstrap lists the RDAP services of all TLDs that are known to IANA
// (RFC 9224).
const IANABootstrap = "https://data.iana.org/rdap/dns.json"

// KnownRDAP are services that IANA's list lacks, by TLD.
func KnownRDAP() map[string]string {
	return map[string]string{"se": "https://rdap.iis.se/", "nu": "https://rdap.iis.nu/"}
}

// RegistrationCache keeps answers across restarts, so that registries aren't
// asked more than once a day. A failure to keep one only costs another look-up.
type RegistrationCache interface {
	LoadRegistration(ctx context.Context, name portfolio.Name) (Registration, bool)
	SaveRegistration(ctx context.Context, name portfolio.Name, reg Registration)
}

// RDAPOptions sets up look-ups at registries.
type RDAPOptions struct {
	Bases     map[string]string // TLD → base URL; come before the bootstrap
	Bootstrap string            // URL of a list as in RFC 9224; "" uses Bases alone
	HTTP      *http.Client      // http.DefaultClient where nil
	Cache     RegistrationCache // memory alone where nil
	Now       func() time.Time  // time.Now where nil
}

// RDAP looks domains up at their registries (RFC 9082, 9083): once a day each,
// never sooner than a registry allows. It is safe for concurrent use.
type RDAP struct {
	options RDAPOptions
	pace    *rate.Limiter

	mu      sync.Mutex
	known   map[portfolio.Name]Registration
	failed  map[portfolio.Name]failure
	blocked map[string]time.Time // base URL → not before

	boot bootstrap
}

// failure is a look-up that isn't tried again before a time.
type failure struct {
	err   error
	until time.Time
}

// NewRDAP makes a client.
func NewRDAP(o RDAPOptions) *RDAP {
	o.HTTP = orDefault(o.HTTP, http.DefaultClient)
	if o.Now == nil {
		o.Now = time.Now
	}
	return &RDAP{
		options: o,
		pace:    rate.NewLimiter(rate.Every(rdapPace), rdapBurst),
		known:   map[portfolio.Name]Registration{},
		failed:  map[portfolio.Name]failure{},
		blocked: map[string]time.Time{},
		boot:    bootstrap{address: o.Bootstrap},
	}
}

// Registration gives what the registry says, at most about a day old. That a
// domain isn't registered is an answer, not an error.
func (r *RDAP) Registration(ctx context.Context, name portfolio.Name) (Registration, error) {
	now := r.options.Now()
	if reg, ok := r.remembered(ctx, name); ok && now.Sub(reg.Asked) < lifetime(name) {
		return reg, nil
	}
	if err := r.held(name, now); err != nil {
		return Registration{}, err
	}
	base, err := r.base(ctx, name)
	if err != nil {
		return Registration{}, err
	}
	if until := r.blockedUntil(base); now.Before(until) {
		return Registration{}, tooMany(until)
	}
	if !r.pace.AllowN(now, 1) {
		return Registration{}, errors.New("many domains are being looked up; this one comes later")
	}
	reg, err := r.ask(ctx, base, name)
	if err != nil {
		r.fail(name, err, now)
		return Registration{}, err
	}
	r.keep(ctx, name, reg)
	return reg, nil
}

// lifetime is how long an answer serves: spread by name, so that what was
// asked together isn't asked together for ever.
func lifetime(name portfolio.Name) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name.ASCII())) // never fails
	share := float64(h.Sum32()) / (1 << 32)
	return rdapFresh - rdapJitter + time.Duration(2*share*float64(rdapJitter))
}

func (r *RDAP) remembered(ctx context.Context, name portfolio.Name) (Registration, bool) {
	r.mu.Lock()
	reg, ok := r.known[name]
	r.mu.Unlock()
	if !ok && r.options.Cache != nil {
		if reg, ok = r.options.Cache.LoadRegistration(ctx, name); ok {
			r.mu.Lock()
			r.known[name] = reg
			r.mu.Unlock()
		}
	}
	return reg, ok
}

func (r *RDAP) keep(ctx context.Context, name portfolio.Name, reg Registration) {
	r.mu.Lock()
	r.known[name] = reg
	delete(r.failed, name)
	r.mu.Unlock()
	if r.options.Cache != nil {
		r.options.Cache.SaveRegistration(ctx, name, reg)
	}
}

// held gives the error of a failed look-up until it may be tried again.
func (r *RDAP) held(name portfolio.Name, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, ok := r.failed[name]; ok && now.Before(f.until) {
		return f.err
	}
	return nil
}

func (r *RDAP) fail(name portfolio.Name, err error, now time.Time) {
	if errors.Is(err, context.Canceled) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed[name] = failure{err: err, until: now.Add(rdapRetry)}
}

func (r *RDAP) blockedUntil(base string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.blocked[base]
}

func tooMany(until time.Time) error {
	return fmt.Errorf("the registry asks to wait until %s", until.UTC().Format("2006-01-02 15:04 MST"))
}

// base gives the service that knows a domain.
func (r *RDAP) base(ctx context.Context, name portfolio.Name) (string, error) {
	tld := name.ASCII()[strings.LastIndexByte(name.ASCII(), '.')+1:]
	if base, ok := r.options.Bases[tld]; ok {
		return base, nil
	}
	base, err := r.boot.base(ctx, r.options.HTTP, tld, r.options.Now())
	if err != nil {
		return "", err
	}
	if base == "" {
		return "", fmt.Errorf("no RDAP service is known for .%s", tld)
	}
	return base, nil
}

// ask sends one look-up.
func (r *RDAP) ask(ctx context.Context, base string, name portfolio.Name) (Registration, error) {
	ctx, cancel := context.WithTimeout(ctx, rdapTimeout)
	defer cancel()
	address, err := url.JoinPath(base, "domain", name.ASCII())
	if err != nil {
		return Registration{}, err
	}
	resp, err := get(ctx, r.options.HTTP, address)
	if err != nil {
		return Registration{}, err
	}
	defer resp.Body.Close()
	reg := Registration{Asked: r.options.Now()}
	switch resp.StatusCode {
	case http.StatusOK:
		err := readDomain(io.LimitReader(resp.Body, rdapMax), name, &reg)
		return reg, err
	case http.StatusNotFound:
		return reg, nil
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		until := retryAfter(resp.Header.Get("Retry-After"), reg.Asked)
		r.mu.Lock()
		r.blocked[base] = until
		r.mu.Unlock()
		return reg, tooMany(until)
	}
	return reg, fmt.Errorf("the registry answered %s", resp.Status)
}

func get(ctx context.Context, client *http.Client, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/rdap+json, application/json")
	req.Header.Set("User-Agent", UserAgent)
	return client.Do(req)
}

// retryAfter reads the header in both its forms (RFC 9110, section 10.2.3).
func retryAfter(header string, now time.Time) time.Time {
	if seconds, err := strconv.Atoi(strings.TrimSpace(header)); err == nil && seconds >= 0 && seconds <= 7*86400 {
		return now.Add(time.Duration(seconds) * time.Second)
	}
	if at, err := http.ParseTime(header); err == nil && at.Before(now.AddDate(0, 0, 7)) {
		return at
	}
	return now.Add(rdapRetry)
}

// domainObject is the part of RDAP's domain object that is used (RFC 9083,
// section 5.3).
type domainObject struct {
	Class   string   `json:"objectClassName"`
	LDHName string   `json:"ldhName"`
	Status  []string `json:"status"`
	Events  []struct {
		Action string `json:"eventAction"`
		Date   string `json:"eventDate"`
	} `json:"events"`
}

// readDomain fills in reg from an answer about name, and refuses one about
// anything else.
func readDomain(body io.Reader, name portfolio.Name, reg *Registration) error {
	var doc domainObject
	if err := json.NewDecoder(body).Decode(&doc); err != nil {
		return fmt.Errorf("the registry's answer can't be read: %w", err)
	}
	if doc.Class != "domain" || doc.LDHName != "" && bare(doc.LDHName) != name.ASCII() {
		return errors.New("the registry answered about something else")
	}
	reg.Found, reg.Status = true, doc.Status
	for _, e := range doc.Events {
		if e.Action != "expiration" {
			continue
		}
		if at, err := time.Parse(time.RFC3339, e.Date); err == nil {
			reg.Expires = at
		}
	}
	return nil
}
