package zoneio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestTransport(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		status int
		after  string
		kind   Kind
		pause  time.Duration
	}{
		{401, "", Credentials, 0},
		{429, "17", Temporary, 17 * time.Second},
		{429, "Tue, 24 Nov 2026 12:01:00 GMT", Temporary, time.Minute},
		{429, "Tue, 24 Nov 2026 11:00:00 GMT", Temporary, 0},
		{429, "soon", Temporary, 0},
		{500, "", Temporary, 0},
		{503, "2", Temporary, 2 * time.Second},
		{200, "", Other, 0},
		{404, "", Other, 0},
		{422, "", Other, 0},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", c.after)
			w.WriteHeader(c.status)
			fmt.Fprint(w, "why\n  it is so", strings.Repeat(".", 2000))
		}))
		client := http.Client{Transport: Transport(nil, func() time.Time { return now })}
		resp, err := client.Get(s.URL)
		if err == nil {
			_ = resp.Body.Close()
		}
		s.Close()
		if passes := c.kind == Other; passes != (err == nil) || KindOf(err) != c.kind || RetryAfter(err) != c.pause {
			t.Errorf("%d: kind %d, pause %s, %v", c.status, KindOf(err), RetryAfter(err), err)
		}
		if err != nil && (!strings.Contains(err.Error(), "why it is so") || len(err.Error()) > 700 || Unreachable(err)) {
			t.Errorf("%d: %v", c.status, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer s.Close()
	client := http.Client{Transport: Transport(nil, nil)}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if _, err := client.Do(req); !Unreachable(err) || KindOf(err) != Temporary {
		t.Errorf("a server that is silent: %v", err)
	}
	if _, err := client.Get("http://127.0.0.1:1/"); !Unreachable(err) {
		t.Errorf("a server that isn't there: %v", err)
	}
	if _, err := client.Get("nothing://x"); err == nil || Unreachable(err) {
		t.Errorf("a URL that is none: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	req, _ = http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if _, err := client.Do(req); !errors.Is(err, context.Canceled) || KindOf(err) != Other {
		t.Errorf("cancelled: %v is of kind %d", err, KindOf(err))
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	for _, s := range []string{"", "0", "17", "-1", "99999999999999999999", "Tue, 24 Nov 2026 12:01:00 GMT", "Tuesday, 24-Nov-26 12:01:00 GMT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d := ParseRetryAfter(s, time.Unix(0, 0)); d < 0 {
			t.Errorf("%q gives %s", s, d)
		}
	})
}
