// Package clouddns keeps zones at Google Cloud DNS by its API v1
// (https://cloud.google.com/dns/docs/reference/rest/v1): a write is one change,
// which holds whole or not at all, and is refused where what it takes away is no
// longer so. It is our own since libdns' module puts quotes around data with
// spaces, so that it can't write MX, CAA, SRV and HTTPS records, has a client that
// no limits reach, and lists no zones.
package clouddns

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/libdns/libdns"

	"domherre/dnsprovider/byid"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// Settings say where the zones are, and who asks.
type Settings struct {
	Project     string `json:"gcp_project" doc:"the project's id" example:"domherre-dns" required:"true"`
	Credentials string `json:"gcp_application_default" doc:"the file with a service account's key; the application default credentials where empty" example:"/etc/domherre/gcp.json"`
	CreateZones bool   `json:"create_zones" doc:"create missing zones; Google charges for each by the month" example:"false"`
}

// Provider is one project. It is safe for concurrent use.
type Provider struct {
	zoneio.Libdns
	rest    *zoneio.REST
	tokens  *tokens
	zones   string // the address of the list of zones
	ids     byid.ZoneIDs
	creates bool
}

// The interfaces that the adapter looks for.
var (
	_ zoneio.AtomicWriter = (*Provider)(nil)
	_ zoneio.Reader       = (*Provider)(nil)
	_ libdns.ZoneLister   = (*Provider)(nil)
)

// New makes a Provider. Nothing is asked of Google yet.
func New(s Settings) *Provider {
	p := &Provider{tokens: &tokens{file: s.Credentials}, creates: s.CreateZones}
	p.rest = zoneio.NewREST(p.tokens.authorize)
	p.zones = "https://dns.googleapis.com/dns/v1/projects/" + url.PathEscape(s.Project) + "/managedZones"
	p.ids.Find = p.find
	p.Zones = p
	return p
}

type managedZone struct {
	Name        string `json:"name"` // an id
	DNSName     string `json:"dnsName"`
	Description string `json:"description"`
	Visibility  string `json:"visibility"`
}

// rrset is an RRset as the API has it.
type rrset struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	TTL     uint32   `json:"ttl"`
	Data    []string `json:"rrdatas,omitempty"`
	Routing any      `json:"routingPolicy,omitempty"`
}

// ListZones gives the project's public zones.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	found, err := p.public(ctx, url.Values{})
	if err != nil {
		return nil, err
	}
	out := make([]libdns.Zone, len(found))
	for i, z := range found {
		out[i].Name = z.DNSName
	}
	return out, nil
}

func (p *Provider) public(ctx context.Context, query url.Values) ([]managedZone, error) {
	var out []managedZone
	return out, p.pages(ctx, p.zones, query, func(l list) {
		for _, z := range l.Zones {
			if z.Visibility != "private" {
				out = append(out, z)
			}
		}
	})
}

func (p *Provider) find(ctx context.Context, name string) (string, error) {
	found, err := p.public(ctx, url.Values{"dnsName": {name + "."}})
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", zoneio.As(zoneio.NoZone, fmt.Errorf("the project has no public zone %s", name))
	case len(found) > 1:
		return "", fmt.Errorf("the project has %d public zones of this name", len(found))
	}
	return found[0].Name, nil
}

// list is a page of a list.
type list struct {
	Zones []managedZone `json:"managedZones"`
	Sets  []rrset       `json:"rrsets"`
	Next  string        `json:"nextPageToken"`
}

// pages reads a list to its end.
func (p *Provider) pages(ctx context.Context, at string, query url.Values, take func(list)) error {
	for {
		var page list
		if err := p.call(ctx, http.MethodGet, at+"?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		take(page)
		if page.Next == "" {
			return nil
		}
		query.Set("pageToken", page.Next)
	}
}

// held reads a zone as the API has it.
func (p *Provider) held(ctx context.Context, name portfolio.Name) ([]rrset, error) {
	var sets []rrset
	return sets, p.ids.With(ctx, name.ASCII(), func(id string) error {
		sets = nil
		return p.pages(ctx, p.zones+"/"+id+"/rrsets", url.Values{}, func(l list) { sets = append(sets, l.Sets...) })
	})
}

// ReadZone reads a zone whole, but for RRsets with a routing policy, which are
// none of DNS.
func (p *Provider) ReadZone(ctx context.Context, name portfolio.Name) (portfolio.Zone, error) {
	sets, err := p.held(ctx, name)
	if zoneio.KindOf(err) == zoneio.NoZone {
		return portfolio.Zone{Name: name, Missing: true}, nil
	}
	if err != nil {
		return portfolio.Zone{}, err
	}
	return parse(name, sets)
}

// WriteZone carries out all steps as one change.
func (p *Provider) WriteZone(ctx context.Context, _ string, before portfolio.Zone, steps []portfolio.Step) error {
	if before.Missing {
		if err := p.create(ctx, before.Name); err != nil {
			return err
		}
	}
	sets, err := p.held(ctx, before.Name)
	if err != nil {
		return err
	}
	change, err := plan(before, sets, zoneio.Fold(zoneio.Changes(steps)))
	if err != nil || change.empty() {
		return err
	}
	return p.ids.With(ctx, before.Name.ASCII(), func(id string) error {
		return p.call(ctx, http.MethodPost, p.zones+"/"+id+"/changes", change, nil)
	})
}

// create makes a zone without records: the API takes none with it.
func (p *Provider) create(ctx context.Context, name portfolio.Name) error {
	if !p.creates {
		return zoneio.As(zoneio.NoZone, errors.New("the project has no such public zone; set create_zones at the provider to let it be created, or create it there first"))
	}
	err := p.call(ctx, http.MethodPost, p.zones, managedZone{
		Name: zoneID(name), DNSName: name.FQDN(), Description: "created by Domherre", Visibility: "public",
	}, nil)
	if err != nil {
		return fmt.Errorf("create the zone: %w", err)
	}
	return nil
}

// zoneID makes an id of a zone's name: a letter, then letters, digits and hyphens,
// 63 at most.
func zoneID(name portfolio.Name) string {
	id := "z-" + strings.ReplaceAll(name.ASCII(), ".", "-")
	const longest = 63
	if len(id) > longest {
		sum := sha256.Sum256([]byte(id))
		id = id[:longest-17] + "-" + hex.EncodeToString(sum[:8])
	}
	return id
}

// call makes a request; into may be nil.
func (p *Provider) call(ctx context.Context, method, at string, body, into any) error {
	if err := p.tokens.renew(ctx); err != nil {
		return fmt.Errorf("ask for a token: %w", err)
	}
	answer, err := p.rest.Call(ctx, method, at, body)
	if zoneio.KindOf(err) == zoneio.Credentials {
		p.tokens.forget()
	}
	switch {
	case err != nil:
		return err
	case answer.Status >= http.StatusMultipleChoices:
		return refused(answer)
	case into == nil:
		return nil
	}
	return answer.Decode(into)
}

// refused gives a refusal its kind. What a project's quota of requests forbids
// comes with 403.
func refused(a *zoneio.Answer) error {
	var refusal struct {
		Error struct {
			Errors []struct{ Reason string }
		}
	}
	_ = a.Decode(&refusal) // where it tells no reason, the status must do
	kind := zoneio.Other
	switch a.Status {
	case http.StatusNotFound:
		kind = zoneio.NoZone
	case http.StatusPreconditionFailed, http.StatusConflict:
		return fmt.Errorf("refused by Google (HTTP %d): %s: %w", a.Status, a.Text(), portfolio.ErrStale)
	}
	for _, e := range refusal.Error.Errors {
		if e.Reason == "rateLimitExceeded" || e.Reason == "userRateLimitExceeded" {
			kind = zoneio.Temporary
		}
	}
	return zoneio.As(kind, fmt.Errorf("refused by Google (HTTP %d): %s", a.Status, a.Text()))
}
