package acmeca

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

func problem(kind string) error {
	return fmt.Errorf("attempt 1: %w", acme.Problem{Type: acme.ProblemTypeNamespace + kind, Detail: "Because so."})
}

func testCA(t *testing.T) *CA {
	t.Helper()
	c, err := New(Config{Directory: "https://ca.test/dir", Solvers: []Solver{{Type: "http-01"}}, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The text of a failure is what a person reads in status: the step, the name,
// the CA's own reason and what to do.
func TestFailureText(t *testing.T) {
	t.Parallel()
	c := testCA(t)
	for _, test := range []struct {
		err  error
		kind Kind
		want string
	}{
		{problem("connection"), Validation, "validation by http-01 for www.kopasex.se: Because so. (connection); see that the name's A and AAAA records lead here and that ports 80 and 443 are open"},
		{problem("dns"), Validation, "delegation and records are served by all its name servers"},
		{problem("unauthorized"), Validation, "see that the name leads here and to no other server"},
		{problem("caa"), Validation, "the domain's CAA records must permit this CA and account"},
		{problem("rejectedIdentifier"), Refused, "this CA won't issue for the name"},
		{problem("externalAccountRequired"), Refused, "set eab for this issuer"},
		{problem("invalidContact"), Refused, "set another email for this issuer"},
		{problem("userActionRequired"), Refused, "a person must act at the CA's site"},
		{problem("serverInternal"), Unreachable, "it is tried again by itself"},
		{errors.New("connection refused"), Unreachable, "connection refused; it is tried again by itself"},
		{fmt.Errorf("so: %w", context.Canceled), Trouble, "context canceled"},
		{acme.Problem{Type: acme.ProblemTypeRateLimited, Detail: "too many certificates, retry after 2026-11-25 10:00:00 UTC: see https://letsencrypt.org/docs"},
			RateLimited, "tried again after 2026-11-25T10:00:00Z"},
		{acme.Problem{Type: acme.ProblemTypeCompound, Detail: "Several.", Subproblems: []acme.Subproblem{
			{Problem: acme.Problem{Detail: "No."}, Identifier: acme.Identifier{Value: "a.kopasex.se"}}}},
			Refused, "Several. a.kopasex.se No. (compound)"},
	} {
		err := c.failure("validation by http-01", "www.kopasex.se", time.Now(), test.err)
		var f *Failure
		if !errors.As(err, &f) || f.Kind != test.kind || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v:\n got %d %q\nwant %d %q", test.err, f.Kind, err, test.kind, test.want)
		}
		if !errors.Is(c.failure("again", "", time.Now(), err), err) {
			t.Error("a failure was wrapped in another")
		}
	}
}

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Time{
		"120":                           now.Add(2 * time.Minute),
		"0":                             now,
		"Tue, 24 Nov 2026 10:00:00 GMT": now.Add(time.Hour),
		"":                              {}, "-1": {}, "soon": {}, "1e9": {}, "99999999999999999999": {},
	} {
		if got, ok := parseRetryAfter(header, now); ok == want.IsZero() || !got.Equal(want) {
			t.Errorf("%q: %v %v, want %v", header, got, ok, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120", "retry after 2026-11-25 10:00:00 UTC")
	f.Add("Tue, 24 Nov 2026 10:00:00 GMT", "retry after 2026-99-99 10:00:00 UTC")
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, header, text string) {
		if at, ok := parseRetryAfter(header, now); !ok && !at.IsZero() {
			t.Errorf("%q: a time without being one", header)
		}
		retryAfterText(text)
	})
}

type answers func(*http.Request) (*http.Response, error)

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

// A Retry-After counts for what began before it was said.
func TestMeter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	m := &meter{now: func() time.Time { return now }, next: answers(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 429, Header: http.Header{
			"Retry-After": {"60"}, "Date": {"Tue, 24 Nov 2026 07:00:00 GMT"}}}, nil
	})}
	if _, err := m.RoundTrip(nil); err != nil {
		t.Fatal(err)
	}
	if got := m.retryAfter(now.Add(-time.Second)); !got.Equal(now.Add(time.Minute)) {
		t.Errorf("retry after %v", got)
	}
	if got := m.retryAfter(now.Add(time.Second)); !got.IsZero() {
		t.Errorf("what was said earlier holds for what began later: %v", got)
	}
	if skew := m.clockSkew(); skew != 2*time.Hour {
		t.Errorf("skew %v", skew)
	}
}
