package check

import (
	"context"
	"crypto/x509"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"

	"domherre/portfolio"
)

// UserAgent marks the checks' own requests, so that they aren't counted as
// visits. It says nothing about who runs the checks.
const UserAgent = "domherre-check"

// Resolver looks names up through recursive resolvers.
type Resolver interface {
	// Lookup asks for records of a type, following CNAMEs. That a name or
	// type doesn't exist is no error. name is absolute or not.
	Lookup(ctx context.Context, name string, qtype uint16) (Answer, error)
	// LookupUnchecked is Lookup without DNSSEC validation (the CD bit).
	LookupUnchecked(ctx context.Context, name string, qtype uint16) (Answer, error)
}

// Answer is what a resolver told.
type Answer struct {
	Rcode     int
	Records   []dns.RR // of the type asked for
	Authentic bool     // validated by DNSSEC (AD)
	Extended  []string // extended errors (RFC 8914), for people
}

// Ports are those of the redirector's own listeners.
type Ports struct{ HTTP, HTTPS uint16 }

// Checker runs the checks. Resolver and Verify are needed; everything else has
// a default. It is safe for concurrent use.
type Checker struct {
	Resolver     Resolver
	Verify       func(context.Context, portfolio.Domain, []portfolio.RRset) portfolio.Served
	Registration func(context.Context, portfolio.Name) (Registration, error) // nil: registries aren't asked
	Dial         func(ctx context.Context, network, address string) (net.Conn, error)
	Now          func() time.Time
	Roots        *x509.CertPool      // trusted issuers; nil: the system's
	Ports        Ports               // used in place of 80 and 443 on loopback addresses
	Language     string              // "sv" or "en"
	Parallel     int                 // domains at once; 0: 8
	Redact       func(string) string // takes secrets out of what others said; nil: there are none
	Timeout      time.Duration       // of one domain; 0: 20 s
}

// Subject is a domain with what the check compares the world with.
type Subject struct {
	Domain      portfolio.Domain
	Nameservers []string          // what the registrar should delegate to; none: not compared
	Records     []portfolio.RRset // as desired; nil: not known yet
	Hosts       []Host            // that lead to the frontend
	Certificate CertificateState
	Hits        Hits
	Previous    *DomainStatus // of the check before, for Since
}

// Host is a name that leads somewhere.
type Host struct {
	Name   string // A-labels: "www.kopasex.se", "*.kopasex.se"
	Target string // the Location that a visitor of "/" gets
	Status int    // the status code that goes with it
}

// CertificateState is what the inventory says about a domain.
type CertificateState struct {
	Certificate *Certificate // nil: none yet
	Internal    bool         // from the internal CA, which browsers don't know
	Waiting     string       // why there is none yet, in words
	Barred      bool         // Waiting is for somebody to change the CAA records
	LastError   string       // of the last attempt, where there is no certificate
}

const (
	defaultParallel = 8
	defaultTimeout  = 20 * time.Second
)

// All checks many domains at once and gives their states in order. done, which
// may be nil, is told of each as it comes; calls don't overlap.
func (c *Checker) All(ctx context.Context, subjects []Subject, done func(DomainStatus)) []DomainStatus {
	statuses := make([]DomainStatus, len(subjects))
	slots := make(chan struct{}, max(1, orDefault(c.Parallel, defaultParallel)))
	var wait sync.WaitGroup
	var telling sync.Mutex
	for i, s := range subjects {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			statuses[i] = c.Domain(ctx, s)
			if done != nil {
				telling.Lock()
				defer telling.Unlock()
				done(statuses[i])
			}
		})
	}
	wait.Wait()
	return statuses
}

// Domain runs all checks of one domain, at the same time, within the timeout.
func (c *Checker) Domain(ctx context.Context, s Subject) DomainStatus {
	ctx, cancel := context.WithTimeout(ctx, orDefault(c.Timeout, defaultTimeout))
	defer cancel()
	now := c.now()
	r := run{c: c, s: s, now: now, planned: s.Domain.Launch.After(now)}
	checks := []func(context.Context) []verdict{
		r.dns, r.records, r.web, r.mail, r.registration,
	}
	found := make([][]verdict, len(checks))
	var wait sync.WaitGroup
	for i, f := range checks {
		wait.Go(func() { found[i] = f(ctx) })
	}
	wait.Wait()
	return r.status(found)
}

// run is the check of one domain.
type run struct {
	c       *Checker
	s       Subject
	now     time.Time
	planned bool
}

// verdict is a result before it is put into words.
type verdict struct {
	check, state string
	say          sentence
	with         words
}

// status puts the verdicts into words and order.
func (r run) status(found [][]verdict) DomainStatus {
	d := DomainStatus{
		Domain:      r.s.Domain.Name.Unicode(),
		ASCII:       r.s.Domain.Name.ASCII(),
		Certificate: r.s.Certificate.Certificate,
		Hits:        r.s.Hits,
	}
	byName := map[string]verdict{}
	for _, vs := range found {
		for _, v := range vs {
			byName[v.check] = v
		}
	}
	byName[CheckMail] = afterDelegation(byName[CheckMail], byName[CheckDelegation])
	for _, name := range order() {
		d.Checks = append(d.Checks, r.result(byName[name]))
	}
	d.judge(r.s.Domain.Paused, r.planned)
	return d
}

func order() []string {
	return []string{
		CheckDelegation, CheckRecords, CheckDNSSEC, CheckCertificate, CheckRedirect, CheckMail, CheckRegistration,
	}
}

// result words a verdict, and keeps Since while the state stays.
func (r run) result(v verdict) Result {
	with := words{"domain": r.s.Domain.Name.Unicode(), "registrar": r.registrar(), "nameservers": r.nameservers()}
	for k, text := range v.with {
		with[k] = text
	}
	result := Result{Check: v.check, State: v.state, Since: r.since(v)}
	result.Finding, result.Advice = v.say.in(r.c.Language, with)
	result.Finding = r.c.redacted(result.Finding, v.with)
	return result
}

// redacted takes secrets out of a finding that gives a reason: what a network
// or a server said may repeat what it was asked.
func (c *Checker) redacted(finding string, with words) string {
	if _, said := with["reason"]; !said || c.Redact == nil {
		return finding
	}
	return c.Redact(finding)
}

// since gives the time that a check's state began.
func (r run) since(v verdict) time.Time {
	if r.s.Previous != nil {
		if was, ok := r.s.Previous.Check(v.check); ok && was.State == v.state {
			return was.Since
		}
	}
	return r.now
}

// registrar names whom to turn to, as well as it is known.
func (r run) registrar() string {
	if r.s.Domain.Registrar != "" {
		return r.s.Domain.Registrar
	}
	return theRegistrar.in(r.c.Language)
}

func (r run) nameservers() string {
	if len(r.s.Nameservers) == 0 {
		return ourNameservers.in(r.c.Language)
	}
	return listNames(r.s.Nameservers)
}

func (c *Checker) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func (c *Checker) dial(ctx context.Context, address netip.AddrPort) (net.Conn, error) {
	if c.Dial != nil {
		return c.Dial(ctx, "tcp", address.String())
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", address.String())
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
