// Package azure keeps zones at Azure DNS by its REST API
// (https://learn.microsoft.com/rest/api/dns/). It is our own since libdns' module
// holds one value of a name and type, drops all values with one, takes no text
// of over 255 octets (any 2048-bit DKIM key), lists no zones and prints what it
// writes.
package azure

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/byset"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// Settings say where the zones are, and who asks.
type Settings struct {
	SubscriptionID    string `json:"subscription_id" doc:"the subscription of the zones" example:"00000000-0000-0000-0000-000000000000" required:"true"`
	ResourceGroupName string `json:"resource_group_name" doc:"the resource group of the zones; the application needs the role DNS Zone Contributor there" example:"dns" required:"true"`
	TenantID          string `json:"tenant_id" doc:"the tenant of the application; the machine's managed identity is used where there is no client_secret" example:"00000000-0000-0000-0000-000000000000"`
	ClientID          string `json:"client_id" doc:"the application, or one of several managed identities" example:"00000000-0000-0000-0000-000000000000"`
	ClientSecret      string `json:"client_secret" doc:"the application's secret" example:"${env:AZURE_CLIENT_SECRET}" secret:"true"`

	CreateZones bool `json:"create_zones" doc:"create missing zones; Azure charges for each by the month" example:"false"`
}

// Check finds what is wrong with settings, by key.
func (s Settings) Check() map[string]error {
	if s.ClientSecret != "" && (s.TenantID == "" || s.ClientID == "") {
		return map[string]error{"client_secret": fmt.Errorf("an application is told by tenant_id, client_id and client_secret: write all three")}
	}
	return nil
}

// Provider is one resource group. It is safe for concurrent use.
type Provider struct {
	byset.Libdns
	api *api
}

// The interfaces that the adapter looks for.
var (
	_ libdns.ZoneLister = (*Provider)(nil)
	_ zoneio.Creator    = (*Provider)(nil)
)

const (
	management = "https://management.azure.com"
	version    = "api-version=2018-05-01"
)

// New makes a Provider. Nothing is asked of Azure yet.
func New(s Settings) *Provider {
	a := &api{tokens: newTokens(s), aliases: make(map[string]bool)}
	a.rest = zoneio.NewREST(a.tokens.authorize)
	a.zones = management + "/subscriptions/" + url.PathEscape(s.SubscriptionID) + "/resourceGroups/" + url.PathEscape(s.ResourceGroupName) +
		"/providers/Microsoft.Network/dnsZones"
	return &Provider{byset.Libdns{API: a}, a}
}

// ListZones gives the resource group's public zones.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	found, err := pages[struct{ Name string }](ctx, p.api, p.api.zones+"?"+version)
	if err != nil {
		return nil, err
	}
	out := make([]libdns.Zone, len(found))
	for i, z := range found {
		out[i].Name = dns.Fqdn(z.Name)
	}
	return out, nil
}

// CreateZone makes a zone without records: Azure takes none with it.
func (p *Provider) CreateZone(ctx context.Context, name portfolio.Name, _ []portfolio.RRset) error {
	answer, err := p.api.call(ctx, http.MethodPut, p.api.zones+"/"+name.ASCII()+"?"+version, map[string]string{"location": "global"})
	if err != nil {
		return err
	}
	return refused(answer)
}

// api is Azure's record sets.
type api struct {
	rest   *zoneio.REST
	tokens *tokens
	zones  string // the address of the list of zones

	mu      sync.Mutex
	aliases map[string]bool // the addresses of sets that lead to one of Azure's resources, as read last
}

func (a *api) Sets(ctx context.Context, zone string) ([]byset.Set, error) {
	found, err := pages[recordSet](ctx, a, a.zones+"/"+zone+"/recordsets?"+version)
	if err != nil {
		return nil, err
	}
	var out []byset.Set
	for _, s := range found {
		a.note(zone, s)
		set, err := s.parse(zone)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", s.Name, zone, err)
		}
		if len(set) > 0 {
			out = append(out, set)
		}
	}
	return out, nil
}

// note remembers whether a set is an alias.
func (a *api) note(zone string, s recordSet) {
	at := a.at(zone, s.Name, path.Base(s.Type))
	a.mu.Lock()
	defer a.mu.Unlock()
	if alias := s.Properties.Alias; alias != nil && alias.ID != "" {
		a.aliases[at] = true
	} else {
		delete(a.aliases, at)
	}
}

// Put replaces a record set whole, but for its metadata, which goes. An alias,
// which reading doesn't show, it leaves alone.
func (a *api) Put(ctx context.Context, zone string, set byset.Set) error {
	body, err := form(set)
	if err != nil {
		return err
	}
	at := a.of(zone, set)
	a.mu.Lock()
	alias := a.aliases[at]
	a.mu.Unlock()
	if alias {
		return zoneio.As(zoneio.Unsupported, fmt.Errorf("%s is an alias of one of Azure's resources; remove it there first", set[0].Header().Name))
	}
	answer, err := a.call(ctx, http.MethodPut, at, body)
	if err != nil {
		return err
	}
	return refused(answer)
}

func (a *api) Drop(ctx context.Context, zone string, set byset.Set) error {
	answer, err := a.call(ctx, http.MethodDelete, a.of(zone, set), nil)
	if err != nil {
		return err
	}
	return refused(answer)
}

// of and at give the address of a record set.
func (a *api) of(zone string, set byset.Set) string {
	h := set[0].Header()
	owner, _ := zoneio.RelativeName(h.Name, zone) // came by zone
	return a.at(zone, owner, dns.TypeToString[h.Rrtype])
}

func (a *api) at(zone, owner, typ string) string {
	return a.zones + "/" + zone + "/" + typ + "/" + url.PathEscape(owner) + "?" + version
}

// call makes a request with a token that is still good.
func (a *api) call(ctx context.Context, method, at string, body any) (*zoneio.Answer, error) {
	if err := a.tokens.renew(ctx); err != nil {
		return nil, fmt.Errorf("ask for a token: %w", err)
	}
	answer, err := a.rest.Call(ctx, method, at, body)
	if zoneio.KindOf(err) == zoneio.Credentials {
		a.tokens.forget()
	}
	return answer, err
}

// pages reads a list to its end.
func pages[T any](ctx context.Context, a *api, at string) ([]T, error) {
	var all []T
	for at != "" {
		answer, err := a.call(ctx, http.MethodGet, at, nil)
		if err == nil {
			err = refused(answer)
		}
		var page struct {
			Value *[]T
			Next  string `json:"nextLink"`
		}
		if err == nil {
			err = answer.Decode(&page)
		}
		switch {
		case err != nil:
			return nil, err
		case page.Value == nil:
			return nil, fmt.Errorf("the answer of Azure has no list")
		case page.Next != "" && !strings.HasPrefix(page.Next, management+"/"):
			return nil, fmt.Errorf("the answer of Azure leads elsewhere: %s", page.Next) // a token goes with it
		}
		all, at = append(all, *page.Value...), page.Next
	}
	return all, nil
}

// refused gives a refusal its kind.
func refused(a *zoneio.Answer) error {
	kind := zoneio.Other
	switch {
	case a.Status < http.StatusMultipleChoices:
		return nil
	case a.Status == http.StatusNotFound:
		kind = zoneio.NoZone
	}
	return zoneio.As(kind, fmt.Errorf("refused by Azure (HTTP %d): %s", a.Status, a.Text()))
}
