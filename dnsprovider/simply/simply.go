// Package simply keeps zones at Simply.com by its API v2
// (https://www.simply.com/docs/api/). It is our own since libdns' module gives
// SRV records names that aren't in the zone, can't read a zone with an SVCB
// record at a plain name, reads the whole zone once more after each record, and
// can't list zones.
package simply

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
)

// Settings are those of an account.
type Settings struct {
	AccountName string `json:"account_name" doc:"the account number, S and six digits, or UE and six for older ones" example:"S123456" required:"true"`
	APIKey      string `json:"api_key" doc:"the account's API key" example:"${env:SIMPLY_API_KEY}" required:"true" secret:"true"`
	BaseURL     string `json:"base_url" doc:"another address of the API" example:"https://api.simply.com/2/"`
}

// Check finds what is wrong with settings, by key.
func (s Settings) Check() map[string]error {
	if at, err := url.Parse(s.BaseURL); s.BaseURL != "" && (err != nil || at.Scheme != "https" || at.Host == "") {
		return map[string]error{"base_url": errors.New("write an address that begins with https://")}
	}
	return nil
}

// Provider is one account. It is safe for concurrent use.
type Provider struct {
	byid.Libdns
	api api
}

var _ libdns.ZoneLister = (*Provider)(nil)

// New makes a Provider. Nothing is asked of Simply.com yet.
func New(s Settings) *Provider {
	if s.BaseURL == "" {
		s.BaseURL = "https://api.simply.com/2/"
	}
	a := api{
		rest: zoneio.NewREST(func(r *http.Request) { r.SetBasicAuth(s.AccountName, s.APIKey) }),
		base: strings.TrimSuffix(s.BaseURL, "/") + "/my/products",
	}
	return &Provider{byid.Libdns{API: a}, a}
}

// answer is what any of the calls answers.
type answer struct {
	Message  string    `json:"message"`
	Records  *[]record `json:"records"`
	Products []struct {
		Object string `json:"object"`
		Domain struct {
			Name string `json:"name"`
		} `json:"domain"`
	} `json:"products"`
}

// ListZones gives the names of the account's products, which have their zones.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	got, err := p.api.call(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return nil, err
	}
	var out []libdns.Zone
	for _, product := range got.Products {
		if name := product.Domain.Name; name != "" {
			out = append(out, libdns.Zone{Name: dns.Fqdn(name)})
		}
	}
	return out, nil
}

// api is Simply.com's records by id.
type api struct {
	rest *zoneio.REST
	base string
}

// record is a record as the API has it.
type record struct {
	ID       int64   `json:"record_id,omitempty"`
	Name     string  `json:"name"`
	TTL      int64   `json:"ttl"`
	Data     string  `json:"data"`
	Type     string  `json:"type"`
	Priority *uint16 `json:"priority,omitempty"`
}

// parse reads a record; names in it are absolute, with a dot or without.
func (r record) parse(zone string) (dns.RR, error) {
	data, priority := r.Data, uint16(0)
	if r.Priority != nil {
		priority = *r.Priority
	}
	switch r.Type {
	case "CNAME", "DNAME", "NS", "PTR":
		data = dns.Fqdn(data)
	case "MX", "SRV":
		data = fmt.Sprintf("%d %s", priority, dns.Fqdn(data))
	}
	return byid.Parse(zone, r.Name, r.Type, r.TTL, data)
}

// form gives a record as the API takes it.
func form(rr dns.RR, zone string) (record, error) {
	h := rr.Header()
	owner, _ := zoneio.RelativeName(h.Name, zone) // came by zone
	r := record{Name: owner, TTL: int64(h.Ttl), Type: dns.TypeToString[h.Rrtype], Data: zoneio.Presentation(rr)}
	var err error
	switch rr := rr.(type) {
	case *dns.TXT:
		if r.Data, err = byid.Text(rr); err == nil && r.Data == "" {
			err = zoneio.As(zoneio.Unsupported, fmt.Errorf("%s TXT can't be kept at Simply.com, which takes no empty texts", h.Name))
		}
	case *dns.MX:
		r.Priority, r.Data = &rr.Preference, rr.Mx
	case *dns.SRV:
		r.Priority, r.Data = &rr.Priority, fmt.Sprintf("%d %d %s", rr.Weight, rr.Port, rr.Target)
	}
	return r, err
}

func (a api) Records(ctx context.Context, zone string, _ []string) ([]byid.Record, error) {
	got, err := a.call(ctx, http.MethodGet, records(zone), nil)
	if err != nil {
		return nil, err
	}
	if got.Records == nil {
		return nil, fmt.Errorf("the answer of Simply.com has no records")
	}
	return byid.Collect(zone, *got.Records, func(r record) (any, string, dns.RR, error) {
		rr, err := r.parse(zone)
		return r.ID, r.Name, rr, err
	})
}

func records(zone string) string { return "/" + zone + "/dns/records" }

func (a api) Add(ctx context.Context, zone string, rr dns.RR) error {
	return a.write(ctx, http.MethodPost, zone, "", rr)
}

func (a api) Change(ctx context.Context, zone string, was byid.Record, rr dns.RR) error {
	return a.write(ctx, http.MethodPut, zone, "/"+was.ID, rr)
}

func (a api) Remove(ctx context.Context, zone string, r byid.Record) error {
	_, err := a.call(ctx, http.MethodDelete, records(zone)+"/"+r.ID, nil)
	return err
}

func (a api) write(ctx context.Context, method, zone, id string, rr dns.RR) error {
	r, err := form(rr, zone)
	if err != nil {
		return err
	}
	_, err = a.call(ctx, method, records(zone)+id, r)
	return err
}

func (a api) call(ctx context.Context, method, path string, body any) (answer, error) {
	var got answer
	reply, err := a.rest.Call(ctx, method, a.base+path, body)
	if err != nil {
		return got, err
	}
	if reply.Status < 300 {
		return got, reply.Decode(&got)
	}
	kind := zoneio.Other
	if reply.Status == http.StatusNotFound {
		kind = zoneio.NoZone
	}
	return got, zoneio.As(kind, fmt.Errorf("refused by Simply.com (HTTP %d): %s", reply.Status, reply.Text()))
}
