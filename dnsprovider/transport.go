package dnsprovider

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"domherre/dnsprovider/zoneio"
)

// Route makes the requests of libdns modules bearable: to be called once, before
// anything is asked. See Routed.
func Route() {
	base, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return // somebody else's, who knows what for
	}
	http.DefaultTransport = Routed(base)
	http.DefaultClient.Transport = http.DefaultTransport // else linode's library puts its own there
}

// Routed gives a transport to take the place of http.DefaultTransport. Most libdns modules make their requests through
// that one and have no place for another; here they are told apart by the call
// in their context, so that a provider's limits, its timeout and its counter
// apply to each HTTP request. All other requests pass to base. Modules with a
// client of their own, and those that don't pass their context on, are bound
// call by call instead.
func Routed(base *http.Transport) *http.Transport {
	front := base.Clone() // stays an *http.Transport, since some assert that it is
	front.TLSNextProto = make(map[string]func(string, *tls.Conn) http.RoundTripper)
	front.RegisterProtocol("http", router{base})
	front.RegisterProtocol("https", router{base})
	return front
}

type router struct{ base http.RoundTripper }

func (r router) RoundTrip(req *http.Request) (*http.Response, error) {
	c, ok := req.Context().Value(callKey{}).(*moduleCall)
	if !ok {
		return r.base.RoundTrip(req)
	}
	return c.roundTrip(r.base, req)
}

type callKey struct{}

// moduleCall is one call of a module, as its HTTP requests see it.
type moduleCall struct {
	p       *provider
	op      string
	timeout time.Duration
	idle    *time.Timer // ends the call once it has asked for nothing that long

	mu      sync.Mutex
	paid    bool          // the call itself has waited for its turn already
	made    int           // HTTP requests
	status  int           // of the last answer; 0 where the last request had none
	after   time.Duration // that it asked to be left alone
	failed  error         // why the last request had no answer
	expired bool          // it was silent for too long
}

// begin gives the context for a call of a module; end must be called after it.
func (p *provider) begin(ctx context.Context, op string, paid bool) (_ context.Context, c *moduleCall, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	c = &moduleCall{p: p, op: op, timeout: p.limits.Timeout, paid: paid}
	c.idle = time.AfterFunc(c.timeout, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.expired = true
		cancel()
	})
	return context.WithValue(ctx, callKey{}, c), c, func() {
		c.idle.Stop()
		cancel()
	}
}

func (c *moduleCall) roundTrip(base http.RoundTripper, req *http.Request) (*http.Response, error) {
	c.idle.Stop() // to wait for one's turn is no silence
	defer c.idle.Reset(c.timeout)
	if err := c.lost(); err != nil {
		return nil, err
	}
	if client := c.p.deps.HTTP; client != nil && client.Transport != nil {
		base = client.Transport
	}
	c.p.routed.Store(true)
	if paid := c.pays(); !paid && !c.p.typ.byCall {
		if err := c.p.gate.pace(req.Context()); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(req.Context(), c.timeout)
	resp, err := base.RoundTrip(req.WithContext(ctx))
	c.saw(resp, err)
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = body{resp.Body, cancel}
	return resp, nil
}

// body ends the request's time when it is closed.
type body struct {
	io.ReadCloser
	cancel func()
}

func (b body) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// lost gives the error of a request that had no answer. The call makes no other
// then: what a module tries again by itself takes its own writes for another's,
// and multiplies the tries. The adapter looks at the zone first.
func (c *moduleCall) lost() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// pays reports whether the request goes on what the call has waited for.
func (c *moduleCall) pays() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	paid := c.paid
	c.paid = false
	return paid
}

// saw takes note of what a request came to.
func (c *moduleCall) saw(resp *http.Response, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status, c.after, c.failed = 0, 0, err
	if err == nil {
		c.status = resp.StatusCode
		c.after = zoneio.AskedPause(resp.Header, c.p.deps.Now())
	}
	known := c.known(err)
	c.p.deps.Requested(c.p.cfg.Name, c.op, outcome(known))
	if zoneio.KindOf(known) == zoneio.Temporary {
		c.p.gate.hold(c.after)
	}
}

// known gives an error the kind that the last answer tells; nil where that was
// none of failure. c.mu is held.
func (c *moduleCall) known(err error) error {
	kind := zoneio.Temporary
	switch {
	case c.expired:
		return zoneio.As(kind, fmt.Errorf("no answer in %s", c.timeout))
	case c.failed != nil:
		return c.failed
	case c.status == http.StatusUnauthorized:
		kind = zoneio.Credentials
	case c.status == http.StatusNotFound && c.op == "read":
		kind = zoneio.NoZone
	case c.status == http.StatusTooManyRequests, c.status >= 500:
	default:
		return err
	}
	if err == nil {
		err = fmt.Errorf("HTTP %d %s", c.status, http.StatusText(c.status))
	}
	return &zoneio.Error{Kind: kind, RetryAfter: c.after, Err: err}
}

// explain gives the error of a call the kind that its last request tells: many
// modules keep no more than the text of a refusal.
func (c *moduleCall) explain(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.made == 0 {
		err = c.known(err) // it may have been silent
	}
	if c.made == 0 {
		c.p.deps.Requested(c.p.cfg.Name, c.op, outcome(classify(err)))
	}
	if err == nil || c.made == 0 {
		return err
	}
	cause := c.known(err)
	if c.failed != nil && !c.expired {
		return because{err, cause}
	}
	return cause
}

// because is an error that lost its cause on the way.
type because struct {
	error
	cause error
}

func (e because) Unwrap() []error { return []error{e.error, e.cause} }
