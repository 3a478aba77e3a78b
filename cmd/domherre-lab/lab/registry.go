package lab

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"
)

// TLDs are the top-level domains that the lab serves, as absolute names.
func TLDs() []string { return []string{"se.", "nu.", "example.", "test."} }

// Nameserver is a name server with the address and port that it answers at.
type Nameserver struct {
	Name string // absolute or not, either form: "ns1.domherre.example"
	Addr netip.AddrPort
}

// ParseNameserver reads "ns1.domherre.example=127.0.0.1:18053".
func ParseNameserver(s string) (Nameserver, error) {
	name, addr, ok := strings.Cut(s, "=")
	if !ok {
		return Nameserver{}, fmt.Errorf("name server %q: write NAME=ADDRESS:PORT", s)
	}
	fqdn, err := absolute(name)
	if err != nil {
		return Nameserver{}, fmt.Errorf("name server %q: %w", s, err)
	}
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return Nameserver{}, fmt.Errorf("name server %q: write NAME=ADDRESS:PORT: %w", s, err)
	}
	return Nameserver{Name: fqdn, Addr: at}, nil
}

// Registration is what the registry knows about a second-level name.
type Registration struct {
	Name        string       // absolute A-labels: "kopasex.se."
	Nameservers []Nameserver // what the TLD delegates to
	DS          []*dns.DS
	Status      []string // RDAP status values (RFC 8056): "active", "server hold"
	Registered  time.Time
	Expires     time.Time
}

// Held reports whether a status keeps the name out of the TLD's zone.
func (r Registration) Held() bool {
	return slices.ContainsFunc(r.Status, func(s string) bool {
		return s == StatusServerHold || s == StatusClientHold
	})
}

// Status values that the registry itself reacts to (RFC 8056).
const (
	StatusActive     = "active"
	StatusServerHold = "server hold"
	StatusClientHold = "client hold"
)

// Registry holds the registrations of all TLDs in memory. Unless told
// otherwise every second-level name is registered and delegated to the default
// name servers. It is safe for concurrent use.
type Registry struct {
	mu       sync.RWMutex
	defaults []Nameserver
	started  time.Time
	serial   uint32
	changed  map[string]*Registration // nil value: not registered
	hosts    map[string]netip.AddrPort
}

// NewRegistry makes a registry that delegates every name to defaults.
// now dates the registrations: made a year before, paid for a year ahead.
func NewRegistry(defaults []Nameserver, now time.Time) (*Registry, error) {
	r := &Registry{
		started: now,
		serial:  1,
		changed: map[string]*Registration{},
		hosts:   map[string]netip.AddrPort{},
	}
	var err error
	r.defaults, err = r.adopt(defaults)
	return r, err
}

// adopt normalises name servers and remembers where each answers.
func (r *Registry) adopt(servers []Nameserver) ([]Nameserver, error) {
	out := make([]Nameserver, 0, len(servers))
	for _, ns := range servers {
		name, err := absolute(ns.Name)
		if err != nil {
			return nil, fmt.Errorf("name server %q: %w", ns.Name, err)
		}
		if ns.Addr.IsValid() {
			r.hosts[name] = ns.Addr
		}
		out = append(out, Nameserver{Name: name, Addr: r.hosts[name]})
	}
	return out, nil
}

// Lookup gives the registration of a second-level name, if there is one.
func (r *Registry) Lookup(name string) (Registration, bool) {
	sld, err := secondLevel(name)
	if err != nil {
		return Registration{}, false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	reg, ok := r.changed[sld]
	if !ok {
		return r.fresh(sld), true
	}
	if reg == nil {
		return Registration{}, false
	}
	return reg.clone(), true
}

// fresh is the registration of a name that nobody gave orders about.
func (r *Registry) fresh(sld string) Registration {
	return Registration{
		Name:        sld,
		Nameservers: slices.Clone(r.defaults),
		Status:      []string{StatusActive},
		Registered:  r.started.AddDate(-1, 0, 0),
		Expires:     r.started.AddDate(1, 0, 0),
	}
}

func (r Registration) clone() Registration {
	r.Nameservers = slices.Clone(r.Nameservers)
	r.DS = slices.Clone(r.DS)
	r.Status = slices.Clone(r.Status)
	return r
}

// Address tells where a name server answers.
func (r *Registry) Address(nameserver string) (netip.AddrPort, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	at, ok := r.hosts[strings.ToLower(nameserver)]
	return at, ok
}

// hostsUnder gives the names of all name servers at or below a zone.
func (r *Registry) hostsUnder(zone string) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(r.hosts)), func(name string) bool {
		return !dns.IsSubDomain(zone, name)
	})
}

// ordered tells whether orders were given about a second-level name. The hosts
// of one without live in the TLD's zone, so that name servers need no zone of
// their own.
func (r *Registry) ordered(sld string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.changed[sld]
	return ok
}

// Serial grows by one with every change.
func (r *Registry) Serial() uint32 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.serial
}

// Register makes a name registered again, as it was at first.
func (r *Registry) Register(name string) error {
	return r.change(name, func(reg *Registration) (*Registration, error) {
		fresh := r.fresh(reg.Name)
		return &fresh, nil
	})
}

// Unregister removes a name: the TLD answers NXDOMAIN, RDAP 404.
func (r *Registry) Unregister(name string) error {
	return r.change(name, func(*Registration) (*Registration, error) { return nil, nil })
}

// Delegate points a name at other name servers; none leaves it registered
// without a delegation.
func (r *Registry) Delegate(name string, servers ...Nameserver) error {
	return r.change(name, func(reg *Registration) (*Registration, error) {
		var err error
		reg.Nameservers, err = r.adopt(servers)
		return reg, err
	})
}

// SetDS replaces the DS records of a name; none makes it unsigned. The
// resolver refuses a name whose DS records fit none of its zone's keys.
func (r *Registry) SetDS(name string, ds ...*dns.DS) error {
	return r.change(name, func(reg *Registration) (*Registration, error) {
		reg.DS = slices.Clone(ds)
		return reg, nil
	})
}

// Hold sets the status "server hold": the name leaves the TLD's zone.
func (r *Registry) Hold(name string) error {
	return r.SetStatus(name, StatusServerHold)
}

// SetStatus replaces a name's RDAP status values (RFC 8056).
func (r *Registry) SetStatus(name string, status ...string) error {
	return r.change(name, func(reg *Registration) (*Registration, error) {
		reg.Status = slices.Clone(status)
		return reg, nil
	})
}

// SetExpires sets the day that a name is paid until.
func (r *Registry) SetExpires(name string, at time.Time) error {
	return r.change(name, func(reg *Registration) (*Registration, error) {
		reg.Expires = at
		return reg, nil
	})
}

// change edits one name's registration; an unregistered one is registered
// first. The edit returns nil to unregister.
func (r *Registry) change(name string, edit func(*Registration) (*Registration, error)) error {
	sld, err := secondLevel(name)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	reg := r.fresh(sld)
	if was := r.changed[sld]; was != nil {
		reg = was.clone()
	}
	edited, err := edit(&reg)
	if err != nil {
		return fmt.Errorf("%s: %w", sld, err)
	}
	r.changed[sld] = edited
	r.serial++
	return nil
}

// absolute gives a name as lower-case A-labels with a trailing dot.
func absolute(name string) (string, error) {
	ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(name, "."))
	if err != nil {
		return "", fmt.Errorf("not a name: %w", err)
	}
	if ascii == "" {
		return "", errors.New("not a name")
	}
	return dns.Fqdn(ascii), nil
}

// secondLevel gives the absolute second-level name that name is, and an error
// where it is none under the lab's TLDs.
func secondLevel(name string) (string, error) {
	fqdn, err := absolute(name)
	if err != nil {
		return "", fmt.Errorf("%q: %w", name, err)
	}
	if dns.CountLabel(fqdn) != 2 || !slices.Contains(TLDs(), parent(fqdn)) {
		return "", fmt.Errorf("%q is not a second-level name under %s", name, strings.Join(TLDs(), " "))
	}
	return fqdn, nil
}

// parent cuts the first label: "kopasex.se." gives "se.".
func parent(fqdn string) string {
	i, end := dns.NextLabel(fqdn, 0)
	if end {
		return "."
	}
	return fqdn[i:]
}
