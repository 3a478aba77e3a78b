// Package powerdns keeps zones on a PowerDNS Authoritative Server by its HTTP
// API. A write is one PATCH, or one POST that creates the zone with all its
// records; the server carries out either whole or not at all.
package powerdns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/joeig/go-powerdns/v3"
	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/seen"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// Settings say which server it is.
type Settings struct {
	ServerURL string `json:"server_url" doc:"where the server's API listens (webserver-address, webserver-port)" example:"http://127.0.0.1:8081" required:"true"`
	APIToken  string `json:"api_token" doc:"the server's api-key" example:"${env:PDNS_API_KEY}" required:"true" secret:"true"`
	ServerID  string `json:"server_id" doc:"name of the server within the API" default:"localhost"`
}

// Check says what is wrong with the settings, by the setting's name.
func (s Settings) Check() map[string]error {
	u, err := url.Parse(s.ServerURL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return map[string]error{"server_url": fmt.Errorf("%q is no URL; write it like http://127.0.0.1:8081", s.ServerURL)}
	case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		return map[string]error{"server_url": errors.New("has more than scheme, host and port; /api/v1 is added by itself")}
	}
	return nil
}

// Options are what a Provider may be given beside its settings.
type Options struct {
	Nameservers []string         // of zones that are created; host names
	HTTP        *http.Client     // http.DefaultClient where nil
	Memory      *seen.Memory     // where zones are remembered by their serial; nil: in this process alone
	Now         func() time.Time // time.Now where nil
}

// Provider is one server. It is safe for concurrent use, but doesn't refuse
// what is stale: the API knows no conditions.
type Provider struct {
	zoneio.Libdns
	api      *powerdns.Client
	http     *http.Client
	settings Settings
	names    []string
	memory   *seen.Memory
	serials  serials
}

// The interfaces that the adapter and certificate issuers look for.
var (
	_ zoneio.AnsweringWriter = (*Provider)(nil)
	_ zoneio.Reader          = (*Provider)(nil)
	_ zoneio.Forgetter       = (*Provider)(nil)
	_ libdns.RecordGetter    = (*Provider)(nil)
	_ libdns.RecordAppender  = (*Provider)(nil)
	_ libdns.RecordSetter    = (*Provider)(nil)
	_ libdns.RecordDeleter   = (*Provider)(nil)
	_ libdns.ZoneLister      = (*Provider)(nil)
)

// New makes a Provider. Nothing is asked of the server yet.
func New(s Settings, o Options) (*Provider, error) {
	for key, err := range s.Check() {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	client := http.Client{}
	if o.HTTP != nil {
		client = *o.HTTP
	}
	client.Transport = zoneio.Transport(client.Transport, nil)
	s.ServerURL = strings.TrimSuffix(s.ServerURL, "/")
	if s.ServerID == "" {
		s.ServerID = "localhost"
	}
	p := &Provider{http: &client, settings: s, memory: o.Memory}
	if p.memory == nil {
		p.memory = new(seen.Memory)
	}
	if p.serials.now = o.Now; o.Now == nil {
		p.serials.now = time.Now
	}
	for _, name := range o.Nameservers {
		p.names = append(p.names, dns.CanonicalName(name))
	}
	p.api = powerdns.New(s.ServerURL, s.ServerID, powerdns.WithAPIKey(s.APIToken), powerdns.WithHTTPClient(&client))
	p.Zones = p
	return p, nil
}

// ListZones gives all zones of the server.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	zones, err := p.list(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]libdns.Zone, len(zones))
	for i, z := range zones {
		out[i].Name = z.Name
	}
	return out, nil
}

// WriteZone carries out all steps by one request. A missing zone is created,
// with the name servers of the config.
func (p *Provider) WriteZone(ctx context.Context, zone string, before portfolio.Zone, steps []portfolio.Step) error {
	_, err := p.WriteZoneAnswered(ctx, zone, before, steps)
	return err
}

// WriteZoneAnswered implements zoneio.AnsweringWriter: the server answers a
// creation with the zone as it then stands.
func (p *Provider) WriteZoneAnswered(ctx context.Context, zone string, before portfolio.Zone, steps []portfolio.Step) (*portfolio.Zone, error) {
	changes := zoneio.Fold(zoneio.Changes(steps))
	p.Forget(before.Name) // whatever comes of this
	if before.Missing {
		return p.create(ctx, before.Name, changes)
	}
	has := zoneio.ContentsOf(before)
	var deletes, sets []powerdns.RRset
	for _, c := range changes {
		switch {
		case has.Met(c):
		case c.Set == nil:
			deletes = append(deletes, p.named(before.Name, c.Key, powerdns.ChangeTypeDelete))
		default:
			set, err := p.replacing(before.Name, *c.Set)
			if err != nil {
				return nil, err
			}
			sets = append(sets, set)
		}
	}
	// Deletes first: the server looks for what stands in the way at each RRset.
	all := append(deletes, sets...)
	if len(all) == 0 {
		return nil, nil
	}
	return nil, p.explain("write", zone, p.api.Records.Patch(ctx, zone, &powerdns.RRsets{Sets: all}))
}

// create creates a zone with its records by one request.
func (p *Provider) create(ctx context.Context, name portfolio.Name, changes []zoneio.Change) (*portfolio.Zone, error) {
	z, err := p.document(name, changes)
	if err != nil {
		return nil, err
	}
	made, err := p.api.Zones.Add(ctx, z)
	if err != nil {
		return nil, p.explain("create", name.FQDN(), err)
	}
	out, err := p.take(ctx, name, made)
	if err != nil || out.Missing || len(out.RRsets) == 0 {
		return nil, nil // it is there: reading it will tell
	}
	return &out, nil
}

// document is the zone that the changes make of nothing.
func (p *Provider) document(name portfolio.Name, changes []zoneio.Change) (*powerdns.Zone, error) {
	z := &powerdns.Zone{Name: powerdns.String(name.FQDN()), Kind: powerdns.ZoneKindPtr(powerdns.NativeZoneKind), SOAEditAPI: powerdns.String("DEFAULT")}
	ownNS := false
	for _, c := range changes {
		if c.Set == nil {
			continue
		}
		set, err := p.replacing(name, *c.Set)
		if err != nil {
			return nil, err
		}
		set.ChangeType = nil
		z.RRsets = append(z.RRsets, set)
		ownNS = ownNS || c.Key == portfolio.Key{Name: "@", Type: "NS"}
	}
	if !ownNS && len(p.names) == 0 {
		return nil, zoneio.As(zoneio.NoZone, errors.New("there is no such zone, and no name servers are configured to create it with; write nameservers under the provider, or create the zone yourself"))
	}
	if !ownNS {
		z.Nameservers = p.names
	}
	return z, nil
}

func (p *Provider) named(zone portfolio.Name, key portfolio.Key, change powerdns.ChangeType) powerdns.RRset {
	return powerdns.RRset{
		Name: powerdns.String(zone.Host(key.Name) + "."), Type: powerdns.RRTypePtr(powerdns.RRType(key.Type)),
		ChangeType: powerdns.ChangeTypePtr(change), Records: []powerdns.Record{},
	}
}

func (p *Provider) replacing(zone portfolio.Name, set portfolio.RRset) (powerdns.RRset, error) {
	out := p.named(zone, set.Key(), powerdns.ChangeTypeReplace)
	out.TTL = powerdns.Uint32(set.TTL)
	rrs, err := set.Records(zone)
	for _, rr := range rrs {
		out.Records = append(out.Records, powerdns.Record{Content: powerdns.String(content(rr)), Disabled: powerdns.Bool(false)})
	}
	return out, err
}

// explain says what a failure means and what to do about it.
func (p *Provider) explain(step, zone string, err error) error {
	var refusal *powerdns.Error
	var known *zoneio.Error
	remedy := ""
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		if known.Kind == zoneio.Credentials {
			remedy = "; compare api_token with the server's api-key"
		}
		return &zoneio.Error{Kind: known.Kind, RetryAfter: known.RetryAfter, Err: fmt.Errorf("%s at %s: %w%s", step, p.settings.ServerURL, known.Err, remedy)}
	case !errors.As(err, &refusal):
		kind := zoneio.KindOf(err)
		if strange(err) {
			remedy = "; that is no answer of PowerDNS' API: compare server_url with the server's webserver-address and webserver-port"
		}
		if kind == zoneio.Temporary {
			remedy = "; check that the server runs, with webserver=yes and api=yes"
		}
		return &zoneio.Error{Kind: kind, Err: fmt.Errorf("%s at %s: %w%s", step, p.settings.ServerURL, err, remedy)}
	}
	kind := zoneio.Other
	switch refusal.StatusCode {
	case http.StatusConflict:
		return fmt.Errorf("%s at %s: %s: %w", step, p.settings.ServerURL, refusal.Message, portfolio.ErrStale)
	case http.StatusForbidden:
		remedy = "; let this machine in by the server's webserver-allow-from"
	case http.StatusNotFound:
		kind, remedy = zoneio.NoZone, fmt.Sprintf("; the server %s has no zone %s, or is called otherwise (server_id)", p.settings.ServerURL, zone)
	}
	return &zoneio.Error{Kind: kind, Err: fmt.Errorf("%s at %s: HTTP %d: %s%s", step, p.settings.ServerURL, refusal.StatusCode, refusal.Message, remedy)}
}

// strange reports whether an answer wasn't the API's: a proxy's page, say.
func strange(err error) bool {
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &shape)
}
