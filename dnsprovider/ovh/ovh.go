// Package ovh keeps zones at OVHcloud by its API
// (https://eu.api.ovh.com/console/?section=%2Fdomain). It is our own since
// libdns' module loses quotes within texts, can't read a zone that holds HTTPS
// records, doesn't see that SPF, DKIM and DMARC are texts to the DNS, so that a
// name gets a second policy, leaves changes unserved where a request fails in
// between, and asks for OVH's clock without limit or end.
package ovh

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/byid"
	"domherre/dnsprovider/zoneio"
)

// Settings are those of an application.
type Settings struct {
	Endpoint          string `json:"endpoint" doc:"the API to use: ovh-eu, ovh-ca or ovh-us" example:"ovh-eu" required:"true"`
	ApplicationKey    string `json:"application_key" doc:"the application's key" example:"${env:OVH_APPLICATION_KEY}" required:"true" secret:"true"`
	ApplicationSecret string `json:"application_secret" doc:"the application's secret" example:"${env:OVH_APPLICATION_SECRET}" required:"true" secret:"true"`
	ConsumerKey       string `json:"consumer_key" doc:"a consumer key that may GET, POST, PUT and DELETE /domain/zone/*, and GET /domain/zone" example:"${env:OVH_CONSUMER_KEY}" required:"true" secret:"true"`
}

// endpoints are the APIs that there are.
var endpoints = map[string]string{
	"ovh-eu": "https://eu.api.ovh.com/1.0",
	"ovh-ca": "https://ca.api.ovh.com/1.0",
	"ovh-us": "https://api.us.ovhcloud.com/1.0",
}

// Check finds what is wrong with settings, by key.
func (s Settings) Check() map[string]error {
	if endpoints[s.Endpoint] == "" {
		return map[string]error{"endpoint": fmt.Errorf("there is no endpoint %q; write ovh-eu, ovh-ca or ovh-us", s.Endpoint)}
	}
	return nil
}

// Provider is one application. It is safe for concurrent use.
type Provider struct {
	byid.Libdns
	api *api
}

var _ libdns.ZoneLister = (*Provider)(nil)

// New makes a Provider. Nothing is asked of OVH yet.
func New(s Settings) *Provider {
	a := &api{client: newClient(s), unserved: make(map[string]bool)}
	return &Provider{byid.Libdns{API: a}, a}
}

// ListZones gives the account's zones.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	var names []string
	if err := p.api.client.call(ctx, http.MethodGet, "/domain/zone", nil, &names); err != nil {
		return nil, err
	}
	out := make([]libdns.Zone, len(names))
	for i, name := range names {
		out[i].Name = dns.Fqdn(name)
	}
	return out, nil
}

// api is OVH's records by id.
type api struct {
	client *client

	mu       sync.Mutex
	unserved map[string]bool // zones with changes that OVH was not told to serve yet
}

// record is a record as the API has it.
type record struct {
	ID        int64  `json:"id,omitempty"`
	FieldType string `json:"fieldType,omitempty"`
	SubDomain string `json:"subDomain"`
	TTL       int64  `json:"ttl"`
	Target    string `json:"target"`
}

// texts are the forms of the control panel for what are texts to the DNS.
var texts = []string{"SPF", "DKIM", "DMARC"}

// usual is the TTL of a record that has none of its own.
const usual = 3600

func (r record) parse(zone string) (dns.RR, error) {
	if slices.Contains(texts, r.FieldType) {
		r.FieldType = "TXT"
	}
	if r.TTL == 0 {
		r.TTL = usual
	}
	return byid.Parse(zone, r.SubDomain, r.FieldType, r.TTL, r.Target)
}

func form(rr dns.RR, zone string) record {
	h := rr.Header()
	owner, _ := zoneio.RelativeName(h.Name, zone) // came by zone
	r := record{SubDomain: strings.TrimPrefix(owner, "@"), TTL: int64(h.Ttl), Target: zoneio.Presentation(rr)}
	if txt, ok := rr.(*dns.TXT); ok {
		r.Target = byid.Quoted(txt)
	}
	return r
}

func zonePath(zone string) string { return "/domain/zone/" + zone }

// Records reads record by record: the API has no other way that tells ids.
func (a *api) Records(ctx context.Context, zone string, owners []string) ([]byid.Record, error) {
	if err := a.serve(ctx, zone); err != nil {
		return nil, err
	}
	ids, err := a.ids(ctx, zone, owners)
	if err != nil {
		return nil, err
	}
	var out []byid.Record
	for _, id := range ids {
		var r record
		err := a.client.call(ctx, http.MethodGet, fmt.Sprintf("%s/record/%d", zonePath(zone), id), nil, &r)
		if zoneio.KindOf(err) == zoneio.NoZone {
			continue // it went meanwhile
		}
		if err != nil {
			return nil, err
		}
		rr, err := r.parse(zone)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", r.SubDomain, zone, err)
		}
		if rr != nil {
			out = append(out, byid.Record{ID: fmt.Sprint(id), RR: rr})
		}
	}
	return out, nil
}

// ids lists the records of some owners; of all where there are none.
func (a *api) ids(ctx context.Context, zone string, owners []string) ([]int64, error) {
	const fewer = 3 // owners to ask for one by one: then it is fewer requests than to read all
	queries := []string{""}
	if len(owners) > 0 && len(owners) <= fewer {
		queries = nil
		for _, owner := range owners {
			queries = append(queries, "?subDomain="+strings.TrimPrefix(owner, "@"))
		}
	}
	var all []int64
	for _, q := range queries {
		var ids []int64
		if err := a.client.call(ctx, http.MethodGet, zonePath(zone)+"/record"+q, nil, &ids); err != nil {
			return nil, err
		}
		all = append(all, ids...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func (a *api) Add(ctx context.Context, zone string, rr dns.RR) error {
	r := form(rr, zone)
	r.FieldType = dns.TypeToString[rr.Header().Rrtype]
	return a.write(ctx, http.MethodPost, zone, "", r)
}

// Change leaves the form of the control panel as it is.
func (a *api) Change(ctx context.Context, zone string, was byid.Record, rr dns.RR) error {
	return a.write(ctx, http.MethodPut, zone, "/"+was.ID, form(rr, zone))
}

func (a *api) Remove(ctx context.Context, zone string, r byid.Record) error {
	return a.write(ctx, http.MethodDelete, zone, "/"+r.ID, nil)
}

func (a *api) write(ctx context.Context, method, zone, id string, body any) error {
	a.mu.Lock()
	a.unserved[zone] = true // whatever the answer
	a.mu.Unlock()
	return a.client.call(ctx, method, zonePath(zone)+"/record"+id, body, nil)
}

// Commit makes OVH serve what was written.
func (a *api) Commit(ctx context.Context, zone string) error { return a.serve(ctx, zone) }

// serve makes OVH serve a zone's changes, where there are any of which it wasn't
// told.
func (a *api) serve(ctx context.Context, zone string) error {
	a.mu.Lock()
	unserved := a.unserved[zone]
	a.mu.Unlock()
	if !unserved {
		return nil
	}
	if err := a.client.call(ctx, http.MethodPost, zonePath(zone)+"/refresh", nil, nil); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.unserved, zone)
	return nil
}
