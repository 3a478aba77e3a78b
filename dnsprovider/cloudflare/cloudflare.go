// Package cloudflare keeps zones at Cloudflare by its API
// (https://developers.cloudflare.com/api/resources/dns/). It is our own since
// libdns' module can't write a null MX, which is what a domain without mail
// needs, nor TLSA, deletes all SRV and HTTPS records of a name with one, lists
// the first 20 zones alone, and never looks up a zone's id again.
package cloudflare

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/byid"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// Settings are those of a token.
type Settings struct {
	APIToken  string `json:"api_token" doc:"an API token with the permissions Zone:Read and DNS:Edit; no global API key" example:"${env:CLOUDFLARE_API_TOKEN}" required:"true" secret:"true"`
	ZoneToken string `json:"zone_token" doc:"another token for looking up zones, where api_token has no Zone:Read" example:"${env:CLOUDFLARE_ZONE_TOKEN}" secret:"true"`
	AccountID string `json:"account_id" doc:"the account to create missing zones in, with a token that has Zone:Edit; without it none are created" example:"0123456789abcdef0123456789abcdef"`
}

// Provider is what a token may do. It is safe for concurrent use.
type Provider struct {
	byid.Libdns
	api     *api
	account string // to create zones in
}

// The interfaces that the adapter looks for.
var (
	_ libdns.ZoneLister = (*Provider)(nil)
	_ zoneio.Creator    = (*Provider)(nil)
)

// New makes a Provider. Nothing is asked of Cloudflare yet.
func New(s Settings) *Provider {
	if s.ZoneToken == "" {
		s.ZoneToken = s.APIToken
	}
	bearer := func(token string) *zoneio.REST {
		return zoneio.NewREST(func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
	}
	a := &api{records: bearer(s.APIToken), zones: bearer(s.ZoneToken), ids: make(map[string]string)}
	return &Provider{byid.Libdns{API: a}, a, s.AccountID}
}

// CreateZone makes a zone without records: Cloudflare takes none with it.
func (p *Provider) CreateZone(ctx context.Context, name portfolio.Name, _ []portfolio.RRset) error {
	type account struct {
		ID string `json:"id"`
	}
	answer, err := p.api.zones.Call(ctx, http.MethodPost, zones, struct {
		Name    string  `json:"name"`
		Type    string  `json:"type"`
		Account account `json:"account"`
	}{name.ASCII(), "full", account{p.account}})
	if err == nil {
		_, err = open[struct{}](answer)
	}
	return err
}

// ListZones gives the zones that the token may see.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	found, err := pages[zone](ctx, p.api.zones, zones, url.Values{"per_page": {"50"}})
	if err != nil {
		return nil, err
	}
	out := make([]libdns.Zone, len(found))
	for i, z := range found {
		out[i].Name = dns.Fqdn(z.Name)
	}
	return out, nil
}

const zones = "https://api.cloudflare.com/client/v4/zones"

type zone struct{ ID, Name string }

// api is Cloudflare's records by id.
type api struct {
	records, zones *zoneio.REST

	mu  sync.Mutex
	ids map[string]string // of zones, by name; a zone that was made anew has another
}

// at gives the address of a zone's records.
func (a *api) at(ctx context.Context, name string) (string, error) {
	a.mu.Lock()
	id := a.ids[name]
	a.mu.Unlock()
	if id == "" {
		found, err := pages[zone](ctx, a.zones, zones, url.Values{"name": {name}})
		if err != nil {
			return "", err
		}
		if len(found) != 1 {
			return "", zoneio.As(zoneio.NoZone, fmt.Errorf("the token sees %d zones named %s", len(found), name))
		}
		id = found[0].ID
		a.mu.Lock()
		a.ids[name] = id
		a.mu.Unlock()
	}
	return zones + "/" + url.PathEscape(id) + "/dns_records", nil
}

// failed forgets what a zone's id was, since it may be that which fails.
func (a *api) failed(name string, err error) error {
	if err != nil {
		a.mu.Lock()
		delete(a.ids, name)
		a.mu.Unlock()
	}
	return err
}

func (a *api) Records(ctx context.Context, name string, _ []string) ([]byid.Record, error) {
	a.mu.Lock()
	_, remembered := a.ids[name]
	a.mu.Unlock()
	found, err := a.list(ctx, name)
	if remembered && zoneio.KindOf(err) == zoneio.NoZone {
		found, err = a.list(ctx, name)
	}
	if err != nil {
		return nil, err
	}
	var out []byid.Record
	for _, r := range found {
		rr, err := r.parse(name)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.Name, r.Type, err)
		}
		if rr != nil {
			out = append(out, byid.Record{ID: r.ID, RR: rr})
		}
	}
	return out, nil
}

func (a *api) list(ctx context.Context, name string) ([]record, error) {
	at, err := a.at(ctx, name)
	if err != nil {
		return nil, err
	}
	found, err := pages[record](ctx, a.records, at, url.Values{"per_page": {"100"}})
	return found, a.failed(name, err)
}

func (a *api) Add(ctx context.Context, name string, rr dns.RR) error {
	return a.write(ctx, name, http.MethodPost, "", rr)
}

// Change keeps comment and tags; the record is no longer proxied.
func (a *api) Change(ctx context.Context, name string, was byid.Record, rr dns.RR) error {
	return a.write(ctx, name, http.MethodPatch, "/"+url.PathEscape(was.ID), rr)
}

func (a *api) Remove(ctx context.Context, name string, r byid.Record) error {
	return a.write(ctx, name, http.MethodDelete, "/"+url.PathEscape(r.ID), nil)
}

func (a *api) write(ctx context.Context, name, method, id string, rr dns.RR) error {
	at, err := a.at(ctx, name)
	if err != nil {
		return err
	}
	var body any
	if rr != nil {
		body = form(rr)
	}
	answer, err := a.records.Call(ctx, method, at+id, body)
	if err == nil {
		_, err = open[struct{}](answer)
	}
	if zoneio.KindOf(err) == zoneio.NoZone { // the record went meanwhile
		if method == http.MethodDelete {
			return nil
		}
		err = zoneio.As(zoneio.Temporary, err)
	}
	return a.failed(name, err)
}

// envelope is around every answer.
type envelope[T any] struct {
	Success bool `json:"success"`
	Errors  []struct {
		fault
		Chain []fault `json:"error_chain"`
	} `json:"errors"`
	Result T `json:"result"`
	Info   struct {
		Page  int `json:"page"`
		Pages int `json:"total_pages"`
		Count int `json:"total_count"`
	} `json:"result_info"`
}

type fault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// open takes an answer out of its envelope.
func open[T any](a *zoneio.Answer) (envelope[T], error) {
	var e envelope[T]
	if err := a.Decode(&e); err != nil {
		return e, err
	}
	if e.Success && a.Status < 300 {
		return e, nil
	}
	kind, reasons := zoneio.Other, []string{}
	if a.Status == http.StatusNotFound {
		kind = zoneio.NoZone
	}
	for _, f := range e.Errors {
		for _, f := range append([]fault{f.fault}, f.Chain...) {
			reasons = append(reasons, fmt.Sprintf("%d %s", f.Code, f.Message))
			if slices.Contains(unauthorized, f.Code) {
				kind = zoneio.Credentials
			}
		}
	}
	return e, zoneio.As(kind, fmt.Errorf("refused by Cloudflare (HTTP %d): %s", a.Status, strings.Join(reasons, "; ")))
}

// unauthorized are the codes of refused tokens, which come with 400 and 403 too.
var unauthorized = []int{1000, 6003, 6111, 9109, 10000}

// pages reads a list to its end, and fails where it doesn't get as many items
// as the answers promise.
func pages[T any](ctx context.Context, rest *zoneio.REST, at string, query url.Values) ([]T, error) {
	var all []T
	for number := 1; ; number++ {
		query.Set("page", fmt.Sprint(number))
		answer, err := rest.Call(ctx, http.MethodGet, at+"?"+query.Encode(), nil)
		if err != nil {
			return nil, err
		}
		page, err := open[[]T](answer)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Result...)
		switch {
		case number < page.Info.Pages && len(page.Result) > 0:
		case len(all) != page.Info.Count:
			return nil, zoneio.As(zoneio.Temporary, fmt.Errorf("got %d of %d items; they changed meanwhile", len(all), page.Info.Count))
		default:
			return all, nil
		}
	}
}
