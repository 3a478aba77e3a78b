package powerdns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/joeig/go-powerdns/v3"
	"github.com/miekg/dns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

const (
	// listFrom is how many zones are read one by one before the list of all,
	// which tells their serials, is worth its request.
	listFrom = 4
	// listFresh is how long that list stands, and how long reads must pause
	// until they are counted anew.
	listFresh = 2 * time.Second
)

// serials is the server's list of zones.
type serials struct {
	now    func() time.Time
	mu     sync.Mutex
	of     map[string]uint32 // by name, absolute
	at     time.Time         // listed; zero: not
	reads  int               // in a row
	last   time.Time         // the last of them
	direct map[portfolio.Name]bool
}

// ReadZone reads a zone whole. Where many are read in a row, those whose serial
// in the server's list is still that of the last reading are not read again.
// Records that are disabled at the server are not there, and go when their
// RRset is written.
func (p *Provider) ReadZone(ctx context.Context, name portfolio.Name) (portfolio.Zone, error) {
	if z, ok := p.unchanged(ctx, name); ok {
		return z, nil
	}
	z, err := p.api.Zones.Get(ctx, name.FQDN())
	var refusal *powerdns.Error
	if errors.As(err, &refusal) && refusal.StatusCode == http.StatusNotFound {
		p.memory.Forget(ctx, name)
		return portfolio.Zone{Name: name, Missing: true}, nil
	}
	if err != nil {
		return portfolio.Zone{}, p.explain("read", name.FQDN(), err)
	}
	return p.take(ctx, name, z)
}

// take makes a zone of what the server says of it, and remembers it.
func (p *Provider) take(ctx context.Context, name portfolio.Name, z *powerdns.Zone) (portfolio.Zone, error) {
	rrs, err := recordsOf(z.RRsets)
	if err != nil {
		return portfolio.Zone{}, err
	}
	sets, err := portfolio.RRsetsOf(name, rrs)
	out := portfolio.Zone{Name: name, RRsets: sets, Serial: powerdns.Uint32Value(z.Serial)}
	switch p.serials.note(name, out.Serial); {
	case err != nil:
	case powerdns.StringValue(z.SOAEditAPI) == "": // changes by the API leave the serial as it was
		p.memory.Forget(ctx, name)
	default:
		p.memory.Put(ctx, out)
	}
	return out, err
}

// unchanged gives the zone as last read, if its serial still stands, or says
// that there is none.
func (p *Provider) unchanged(ctx context.Context, name portfolio.Name) (portfolio.Zone, bool) {
	serial, listed, known := p.serials.find(name, p.listed(ctx))
	if !known {
		return portfolio.Zone{}, false
	}
	if !listed {
		return portfolio.Zone{Name: name, Missing: true}, true
	}
	last, ok := p.memory.Get(ctx, name)
	return last, ok && last.Serial == serial
}

// listedZone is a zone in the server's list.
type listedZone struct {
	Name   string `json:"name"`
	Serial uint32 `json:"serial"`
}

// list asks for the server's list of zones, without what takes the server a
// look at each: whether it is signed.
func (p *Provider) list(ctx context.Context) ([]listedZone, error) {
	at := fmt.Sprintf("%s/api/v1/servers/%s/zones?dnssec=false", p.settings.ServerURL, url.PathEscape(p.settings.ServerID))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-API-Key", p.settings.APIToken)
	resp, err := p.http.Do(req)
	if err != nil {
		return nil, p.explain("list", "", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, p.explain("list", "", &powerdns.Error{Status: resp.Status, StatusCode: resp.StatusCode, Message: http.StatusText(resp.StatusCode)})
	}
	var zones []listedZone
	if err := json.NewDecoder(resp.Body).Decode(&zones); err != nil {
		return nil, p.explain("list", "", err)
	}
	return zones, nil
}

// listed gives the serials of the list by the zones' names.
func (p *Provider) listed(ctx context.Context) func() (map[string]uint32, error) {
	return func() (map[string]uint32, error) {
		zones, err := p.list(ctx)
		if err != nil {
			return nil, err
		}
		of := make(map[string]uint32, len(zones))
		for _, z := range zones {
			of[dns.CanonicalName(z.Name)] = z.Serial
		}
		return of, nil
	}
}

// find gives a zone's serial in the list; known is false where it must be asked
// for itself.
func (s *serials) find(name portfolio.Name, list func() (map[string]uint32, error)) (serial uint32, listed, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if now.Sub(s.last) > listFresh {
		s.reads = 0
	}
	s.last = now
	s.reads++
	if s.direct[name] {
		delete(s.direct, name)
		return 0, false, false
	}
	if s.reads <= listFrom {
		return 0, false, false
	}
	if now.Sub(s.at) > listFresh {
		of, err := list()
		if err != nil {
			return 0, false, false // reading the zone itself tells more
		}
		s.of, s.at, s.last = of, s.now(), s.now()
	}
	serial, listed = s.of[name.FQDN()]
	return serial, listed, true
}

// forget makes the next read of the zone one of its own.
func (s *serials) forget(name portfolio.Name) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.direct == nil {
		s.direct = map[portfolio.Name]bool{}
	}
	s.direct[name] = true
}

// note enters a zone that was just read or made into the list.
func (s *serials) note(name portfolio.Name, serial uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != nil {
		s.of[name.FQDN()] = serial
	}
}

// Forget makes the next read of the zone a whole one.
func (p *Provider) Forget(name portfolio.Name) {
	p.memory.Forget(context.Background(), name)
	p.serials.forget(name)
}

// Save leaves what is known of the zones to the next process.
func (p *Provider) Save(ctx context.Context) error { return p.memory.Save(ctx) }

// recordsOf reads RRsets of the API. Types that are none of DNS (ALIAS, LUA)
// are left out.
func recordsOf(sets []powerdns.RRset) ([]dns.RR, error) {
	var out []dns.RR
	for _, set := range sets {
		typ := ""
		if set.Type != nil {
			typ = string(*set.Type)
		}
		if _, known := zoneio.TypeCode(typ); !known {
			continue
		}
		for _, r := range set.Records {
			if powerdns.BoolValue(r.Disabled) {
				continue
			}
			line := fmt.Sprintf("%s %d IN %s %s", powerdns.StringValue(set.Name), powerdns.Uint32Value(set.TTL), typ, powerdns.StringValue(r.Content))
			rr, err := dns.NewRR(line)
			if err != nil || rr == nil {
				return nil, fmt.Errorf("the record %q can't be read: %w", line, err)
			}
			out = append(out, rr)
		}
	}
	return out, nil
}
