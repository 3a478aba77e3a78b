// Package bunny keeps zones at bunny.net by its API
// (https://docs.bunny.net/api-reference/core/dns-zone). It is our own since
// libdns' module tells records apart by their value alone, so that of two MX or
// SRV records with one target it may delete the wrong one, never looks up a
// zone's id again, lists the first zones alone, makes none, and takes a zone that
// holds a TLSA record for unreadable.
package bunny

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/byid"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// Settings are those of an account.
type Settings struct {
	AccessKey string `json:"access_key" doc:"the account's API key" example:"${env:BUNNY_ACCESS_KEY}" required:"true" secret:"true"`
}

// Provider is one account. It is safe for concurrent use.
type Provider struct {
	byid.Libdns
	api *api
}

// The interfaces that the adapter looks for.
var (
	_ libdns.ZoneLister = (*Provider)(nil)
	_ zoneio.Creator    = (*Provider)(nil)
)

const zones = "https://api.bunny.net/dnszone"

// New makes a Provider. Nothing is asked of bunny.net yet.
func New(s Settings) *Provider {
	a := &api{rest: zoneio.NewREST(func(r *http.Request) { r.Header.Set("AccessKey", s.AccessKey) })}
	a.ids.Find = a.find
	return &Provider{byid.Libdns{API: a}, a}
}

type zone struct {
	ID     int64 `json:"Id"`
	Domain string
}

// ListZones gives the account's zones.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	found, err := p.api.list(ctx, "")
	if err != nil {
		return nil, err
	}
	out := make([]libdns.Zone, len(found))
	for i, z := range found {
		out[i].Name = dns.Fqdn(z.Domain)
	}
	return out, nil
}

// CreateZone makes a zone with all its records, in one request.
func (p *Provider) CreateZone(ctx context.Context, name portfolio.Name, sets []portfolio.RRset) error {
	body := struct {
		Domain  string
		Records []record
	}{Domain: name.ASCII()}
	for _, set := range sets {
		rrs, err := set.Records(name)
		if err != nil {
			return err
		}
		for _, rr := range rrs {
			r, err := form(rr, name.ASCII())
			if err != nil {
				return err
			}
			body.Records = append(body.Records, r)
		}
	}
	return p.api.call(ctx, http.MethodPost, zones, body, nil)
}

// api is bunny.net's records by id.
type api struct {
	rest *zoneio.REST
	ids  byid.ZoneIDs
}

// list gives the zones of which the name contains search.
func (a *api) list(ctx context.Context, search string) ([]zone, error) {
	var all []zone
	for number := 1; ; number++ {
		query := url.Values{"page": {fmt.Sprint(number)}, "perPage": {"1000"}}
		if search != "" {
			query.Set("search", search)
		}
		var page struct {
			Items        []zone
			TotalItems   int
			HasMoreItems bool
		}
		if err := a.call(ctx, http.MethodGet, zones+"?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		switch {
		case page.HasMoreItems && len(page.Items) > 0:
		case len(all) != page.TotalItems:
			return nil, zoneio.As(zoneio.Temporary, fmt.Errorf("got %d of %d zones; they changed meanwhile", len(all), page.TotalItems))
		default:
			return all, nil
		}
	}
}

func (a *api) find(ctx context.Context, name string) (string, error) {
	found, err := a.list(ctx, name)
	if err != nil {
		return "", err
	}
	for _, z := range found {
		if strings.EqualFold(z.Domain, name) {
			return fmt.Sprint(z.ID), nil
		}
	}
	return "", zoneio.As(zoneio.NoZone, fmt.Errorf("the account has no zone %s", name))
}

func (a *api) Records(ctx context.Context, name string, _ []string) ([]byid.Record, error) {
	var got struct{ Records *[]record }
	err := a.ids.With(ctx, name, func(id string) error {
		return a.call(ctx, http.MethodGet, zones+"/"+id, nil, &got)
	})
	if err != nil {
		return nil, err
	}
	if got.Records == nil {
		return nil, errors.New("bunny.net's answer has no records")
	}
	return byid.Collect(name, *got.Records, func(r record) (any, string, dns.RR, error) {
		rr, err := r.parse(name)
		return r.ID, r.Name, rr, err
	})
}

func (a *api) Add(ctx context.Context, name string, rr dns.RR) error {
	return a.write(ctx, http.MethodPut, name, "", rr)
}

// Change keeps comment and monitoring, which the API lets stay.
func (a *api) Change(ctx context.Context, name string, was byid.Record, rr dns.RR) error {
	return a.write(ctx, http.MethodPost, name, "/"+was.ID, rr)
}

func (a *api) Remove(ctx context.Context, name string, r byid.Record) error {
	return a.write(ctx, http.MethodDelete, name, "/"+r.ID, nil)
}

func (a *api) write(ctx context.Context, method, name, id string, rr dns.RR) error {
	var body any
	if rr != nil {
		r, err := form(rr, name)
		if err != nil {
			return err
		}
		body = r
	}
	return a.ids.With(ctx, name, func(zone string) error {
		return a.call(ctx, method, zones+"/"+zone+"/records"+id, body, nil)
	})
}

// call makes a request; into may be nil.
func (a *api) call(ctx context.Context, method, at string, body, into any) error {
	answer, err := a.rest.Call(ctx, method, at, body)
	switch {
	case err != nil:
		return err
	case answer.Status == http.StatusNotFound:
		return zoneio.As(zoneio.NoZone, fmt.Errorf("bunny.net answers 404: %s", answer.Text()))
	case answer.Status >= 300:
		return fmt.Errorf("bunny.net answers %d: %s", answer.Status, answer.Text())
	case into == nil:
		return nil
	}
	return answer.Decode(into)
}
