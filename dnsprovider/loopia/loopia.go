// Package loopia keeps zones at Loopia by its API, XML-RPC at
// https://api.loopia.se/RPCSERV (https://support.loopia.se/wiki/loopiaapi-oversikt).
// It is our own since libdns' module can't keep a zone: it reads none that has
// an MX record, sets nothing, loses priorities, takes a cancelled reading for an
// empty zone, and takes no context along.
package loopia

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/byid"
	"domherre/dnsprovider/zoneio"
)

// Settings are the API user's.
type Settings struct {
	Username string `json:"username" doc:"the API user, as user@loopiaapi" example:"domherre@loopiaapi" required:"true"`
	Password string `json:"password" doc:"the API user's password" example:"${env:LOOPIA_PASSWORD}" required:"true" secret:"true"`
	Customer string `json:"customer" doc:"the customer number, for resellers" example:"X12345"`

	Nameserver string `json:"nameserver" doc:"whose SOA serials tell which zones need not be read again, host:port; off: every zone is read" default:"ns1.loopia.se:53"`
}

// Check finds what is wrong with settings, by key.
func (s Settings) Check() map[string]error {
	if s.Nameserver == "" || s.Nameserver == off {
		return nil
	}
	if host, port, err := net.SplitHostPort(s.Nameserver); err != nil || host == "" || port == "" {
		return map[string]error{"nameserver": fmt.Errorf("%q is no host:port; write it like ns1.loopia.se:53, or off", s.Nameserver)}
	}
	return nil
}

// off asks no name server.
const off = "off"

// Provider is one account. It is safe for concurrent use.
type Provider struct {
	byid.Libdns
	rpc    client
	server string // of serials
}

// The interfaces that the adapter looks for.
var (
	_ libdns.ZoneLister = (*Provider)(nil)
	_ zoneio.Serialed   = (*Provider)(nil)
)

// New makes a Provider. Nothing is asked of Loopia yet.
func New(s Settings) *Provider {
	p := &Provider{server: s.Nameserver, rpc: client{http: http.Client{Transport: zoneio.Transport(nil, nil)}}}
	p.rpc.account = []any{s.Username, s.Password}
	if s.Customer != "" {
		p.rpc.account = append(p.rpc.account, s.Customer)
	}
	p.Libdns = byid.Libdns{API: api{&p.rpc}}
	switch s.Nameserver {
	case "":
		p.server = "ns1.loopia.se:53"
	case off:
		p.server = ""
	}
	return p
}

// SerialServer is one of the name servers of all zones: a zone is read by a call
// for each name, of sixty that Loopia takes in a minute.
func (p *Provider) SerialServer() string { return p.server }

// ListZones gives the account's domains.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	domains, err := p.rpc.list(ctx, "getDomains")
	if err != nil {
		return nil, err
	}
	out := make([]libdns.Zone, len(domains))
	for i, d := range domains {
		out[i].Name = dns.Fqdn(d.member("domain").text())
	}
	return out, nil
}

// api is Loopia's records by id.
type api struct{ rpc *client }

// Records reads name by name, since the API has no other way. A name stays in
// the list of subdomains when its last record is gone: to remove it would remove
// with it whatever others have put there meanwhile.
func (a api) Records(ctx context.Context, zone string, owners []string) ([]byid.Record, error) {
	names, err := a.rpc.list(ctx, "getSubdomains", zone)
	if err != nil {
		return nil, err
	}
	var out []byid.Record
	for _, name := range names {
		owner := strings.ToLower(strings.TrimSpace(name.text()))
		if owners != nil && !slices.Contains(owners, owner) {
			continue
		}
		records, err := a.rpc.list(ctx, "getZoneRecords", zone, name.text())
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			rec, err := parse(zone, owner, r)
			if err != nil {
				return nil, err
			}
			if rec.RR != nil {
				out = append(out, rec)
			}
		}
	}
	return out, nil
}

// parse reads a record_obj.
func parse(zone, owner string, v value) (byid.Record, error) {
	id := strings.TrimSpace(v.member("record_id").text())
	ttl, err := v.member("ttl").number()
	if err != nil || id == "" {
		return byid.Record{}, fmt.Errorf("%s.%s: Loopia's answer is no record_obj", owner, zone)
	}
	typ, data := v.member("type").text(), v.member("rdata").text()
	if typ == "MX" {
		data = v.member("priority").text() + " " + data
	}
	rr, err := byid.Parse(zone, owner, typ, ttl, data)
	if err != nil {
		return byid.Record{}, fmt.Errorf("%s.%s: %w", owner, zone, err)
	}
	return byid.Record{ID: id, RR: rr}, nil
}

func (a api) Add(ctx context.Context, zone string, rr dns.RR) error {
	record, err := form(rr, "0")
	if err != nil {
		return err
	}
	return a.rpc.do(ctx, "addZoneRecord", zone, subdomain(rr, zone), record)
}

func (a api) Change(ctx context.Context, zone string, was byid.Record, rr dns.RR) error {
	record, err := form(rr, whole(was.ID))
	if err != nil {
		return err
	}
	return a.rpc.do(ctx, "updateZoneRecord", zone, subdomain(rr, zone), record)
}

func (a api) Remove(ctx context.Context, zone string, r byid.Record) error {
	return a.rpc.do(ctx, "removeZoneRecord", zone, subdomain(r.RR, zone), whole(r.ID))
}

func subdomain(rr dns.RR, zone string) string {
	owner, _ := zoneio.RelativeName(rr.Header().Name, zone) // came by zone
	return owner
}

// longestText is how many octets Loopia takes in a TXT record.
const longestText = 450

// form gives a record_obj, or why Loopia can't hold such a record.
func form(rr dns.RR, id whole) (object, error) {
	typ, data, priority := dns.TypeToString[rr.Header().Rrtype], zoneio.Presentation(rr), uint16(0)
	var err error
	switch rr := rr.(type) {
	case *dns.TXT:
		if data, err = byid.Text(rr); err == nil && (data == "" || len(data) > longestText) {
			err = refusal(rr, fmt.Sprintf("texts of 1 to %d octets", longestText))
		}
	case *dns.MX:
		if priority, data = rr.Preference, rr.Mx; data == "." {
			err = refusal(rr, "MX records that name a host: no null MX")
		}
	case *dns.SRV:
		priority = rr.Priority
	case *dns.CAA:
		if strings.ContainsAny(rr.Value, " \t") {
			err = refusal(rr, "CAA values without spaces")
		}
	case *dns.HTTPS, *dns.SVCB:
		err = refusal(rr, "no "+typ+" records")
	}
	return object{{"type", typ}, {"ttl", whole(fmt.Sprint(rr.Header().Ttl))}, {"priority", whole(fmt.Sprint(priority))}, {"rdata", data}, {"record_id", id}}, err
}

func refusal(rr dns.RR, takes string) error {
	return zoneio.As(zoneio.Unsupported, fmt.Errorf("%s %s can't be kept at Loopia, which takes %s",
		rr.Header().Name, dns.TypeToString[rr.Header().Rrtype], takes))
}
