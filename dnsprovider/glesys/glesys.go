// Package glesys keeps zones at GleSYS by its API, JSON at
// https://api.glesys.com (https://github.com/glesys/api-docs/wiki). It is our own
// since libdns' module finds records by their spelling, so that one written
// otherwise by hand can't be deleted, sends octets that are no UTF-8 as others,
// and can't list zones.
package glesys

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/byid"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// Settings are those of an API key.
type Settings struct {
	Project string `json:"project" doc:"the project's id" example:"cl12345" required:"true"`
	APIKey  string `json:"api_key" doc:"an API key that may use the domain module: list, listrecords, addrecord, updaterecord and deleterecord" example:"${env:GLESYS_API_KEY}" required:"true" secret:"true"`

	CreateZones bool `json:"create_zones" doc:"create missing zones, by a key that may use domain's add; GleSYS may charge for them" example:"false"`
}

// Provider is one project. It is safe for concurrent use.
type Provider struct {
	byid.Libdns
	api api
}

// The interfaces that the adapter looks for.
var (
	_ libdns.ZoneLister = (*Provider)(nil)
	_ zoneio.Creator    = (*Provider)(nil)
)

// New makes a Provider. Nothing is asked of GleSYS yet.
func New(s Settings) *Provider {
	a := api{zoneio.NewREST(func(r *http.Request) { r.SetBasicAuth(s.Project, s.APIKey) })}
	return &Provider{byid.Libdns{API: a}, a}
}

// CreateZone makes a zone without records: GleSYS takes none with it.
func (p *Provider) CreateZone(ctx context.Context, name portfolio.Name, _ []portfolio.RRset) error {
	_, err := p.api.call(ctx, "add", struct {
		Domain        string `json:"domainname"`
		CreateRecords int    `json:"createrecords"` // none of GleSYS' own choice
	}{Domain: name.ASCII()})
	return err
}

// ListZones gives the project's domains.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	answer, err := p.api.call(ctx, "list", nil)
	if err != nil {
		return nil, err
	}
	out := make([]libdns.Zone, len(answer.Domains))
	for i, d := range answer.Domains {
		out[i].Name = dns.Fqdn(d.Name)
	}
	return out, nil
}

// api is GleSYS' records by id.
type api struct{ rest *zoneio.REST }

// answer is what any of the calls answers.
type answer struct {
	Status struct {
		Code int    `json:"code"`
		Text string `json:"text"`
	} `json:"status"`
	Domains []struct {
		Name string `json:"domainname"`
	} `json:"domains"`
	Records *[]record `json:"records"`
}

type record struct {
	Domain string      `json:"domainname,omitempty"`
	ID     json.Number `json:"recordid,omitempty"`
	Host   string      `json:"host,omitempty"`
	Type   string      `json:"type,omitempty"`
	Data   string      `json:"data,omitempty"`
	TTL    int64       `json:"ttl,omitempty"`
}

func (a api) Records(ctx context.Context, zone string, _ []string) ([]byid.Record, error) {
	answer, err := a.call(ctx, "listrecords", record{Domain: zone})
	if err != nil {
		return nil, err
	}
	if answer.Records == nil {
		return nil, fmt.Errorf("listrecords: GleSYS' answer has no records")
	}
	return byid.Collect(zone, *answer.Records, func(r record) (any, string, dns.RR, error) {
		rr, err := byid.Parse(zone, r.Host, r.Type, r.TTL, r.Data)
		return r.ID, r.Host, rr, err
	})
}

func (a api) Add(ctx context.Context, zone string, rr dns.RR) error {
	r, err := form(rr, zone)
	if err != nil {
		return err
	}
	r.Domain = zone
	_, err = a.call(ctx, "addrecord", r)
	return err
}

func (a api) Change(ctx context.Context, zone string, was byid.Record, rr dns.RR) error {
	r, err := form(rr, zone)
	if err != nil {
		return err
	}
	r.ID = json.Number(was.ID)
	_, err = a.call(ctx, "updaterecord", r)
	return err
}

func (a api) Remove(ctx context.Context, _ string, r byid.Record) error {
	_, err := a.call(ctx, "deleterecord", record{ID: json.Number(r.ID)})
	return err
}

// types are those that GleSYS keeps, beside SOA and its own URL.
var types = []uint16{
	dns.TypeA, dns.TypeAAAA, dns.TypeCAA, dns.TypeCNAME, dns.TypeMX, dns.TypeNS, dns.TypePTR, dns.TypeSRV, dns.TypeTXT,
}

// form gives a record as the API takes it, or why GleSYS can't keep it.
func form(rr dns.RR, zone string) (record, error) {
	owner, _ := zoneio.RelativeName(rr.Header().Name, zone) // came by zone
	r := record{Host: owner, Type: dns.TypeToString[rr.Header().Rrtype], Data: zoneio.Presentation(rr), TTL: int64(rr.Header().Ttl)}
	if !slices.Contains(types, rr.Header().Rrtype) {
		return r, zoneio.As(zoneio.Unsupported, fmt.Errorf("%s %s: GleSYS keeps no %[2]s records", rr.Header().Name, r.Type))
	}
	if txt, ok := rr.(*dns.TXT); ok {
		var err error
		r.Data, err = byid.Text(txt)
		return r, err
	}
	return r, nil
}

// call makes a call of the domain module.
func (a api) call(ctx context.Context, method string, params any) (answer, error) {
	got, err := a.rest.Call(ctx, http.MethodPost, "https://api.glesys.com/domain/"+method, params)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", method, err)
	}
	var envelope struct{ Response answer }
	if err := got.Decode(&envelope); err != nil {
		return answer{}, fmt.Errorf("%s: GleSYS: %w", method, err)
	}
	if status := envelope.Response.Status; got.Status != http.StatusOK || status.Code != http.StatusOK {
		return answer{}, fmt.Errorf("%s: GleSYS answers %d %s", method, got.Status, strings.TrimSpace(status.Text))
	}
	return envelope.Response, nil
}
