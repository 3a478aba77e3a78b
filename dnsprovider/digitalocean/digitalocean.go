// Package digitalocean keeps zones at DigitalOcean by its API v2
// (https://docs.digitalocean.com/reference/api/digitalocean/#tag/Domain-Records).
// It is our own since libdns' module neither sees nor writes MX, CAA and SRV
// records, changes those alone that it has made itself, has a client that no
// limits reach, and neither lists nor creates zones.
package digitalocean

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/byid"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// Settings are those of a token.
type Settings struct {
	AuthToken string `json:"auth_token" doc:"a personal access token with the scope domain" example:"${env:DIGITALOCEAN_TOKEN}" required:"true" secret:"true"`
}

// Provider is one account. It is safe for concurrent use.
type Provider struct {
	byid.Libdns
	api api
}

// The interfaces that the adapter looks for.
var (
	_ libdns.ZoneLister = (*Provider)(nil)
	_ zoneio.Creator    = (*Provider)(nil)
)

const domains = "https://api.digitalocean.com/v2/domains"

// New makes a Provider. Nothing is asked of DigitalOcean yet.
func New(s Settings) *Provider {
	a := api{zoneio.NewREST(func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+s.AuthToken) })}
	return &Provider{byid.Libdns{API: a}, a}
}

// ListZones gives the account's domains.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	var out []libdns.Zone
	err := p.api.pages(ctx, domains, func(l list) int {
		for _, d := range l.Domains {
			out = append(out, libdns.Zone{Name: dns.Fqdn(d.Name)})
		}
		return len(l.Domains)
	})
	return out, err
}

// CreateZone makes a domain without records: DigitalOcean takes none but one
// address with it.
func (p *Provider) CreateZone(ctx context.Context, name portfolio.Name, _ []portfolio.RRset) error {
	return p.api.call(ctx, http.MethodPost, domains, map[string]string{"name": name.ASCII()}, nil)
}

// api is DigitalOcean's records by id.
type api struct{ rest *zoneio.REST }

// list is a page of a list.
type list struct {
	Domains []struct{ Name string }
	Records []record `json:"domain_records"`
	Links   struct{ Pages struct{ Next string } }
	Meta    struct{ Total int }
}

// pages reads a list to its end, and fails where it doesn't get as many items as
// the answers promise.
func (a api) pages(ctx context.Context, at string, take func(list) (items int)) error {
	got := 0
	for number := 1; ; number++ {
		var page list
		if err := a.call(ctx, http.MethodGet, fmt.Sprintf("%s?per_page=200&page=%d", at, number), nil, &page); err != nil {
			return err
		}
		n := take(page)
		got += n
		switch {
		case page.Links.Pages.Next != "" && n > 0:
		case got != page.Meta.Total:
			return zoneio.As(zoneio.Temporary, fmt.Errorf("got %d of %d items; they changed meanwhile", got, page.Meta.Total))
		default:
			return nil
		}
	}
}

func (a api) Records(ctx context.Context, zone string, _ []string) ([]byid.Record, error) {
	var found []record
	err := a.pages(ctx, records(zone), func(l list) int {
		found = append(found, l.Records...)
		return len(l.Records)
	})
	if err != nil {
		return nil, err
	}
	return byid.Collect(zone, found, func(r record) (any, string, dns.RR, error) {
		rr, err := r.parse(zone)
		return r.ID, r.Name, rr, err
	})
}

func records(zone string) string { return domains + "/" + zone + "/records" }

func (a api) Add(ctx context.Context, zone string, rr dns.RR) error {
	return a.write(ctx, http.MethodPost, zone, "", rr)
}

func (a api) Change(ctx context.Context, zone string, was byid.Record, rr dns.RR) error {
	return a.write(ctx, http.MethodPut, zone, "/"+was.ID, rr)
}

func (a api) Remove(ctx context.Context, zone string, r byid.Record) error {
	return a.call(ctx, http.MethodDelete, records(zone)+"/"+r.ID, nil, nil)
}

func (a api) write(ctx context.Context, method, zone, id string, rr dns.RR) error {
	r, err := form(rr, zone)
	if err != nil {
		return err
	}
	return a.call(ctx, method, records(zone)+id, r, nil)
}

// call makes a request; into may be nil.
func (a api) call(ctx context.Context, method, at string, body, into any) error {
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
	return zoneio.As(kind, fmt.Errorf("refused by DigitalOcean (HTTP %d): %s", answer.Status, answer.Text()))
}

// record is a record as the API has it.
type record struct {
	ID       int64  `json:"id,omitempty"`
	Type     string `json:"type"`
	Name     string `json:"name"`
	Data     string `json:"data"`
	Priority uint16 `json:"priority"`
	Port     uint16 `json:"port"`
	Weight   uint16 `json:"weight"`
	TTL      int64  `json:"ttl"`
	Flags    uint8  `json:"flags"`
	Tag      string `json:"tag,omitempty"`
}

// parse reads a record. Names are absolute without a dot, or "@" for the domain.
func (r record) parse(zone string) (dns.RR, error) {
	target := dns.Fqdn(r.Data)
	if r.Data == "@" {
		target = dns.Fqdn(zone)
	}
	data := r.Data
	switch r.Type {
	case "SOA": // in a form of its own
		return nil, nil
	case "CNAME", "NS":
		data = target
	case "MX":
		data = fmt.Sprintf("%d %s", r.Priority, target)
	case "SRV":
		data = fmt.Sprintf("%d %d %d %s", r.Priority, r.Weight, r.Port, target)
	case "CAA":
		data = fmt.Sprintf("%d %s %s", r.Flags, r.Tag, zoneio.Quote(r.Data))
	}
	return byid.Parse(zone, r.Name, r.Type, r.TTL, data)
}

// longestText is how many octets of a text, as in a zone file, DigitalOcean takes.
const longestText = 509

// form gives a record as the API takes it, or why DigitalOcean can't keep it.
func form(rr dns.RR, zone string) (record, error) {
	h := rr.Header()
	owner, _ := zoneio.RelativeName(h.Name, zone) // came by zone
	r := record{Name: owner, TTL: int64(h.Ttl), Type: dns.TypeToString[h.Rrtype], Data: zoneio.Presentation(rr)}
	switch rr := rr.(type) {
	case *dns.A, *dns.AAAA, *dns.CNAME, *dns.NS:
	case *dns.MX:
		if rr.Mx == "." {
			return r, refusal(rr, "MX records that name a host: no null MX")
		}
		r.Priority, r.Data = rr.Preference, rr.Mx
	case *dns.SRV:
		r.Priority, r.Weight, r.Port, r.Data = rr.Priority, rr.Weight, rr.Port, rr.Target
	case *dns.TXT:
		text, err := byid.Text(rr)
		if err == nil && (text == "" || strings.Contains(text, `\`) || len(r.Data) > longestText) {
			err = refusal(rr, fmt.Sprintf("texts without backslashes, of some 500 octets at most (%d as in a zone file)", longestText))
		}
		r.Data = text
		return r, err
	default:
		return r, refusal(rr, "no records of that type")
	}
	return r, nil
}

func refusal(rr dns.RR, takes string) error {
	return zoneio.As(zoneio.Unsupported, fmt.Errorf("%s %s can't be kept at DigitalOcean, which takes %s",
		rr.Header().Name, dns.TypeToString[rr.Header().Rrtype], takes))
}
