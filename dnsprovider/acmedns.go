package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/libdns/acmedns"
	"github.com/libdns/libdns"
	"golang.org/x/net/publicsuffix"

	"domherre/dnsprovider/zoneio"
)

// challenges is an account at acme-dns as the zone that its server lies in, of
// which it holds the challenges that were put there by this process. acme-dns
// itself tells nothing, and keeps the last two values.
type challenges struct {
	*acmedns.Provider
	zone string // of the server, with a dot

	mu   sync.Mutex
	held []libdns.TXT
}

const acmeDNSHolds = 2

// acmeDNS gives the challenges of an account.
func acmeDNS(impl any) any {
	p := impl.(*acmedns.Provider)
	p.ServerURL = strings.TrimSuffix(p.ServerURL, "/")
	c := &challenges{Provider: p}
	if u, err := url.Parse(p.ServerURL); err == nil {
		if name, err := publicsuffix.EffectiveTLDPlusOne(u.Hostname()); err == nil {
			c.zone = strings.ToLower(name) + "."
		}
	}
	return c
}

func (c *challenges) GetRecords(_ context.Context, zone string) ([]libdns.Record, error) {
	if !strings.EqualFold(zone, c.zone) {
		return nil, zoneio.As(zoneio.NoZone, errors.New("acme-dns keeps challenges alone, no zones"))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]libdns.Record, len(c.held))
	for i, txt := range c.held {
		out[i] = txt
	}
	return out, nil
}

func (c *challenges) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rec := range recs {
		rr := rec.RR()
		if label, _, _ := strings.Cut(rr.Name, "."); rr.Type != "TXT" || !strings.EqualFold(label, c.Subdomain) {
			return nil, zoneio.As(zoneio.Unsupported, fmt.Errorf("acme-dns holds challenges at the account's subdomain %s alone, not %s %s", c.Subdomain, rr.Name, rr.Type))
		}
		if len(c.held) >= acmeDNSHolds {
			return nil, zoneio.As(zoneio.Temporary, fmt.Errorf("%d challenges are under way, and acme-dns holds no more", len(c.held)))
		}
		if _, err := c.Provider.AppendRecords(ctx, zone, []libdns.Record{rec}); err != nil {
			return nil, err
		}
		c.held = append(c.held, libdns.TXT{Name: rr.Name, TTL: rr.TTL.Truncate(time.Second), Text: rr.Data})
	}
	return recs, nil
}

// DeleteRecords forgets: the values go as others come.
func (c *challenges) DeleteRecords(_ context.Context, _ string, recs []libdns.Record) ([]libdns.Record, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = slices.DeleteFunc(c.held, func(txt libdns.TXT) bool {
		return slices.ContainsFunc(recs, func(rec libdns.Record) bool { return rec.RR().Name == txt.Name && rec.RR().Data == txt.Text })
	})
	return recs, nil
}
