package acmeca

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// Kind says what sort of failure one is, and so when trying again can help.
type Kind int

// Kinds of Failure.
const (
	Unreachable Kind = iota // the CA didn't answer, or not in time
	RateLimited             // the CA asks to wait
	Validation              // the CA could not verify a name
	Refused                 // the CA won't, until something is changed
	Clock                   // our clock is off
	Trouble                 // anything else
)

// Failure is the error of an order that came to nothing.
type Failure struct {
	Kind  Kind
	Step  string    // what was being done: "registering the account"
	Name  string    // the name that it failed for, A-labels; may be empty
	Until time.Time // RateLimited: not before; may be zero
	Err   error
}

func (f *Failure) Error() string {
	text := f.Step
	if f.Name != "" {
		text += " for " + f.Name
	}
	text += ": " + f.reason()
	if f.Kind == RateLimited && !f.Until.IsZero() {
		text += "; tried again after " + f.Until.UTC().Format(time.RFC3339)
	}
	if hint := f.remedy(); hint != "" {
		text += "; " + hint
	}
	return text
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// reason is the CA's own sentence where it gave one.
func (f *Failure) reason() string {
	var p acme.Problem
	if !errors.As(f.Err, &p) {
		return f.Err.Error()
	}
	parts := []string{}
	if p.Detail != "" {
		parts = append(parts, p.Detail)
	}
	for _, sub := range p.Subproblems {
		parts = append(parts, strings.TrimSpace(sub.Identifier.Value+" "+sub.Detail))
	}
	if short := strings.TrimPrefix(p.Type, acme.ProblemTypeNamespace); short != "" {
		parts = append(parts, "("+short+")")
	}
	return strings.Join(parts, " ")
}

// remedy says what a person can do about the failure.
func (f *Failure) remedy() string {
	switch f.Kind {
	case Unreachable:
		return "it is tried again by itself; if it lasts, check the network and the URL under tls.issuers"
	case Clock:
		return "set this machine's clock (NTP); nothing is ordered until then"
	}
	var p acme.Problem
	if !errors.As(f.Err, &p) {
		return ""
	}
	switch p.Type {
	case acme.ProblemTypeConnection, acme.ProblemTypeTLS:
		return "see that the name's A and AAAA records lead here and that ports 80 and 443 are open"
	case acme.ProblemTypeDNS:
		return "see that the name's delegation and records are served by all its name servers"
	case acme.ProblemTypeUnauthorized, acme.ProblemTypeIncorrectResponse:
		return "see that the name leads here and to no other server"
	case acme.ProblemTypeCAA:
		return "the domain's CAA records must permit this CA and account"
	case acme.ProblemTypeRejectedIdentifier:
		return "this CA won't issue for the name; take it off the list or add another issuer"
	case acme.ProblemTypeExternalAccountRequired:
		return "set eab for this issuer"
	case acme.ProblemTypeUserActionRequired:
		return "a person must act at the CA's site"
	case acme.ProblemTypeInvalidContact, acme.ProblemTypeUnsupportedContact:
		return "set another email for this issuer"
	}
	return ""
}

// failure sorts err. since is when the work began that it ended.
func (c *CA) failure(step, name string, since time.Time, err error) error {
	var known *Failure
	if errors.As(err, &known) {
		return err
	}
	f := &Failure{Kind: kindOf(err), Step: step, Name: name, Err: err}
	if until := c.meter.retryAfter(since); !until.IsZero() && f.Kind != Validation && f.Kind != Refused {
		f.Kind, f.Until = RateLimited, until
	}
	if f.Kind == RateLimited && f.Until.IsZero() {
		f.Until = retryAfterText(err.Error())
	}
	return f
}

func kindOf(err error) Kind {
	var p acme.Problem
	if !errors.As(err, &p) {
		if errors.Is(err, context.Canceled) {
			return Trouble
		}
		return Unreachable
	}
	switch p.Type {
	case acme.ProblemTypeRateLimited:
		return RateLimited
	case acme.ProblemTypeConnection, acme.ProblemTypeDNS, acme.ProblemTypeTLS, acme.ProblemTypeUnauthorized,
		acme.ProblemTypeIncorrectResponse, acme.ProblemTypeCAA:
		return Validation
	case acme.ProblemTypeServerInternal, acme.ProblemTypeBadNonce:
		return Unreachable
	}
	return Refused
}

// retryAfterText finds the time that Let's Encrypt writes into its sentence:
// "…, retry after 2026-11-24 10:00:00 UTC: see https://…".
func retryAfterText(text string) time.Time {
	m := retryAfterPattern.FindStringSubmatch(text)
	if m == nil {
		return time.Time{}
	}
	t, err := time.Parse("2006-01-02 15:04:05 MST", m[1])
	if err != nil {
		return time.Time{}
	}
	return t
}

var retryAfterPattern = regexp.MustCompile(`retry after (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC)`)

func isProblem(err error, kinds ...string) bool {
	var p acme.Problem
	if !errors.As(err, &p) {
		return false
	}
	for _, k := range kinds {
		if p.Type == k {
			return true
		}
	}
	return false
}

// persist calls f again while the CA refuses the nonce: the acme package
// gives up after ten refusals in a row, which a CA that is asked at random to
// refuse nine of ten reaches in every third request. It stops with ctx.
func persist[T any](ctx context.Context, f func() (T, error)) (T, error) {
	for {
		v, err := f()
		if !isProblem(err, acme.ProblemTypeBadNonce) {
			return v, err
		}
		if ctx.Err() != nil {
			return v, fmt.Errorf("%w while the CA refused every nonce", ctx.Err())
		}
	}
}
