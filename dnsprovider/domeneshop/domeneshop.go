// Package domeneshop keeps zones at Domeneshop, by its other name Domainnameshop,
// by its API (https://api.domeneshop.no/docs/). It is our own since libdns' module
// can't write MX, SRV and CAA records, can't read a zone that holds CAA records,
// never looks up a zone's id again, logs every record, and can't list zones.
package domeneshop

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/byid"
	"domherre/dnsprovider/zoneio"
)

// Settings are those of a token.
type Settings struct {
	APIToken  string `json:"api_token" doc:"an API token" example:"${env:DOMAINNAMESHOP_API_TOKEN}" required:"true" secret:"true"`
	APISecret string `json:"api_secret" doc:"the token's secret" example:"${env:DOMAINNAMESHOP_API_SECRET}" required:"true" secret:"true"`
}

// Provider is one account. It is safe for concurrent use.
type Provider struct {
	byid.Libdns
	api *api
}

var _ libdns.ZoneLister = (*Provider)(nil)

const domains = "https://api.domeneshop.no/v0/domains"

// New makes a Provider. Nothing is asked of Domeneshop yet.
func New(s Settings) *Provider {
	a := &api{rest: zoneio.NewREST(func(r *http.Request) { r.SetBasicAuth(s.APIToken, s.APISecret) })}
	a.ids.Find = a.find
	return &Provider{byid.Libdns{API: a}, a}
}

type domain struct {
	ID       int64  `json:"id"`
	Name     string `json:"domain"`
	Services struct {
		DNS bool `json:"dns"`
	} `json:"services"`
}

// ListZones gives the account's domains that Domeneshop keeps the zones of.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	var found []domain
	if err := p.api.call(ctx, http.MethodGet, domains, nil, &found); err != nil {
		return nil, err
	}
	var out []libdns.Zone
	for _, d := range found {
		if d.Services.DNS {
			out = append(out, libdns.Zone{Name: dns.Fqdn(d.Name)})
		}
	}
	return out, nil
}

// api is Domeneshop's records by id.
type api struct {
	rest *zoneio.REST
	ids  byid.ZoneIDs
}

// find looks for a domain: the API gives those of which the name contains what
// is asked for.
func (a *api) find(ctx context.Context, name string) (string, error) {
	var found []domain
	if err := a.call(ctx, http.MethodGet, domains+"?domain="+url.QueryEscape(name), nil, &found); err != nil {
		return "", err
	}
	for _, d := range found {
		if strings.EqualFold(d.Name, name) && d.Services.DNS {
			return fmt.Sprint(d.ID), nil
		}
	}
	return "", zoneio.As(zoneio.NoZone, fmt.Errorf("the account has no domain %s with DNS", name))
}

func (a *api) Records(ctx context.Context, name string, _ []string) ([]byid.Record, error) {
	var found []record
	err := a.ids.With(ctx, name, func(id string) error {
		return a.call(ctx, http.MethodGet, domains+"/"+id+"/dns", nil, &found)
	})
	if err != nil {
		return nil, err
	}
	return byid.Collect(name, found, func(r record) (any, string, dns.RR, error) {
		rr, err := r.parse(name)
		return r.ID, r.Host, rr, err
	})
}

func (a *api) Add(ctx context.Context, name string, rr dns.RR) error {
	return a.write(ctx, http.MethodPost, name, "", rr)
}

func (a *api) Change(ctx context.Context, name string, was byid.Record, rr dns.RR) error {
	return a.write(ctx, http.MethodPut, name, "/"+was.ID, rr)
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
		return a.call(ctx, method, domains+"/"+zone+"/dns"+id, body, nil)
	})
}

// call makes a request; into may be nil.
func (a *api) call(ctx context.Context, method, at string, body, into any) error {
	answer, err := a.rest.Call(ctx, method, at, body)
	kind := zoneio.Other
	switch {
	case err != nil:
		return err
	case answer.Status < http.StatusMultipleChoices && into == nil:
		return nil
	case answer.Status < http.StatusMultipleChoices:
		return answer.Decode(into)
	case answer.Status == http.StatusNotFound:
		kind = zoneio.NoZone
	}
	return zoneio.As(kind, fmt.Errorf("refused by Domeneshop (HTTP %d): %s", answer.Status, answer.Text()))
}
