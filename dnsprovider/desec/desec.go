// Package desec keeps zones at deSEC by its API
// (https://desec.readthedocs.io/en/latest/dns/rrsets.html): a write is one bulk
// request, which holds whole or not at all. It is our own since libdns' module
// takes a zone with a text of over 255 octets (any 2048-bit DKIM key) for
// unreadable, reads no more than 500 RRsets, and writes them one by one.
package desec

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// Settings are those of a token.
type Settings struct {
	Token string `json:"token" doc:"a token; it needs the permission to create domains where missing zones shall be created, and none to manage tokens" example:"${env:DESEC_TOKEN}" required:"true" secret:"true"`
}

// Provider is one account. It is safe for concurrent use, but doesn't refuse
// what is stale: the API knows no conditions.
type Provider struct {
	zoneio.Libdns
	rest *zoneio.REST
}

// The interfaces that the adapter looks for.
var (
	_ zoneio.AtomicWriter = (*Provider)(nil)
	_ zoneio.Reader       = (*Provider)(nil)
	_ libdns.ZoneLister   = (*Provider)(nil)
)

const domains = "https://desec.io/api/v1/domains/"

// New makes a Provider. Nothing is asked of deSEC yet.
func New(s Settings) *Provider {
	p := &Provider{rest: zoneio.NewREST(func(r *http.Request) { r.Header.Set("Authorization", "Token "+s.Token) })}
	p.Zones = p
	return p
}

// rrset is an RRset as the API has it. Without records, it is to go.
type rrset struct {
	Subname string   `json:"subname"`
	Type    string   `json:"type"`
	TTL     uint32   `json:"ttl,omitempty"`
	Records []string `json:"records"`
}

// ListZones gives the account's domains.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	found, err := pages[struct{ Name string }](ctx, p.rest, domains)
	if err != nil {
		return nil, err
	}
	out := make([]libdns.Zone, len(found))
	for i, d := range found {
		out[i].Name = d.Name + "."
	}
	return out, nil
}

// ReadZone reads a zone whole.
func (p *Provider) ReadZone(ctx context.Context, name portfolio.Name) (portfolio.Zone, error) {
	sets, err := pages[rrset](ctx, p.rest, rrsets(name))
	if zoneio.KindOf(err) == zoneio.NoZone {
		return portfolio.Zone{Name: name, Missing: true}, nil
	}
	if err != nil {
		return portfolio.Zone{}, err
	}
	var recs []libdns.Record
	for _, set := range sets {
		for _, data := range set.Records {
			if set.Type == "TXT" {
				if data, err = zoneio.Unquote(data); err != nil {
					return portfolio.Zone{}, fmt.Errorf("%s TXT: %w", set.Subname, err)
				}
			}
			recs = append(recs, libdns.RR{Name: set.Subname, Type: set.Type, TTL: time.Duration(set.TTL) * time.Second, Data: data})
		}
	}
	read, err := zoneio.RRsets(name, recs)
	return portfolio.Zone{Name: name, RRsets: read}, err
}

// WriteZone carries out all steps as one request.
func (p *Provider) WriteZone(ctx context.Context, _ string, before portfolio.Zone, steps []portfolio.Step) error {
	if before.Missing {
		if filled, err := p.create(ctx, before.Name, steps); filled || err != nil {
			return err
		}
	}
	var sets []rrset
	for _, change := range zoneio.Fold(zoneio.Changes(steps)) {
		set, err := form(before.Name, change)
		if err != nil {
			return err
		}
		sets = append(sets, set)
	}
	answer, err := p.rest.Call(ctx, http.MethodPatch, rrsets(before.Name), sets)
	if err != nil {
		return err
	}
	return refused(answer, http.StatusOK)
}

// create makes a domain with all its records, which deSEC reads from a zone file;
// without them where it doesn't take that.
func (p *Provider) create(ctx context.Context, name portfolio.Name, steps []portfolio.Step) (filled bool, err error) {
	file, err := zoneFile(name, steps)
	if err != nil {
		return false, err
	}
	given := map[string]string{"name": name.ASCII(), "zonefile": file}
	answer, err := p.rest.Call(ctx, http.MethodPost, domains, given)
	if filled = true; err == nil && answer.Status == http.StatusBadRequest {
		filled = false
		delete(given, "zonefile")
		answer, err = p.rest.Call(ctx, http.MethodPost, domains, given)
	}
	if err == nil {
		err = refused(answer, http.StatusCreated)
	}
	if err != nil {
		return false, fmt.Errorf("create the domain: %w", err)
	}
	return filled, nil
}

// zoneFile gives what the steps set as a zone file.
func zoneFile(name portfolio.Name, steps []portfolio.Step) (string, error) {
	var file strings.Builder
	for _, change := range zoneio.Fold(zoneio.Changes(steps)) {
		if change.Set == nil {
			continue
		}
		rrs, err := change.Set.Records(name)
		if err != nil {
			return "", err
		}
		for _, rr := range rrs {
			h := rr.Header()
			fmt.Fprintf(&file, "%s %d IN %s %s\n", h.Name, h.Ttl, change.Key.Type, zoneio.Presentation(rr))
		}
	}
	return file.String(), nil
}

// form gives an RRset as it shall be.
func form(zone portfolio.Name, change zoneio.Change) (rrset, error) {
	set := rrset{Subname: change.Key.Name, Type: change.Key.Type, Records: []string{}}
	if set.Subname == "@" {
		set.Subname = ""
	}
	if change.Set == nil {
		return set, nil
	}
	rrs, err := change.Set.Records(zone)
	for _, rr := range rrs {
		set.Records = append(set.Records, zoneio.Presentation(rr))
	}
	set.TTL = change.Set.TTL
	return set, err
}

func rrsets(name portfolio.Name) string { return domains + name.ASCII() + "/rrsets/" }

// pages reads a list. Where it is longer than a page, the first answer is a
// refusal that says where it begins.
func pages[T any](ctx context.Context, rest *zoneio.REST, url string) ([]T, error) {
	var all []T
	for first := true; url != ""; first = false {
		answer, err := rest.Call(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		if next := link(answer, "first"); first && answer.Status == http.StatusBadRequest && next != "" {
			url = next
			continue
		}
		if err := refused(answer, http.StatusOK); err != nil {
			return nil, err
		}
		var page []T
		if err := answer.Decode(&page); err != nil {
			return nil, err
		}
		all, url = append(all, page...), link(answer, "next")
	}
	return all, nil
}

var links = regexp.MustCompile(`<(https://desec\.io/[^>]*)>;\s*rel="(\w+)"`)

// link gives the address of another page; empty where there is none.
func link(a *zoneio.Answer, rel string) string {
	for _, m := range links.FindAllStringSubmatch(strings.Join(a.Header.Values("Link"), ", "), -1) {
		if m[2] == rel {
			return m[1]
		}
	}
	return ""
}

func refused(a *zoneio.Answer, want int) error {
	if a.Status == want {
		return nil
	}
	kind := zoneio.Other
	if a.Status == http.StatusNotFound {
		kind = zoneio.NoZone
	}
	return zoneio.As(kind, fmt.Errorf("deSEC answers %d: %s", a.Status, a.Text()))
}
