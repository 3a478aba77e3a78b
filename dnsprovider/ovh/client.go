package ovh

import (
	"context"
	"crypto/sha1" // what the API asks for
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	"domherre/dnsprovider/zoneio"
)

// client calls the API by requests that it signs.
type client struct {
	settings Settings
	signed   *zoneio.REST
	open     *zoneio.REST

	mu    sync.Mutex
	clock *time.Duration // what OVH's is ahead of ours; nil: not asked yet
}

func newClient(s Settings) *client {
	c := &client{settings: s}
	c.signed = zoneio.NewREST(c.sign)
	c.open = zoneio.NewREST(func(r *http.Request) { r.Header.Set("X-Ovh-Application", s.ApplicationKey) })
	return c
}

// sign signs a request (https://help.ovhcloud.com/csm/en-api-getting-started-ovhcloud-api):
// its time, method, address and body.
func (c *client) sign(r *http.Request) {
	body := ""
	if r.GetBody != nil {
		if given, err := r.GetBody(); err == nil { // of a request with a body in memory it doesn't fail
			text, _ := io.ReadAll(given)
			body = string(text)
		}
	}
	now := strconv.FormatInt(c.now().Unix(), 10)
	sum := sha1.Sum([]byte(c.settings.ApplicationSecret + "+" + c.settings.ConsumerKey + "+" + r.Method + "+" + r.URL.String() + "+" + body + "+" + now))
	r.Header.Set("X-Ovh-Application", c.settings.ApplicationKey)
	r.Header.Set("X-Ovh-Consumer", c.settings.ConsumerKey)
	r.Header.Set("X-Ovh-Timestamp", now)
	r.Header.Set("X-Ovh-Signature", fmt.Sprintf("$1$%x", sum))
}

// now is the time by OVH's clock.
func (c *client) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clock == nil {
		return time.Now()
	}
	return time.Now().Add(*c.clock)
}

// synchronize asks for OVH's clock, once: it refuses requests of another time.
func (c *client) synchronize(ctx context.Context) error {
	c.mu.Lock()
	known := c.clock != nil
	c.mu.Unlock()
	if known {
		return nil
	}
	answer, err := c.open.Call(ctx, http.MethodGet, endpoints[c.settings.Endpoint]+"/auth/time", nil)
	if err == nil {
		err = refused(answer)
	}
	var seconds int64
	if err == nil {
		err = answer.Decode(&seconds)
	}
	if err != nil {
		return fmt.Errorf("ask for OVH's clock: %w", err)
	}
	ahead := time.Until(time.Unix(seconds, 0)).Round(time.Second)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock = &ahead
	return nil
}

// call makes a request; into may be nil.
func (c *client) call(ctx context.Context, method, path string, body, into any) error {
	if err := c.synchronize(ctx); err != nil {
		return err
	}
	answer, err := c.signed.Call(ctx, method, endpoints[c.settings.Endpoint]+path, body)
	if err != nil {
		return err
	}
	if err := refused(answer); err != nil || into == nil {
		return err
	}
	return answer.Decode(into)
}

// invalid are the codes of keys that open nothing. Others come with 403 too: of
// calls that a good key doesn't allow.
var invalid = regexp.MustCompile(`INVALID_(KEY|CREDENTIAL|SIGNATURE)|NOT_CREDENTIAL`)

// refused gives a refusal its kind.
func refused(a *zoneio.Answer) error {
	kind := zoneio.Other
	switch {
	case a.Status < 300:
		return nil
	case a.Status == http.StatusNotFound:
		kind = zoneio.NoZone
	case a.Status == http.StatusForbidden && invalid.MatchString(a.Text()):
		kind = zoneio.Credentials
	}
	return zoneio.As(kind, fmt.Errorf("OVH answers %d: %s", a.Status, a.Text()))
}
