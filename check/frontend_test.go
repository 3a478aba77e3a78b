package check

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/miekg/dns"
)

type frontendSituation struct {
	name, state string
	spoil       func(*world, *Checker)
}

func frontendSituations() []frontendSituation {
	return []frontendSituation{
		{"up", StateOK, func(*world, *Checker) {}},
		{"answers 500", StateBroken, func(w *world, _ *Checker) {
			w.secure = func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) }
		}},
		{"down", StateBroken, func(w *world, _ *Checker) { w.closed = true }},
		{"no handshake", StateBroken, func(w *world, _ *Checker) { w.noCert = true }},
		{"untrusted", StateBroken, func(_ *world, c *Checker) { c.Roots = x509.NewCertPool() }},
		{"no address", StateBroken, func(w *world, _ *Checker) {
			w.dns.answers["www.xn--duavgr-0xa.se. A"] = Answer{Rcode: dns.RcodeNameError}
		}},
		{"resolver silent", StateUnknown, func(w *world, _ *Checker) { w.dns.err = errors.New("down") }},
	}
}

// run starts a frontend and looks at its health.
func (s frontendSituation) run(t *testing.T, language string) Result {
	t.Helper()
	w := newWorld(t)
	w.leaf.names = []string{"www.xn--duavgr-0xa.se"}
	w.secure = func(http.ResponseWriter, *http.Request) {}
	s.spoil(w, &Checker{})
	c := w.checker(language)
	s.spoil(w, c)
	r := c.FrontendHealth(t.Context(), fmt.Sprintf("https://www.duavgör.se:%d/", c.Ports.HTTPS), nil)
	if r.State != s.state {
		t.Errorf("%s: %q, want %q: %s", s.name, r.State, s.state, r.Finding)
	}
	r.Finding = anyFrontendPort.ReplaceAllString(r.Finding, "duavgör.se:PORT")
	return r
}

func TestFrontendSince(t *testing.T) {
	t.Parallel()
	c := &Checker{Resolver: fakeResolver{err: errors.New("down")}, Now: func() time.Time { return today }}
	earlier := today.Add(-time.Hour)
	kept := c.FrontendHealth(t.Context(), target, &Result{State: StateUnknown, Since: earlier})
	fresh := c.FrontendHealth(t.Context(), target, &Result{State: StateOK, Since: earlier})
	if !kept.Since.Equal(earlier) || !fresh.Since.Equal(today) {
		t.Errorf("since %s and %s", kept.Since, fresh.Since)
	}
}
