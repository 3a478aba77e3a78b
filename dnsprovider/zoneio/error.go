package zoneio

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"time"
)

// Kind says what a failure means for those who may try again.
type Kind int

// Kinds of failure.
const (
	// Other is a refusal that trying again won't change.
	Other Kind = iota
	// Temporary may pass: a timeout, 429, 5xx, SERVFAIL.
	Temporary
	// Credentials were refused; no request to this provider can succeed.
	Credentials
	// NoZone: the provider has no such zone.
	NoZone
	// Unsupported: the provider can't hold such a record.
	Unsupported
)

// Error is a failure of known kind.
type Error struct {
	Kind Kind
	// RetryAfter is how long the provider asks to be left alone; zero where it
	// said nothing.
	RetryAfter time.Duration
	Err        error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the failure itself.
func (e *Error) Unwrap() error { return e.Err }

// As gives err a kind, or nil for no error.
func As(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Err: err}
}

// KindOf gives the kind of err: that of the *Error within, Temporary for
// what is Unreachable, Other for all else. A context that was
// cancelled is Other: whoever cancelled it wants no other try.
func KindOf(err error) Kind {
	var known *Error
	if errors.As(err, &known) {
		return known.Kind
	}
	if errors.Is(err, context.Canceled) {
		return Other
	}
	if Unreachable(err) {
		return Temporary
	}
	return Other
}

// Unreachable tells failures to get any answer: timeouts, refused and broken
// connections. Whether what was asked for has been done, such a failure doesn't
// tell.
func Unreachable(err error) bool {
	var request *url.Error // is a net.Error whatever is in it
	if errors.As(err, &request) && !request.Timeout() {
		return Unreachable(request.Err)
	}
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// RetryAfter gives how long the provider asks to be left alone; zero where err
// says nothing of it.
func RetryAfter(err error) time.Duration {
	var known *Error
	if errors.As(err, &known) {
		return known.RetryAfter
	}
	return 0
}
