package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// unnamed stands where a config names no name servers: a zone must have one.
const unnamed = "no-nameservers-configured.invalid."

// Options say what a provider writes into its zones beside records.
type Options struct {
	Settings    Settings
	Nameservers []Nameserver     // for the apex; the first is the SOA's primary
	Now         func() time.Time // time.Now where nil
}

// Provider changes the zones in a store. Every call is one atomic change of
// one zone, under the zone's lock in the store, with a new serial; calls that
// change nothing write nothing. It is safe for concurrent use, by several
// processes too.
//
// Zones have no DNSSEC records, and their SOA is made here: neither shows in
// what is read, and neither can be set.
type Provider struct {
	store       Store
	contact     string // a domain name; "" for the zone's own hostmaster
	nameservers []Nameserver
	now         func() time.Time
}

// The interfaces that the adapter and certificate issuers look for.
var (
	_ zoneio.AtomicWriter   = (*Provider)(nil)
	_ zoneio.Reader         = (*Provider)(nil)
	_ libdns.RecordGetter   = (*Provider)(nil)
	_ libdns.RecordAppender = (*Provider)(nil)
	_ libdns.RecordSetter   = (*Provider)(nil)
	_ libdns.RecordDeleter  = (*Provider)(nil)
	_ libdns.ZoneLister     = (*Provider)(nil)
)

// NewProvider makes a Provider for the zones in store.
func NewProvider(store Store, o Options) (*Provider, error) {
	for _, key := range slices.Sorted(maps.Keys(o.Settings.Check())) {
		return nil, fmt.Errorf("%s: %w", key, o.Settings.Check()[key])
	}
	p := &Provider{store: store, now: o.Now}
	if p.now == nil {
		p.now = time.Now
	}
	if o.Settings.Contact != "" {
		p.contact, _ = mailbox(o.Settings.Contact) // checked above
	}
	for _, ns := range o.Nameservers {
		if _, ok := dns.IsDomainName(ns.Name); !ok || !ascii(ns.Name) {
			return nil, fmt.Errorf("name server %q is no host name; write it as A-labels, like ns1.example.net", ns.Name)
		}
		p.addNameserver(dns.CanonicalName(ns.Name), ns)
	}
	if len(p.nameservers) == 0 {
		p.nameservers = []Nameserver{{Name: unnamed}}
	}
	return p, nil
}

// addNameserver joins the addresses of a name that is given twice.
func (p *Provider) addNameserver(name string, ns Nameserver) {
	for i := range p.nameservers {
		if p.nameservers[i].Name == name {
			p.nameservers[i].Addrs = append(p.nameservers[i].Addrs, ns.Addrs...)
			return
		}
	}
	p.nameservers = append(p.nameservers, Nameserver{Name: name, Addrs: slices.Clone(ns.Addrs)})
}

// ReadZone reads a zone whole; Missing and no error where there is none.
func (p *Provider) ReadZone(ctx context.Context, name portfolio.Name) (portfolio.Zone, error) {
	z, err := p.load(ctx, name)
	if err != nil {
		return portfolio.Zone{}, err
	}
	if z == nil {
		return portfolio.Zone{Name: name, Missing: true}, nil
	}
	return z.observed(), nil
}

// load reads a zone; nil where there is none.
func (p *Provider) load(ctx context.Context, name portfolio.Name) (*stored, error) {
	value, err := p.store.Load(ctx, zoneKey(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading zone %s: %w", name, err)
	}
	return decode(name.ASCII(), value)
}

// WriteZone carries out all steps as one change; zoneio.AtomicWriter says how.
func (p *Provider) WriteZone(ctx context.Context, zone string, before portfolio.Zone, steps []portfolio.Step) error {
	name, err := parseZone(zone)
	if err != nil {
		return err
	}
	return p.change(ctx, name, func(now portfolio.Zone) ([]portfolio.RRset, error) {
		if err := checkStale(before, now, steps); err != nil {
			return nil, err
		}
		sets := index(now.RRsets)
		for _, step := range steps {
			for _, gone := range step.Delete {
				delete(sets, gone.Key())
			}
			for _, set := range step.Set {
				sets[set.Key()] = set
			}
		}
		err := checkNames(sets)
		if err != nil && before.Digest() != now.Digest() {
			return nil, fmt.Errorf("%w: %w", portfolio.ErrStale, err)
		}
		return sorted(sets), err
	})
}

// checkStale compares what the steps touch with what they were made from.
func checkStale(before, now portfolio.Zone, steps []portfolio.Step) error {
	if before.Missing != now.Missing {
		return portfolio.ErrStale
	}
	for _, step := range steps {
		for _, set := range slices.Concat(step.Delete, step.Set) {
			then, was := before.Find(set.Key())
			stands, is := now.Find(set.Key())
			if was != is || then.TTL != stands.TTL || !slices.Equal(then.Data, stands.Data) {
				return fmt.Errorf("%w: %s %s is another", portfolio.ErrStale, set.Name, set.Type)
			}
		}
	}
	return nil
}

// Sync brings the name servers and the contact of all zones in line with the
// settings, and gives the number of zones that it changed. Zones that other
// providers' settings apply to must not be in the same store.
func (p *Provider) Sync(ctx context.Context) (int, error) {
	zones, err := p.list(ctx)
	if err != nil {
		return 0, err
	}
	changed := 0
	var errs []error
	for _, name := range zones {
		z, err := p.load(ctx, name)
		if err == nil && z != nil && !p.inLine(z) {
			changed++
			err = p.change(ctx, name, func(now portfolio.Zone) ([]portfolio.RRset, error) { return now.RRsets, nil })
		}
		if errs = append(errs, err); ctx.Err() != nil {
			break
		}
	}
	return changed, errors.Join(errs...)
}

func (p *Provider) inLine(z *stored) bool {
	return z.Contact == p.contactOf(z.Zone) && reflect.DeepEqual(z.Nameservers, p.nameservers)
}

func (p *Provider) contactOf(zone portfolio.Name) string {
	if p.contact != "" {
		return p.contact
	}
	return "hostmaster." + zone.FQDN()
}

// change replaces a zone's RRsets by what edit makes of them, under the zone's
// lock. A missing zone is created unless edit leaves it empty.
func (p *Provider) change(ctx context.Context, name portfolio.Name, edit func(portfolio.Zone) ([]portfolio.RRset, error)) (err error) {
	lock := "dns-zone-" + name.ASCII()
	if err := p.store.Lock(ctx, lock); err != nil {
		return fmt.Errorf("changing zone %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, p.store.Unlock(context.WithoutCancel(ctx), lock)) }()

	old, err := p.load(ctx, name)
	if err != nil {
		return err
	}
	now := portfolio.Zone{Name: name, Missing: true}
	if old != nil {
		now = old.observed()
	}
	sets, err := edit(now)
	if err != nil {
		return fmt.Errorf("changing zone %s: %w", name, err)
	}
	next := p.next(name, old, sets)
	if next == nil {
		return nil
	}
	served, err := newZone(next)
	if err != nil {
		return fmt.Errorf("changing zone %s: %w", name, err)
	}
	if old != nil {
		if before, err := newZone(old); err == nil { // else secondaries can't have it either
			next.Changes = deltas(old.Changes, before, served)
		}
	}
	value, err := next.encode()
	if err != nil {
		return fmt.Errorf("changing zone %s: %w", name, err)
	}
	return p.store.Store(ctx, zoneKey(name), value)
}

// next gives the zone that follows old with the given RRsets; nil where there
// is nothing to write.
func (p *Provider) next(name portfolio.Name, old *stored, sets []portfolio.RRset) *stored {
	next := &stored{
		Version: 1, Zone: name, Updated: p.now().UTC(), Contact: p.contactOf(name),
		Nameservers: p.nameservers, RRsets: sets,
	}
	// What the settings give is not stored, so that it follows the settings.
	isDefault := func(set portfolio.RRset) bool {
		return equal(set, next.defaultNS()) || old != nil && equal(set, old.defaultNS())
	}
	next.RRsets = slices.DeleteFunc(slices.Clone(sets), isDefault)
	if old == nil {
		if len(sets) == 0 {
			return nil
		}
		next.Serial = nextSerial(0, p.now())
		return next
	}
	if p.inLine(old) && slices.EqualFunc(old.RRsets, next.RRsets, equal) {
		return nil
	}
	next.Serial = nextSerial(old.Serial, p.now())
	return next
}

// parseZone reads the zone's name that a caller gave, as U-labels or A-labels.
func parseZone(zone string) (portfolio.Name, error) {
	name, err := portfolio.ParseName(strings.TrimSuffix(zone, "."))
	if err != nil {
		return portfolio.Name{}, fmt.Errorf("zone: %w", err)
	}
	return name, nil
}

// list gives the names of all zones, sorted.
func (p *Provider) list(ctx context.Context) ([]portfolio.Name, error) {
	keys, err := p.store.List(ctx, keyPrefix, false)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing zones: %w", err)
	}
	var names []portfolio.Name
	for _, key := range keys {
		zone, ok := zoneOfKey(key)
		if !ok {
			continue
		}
		if name, err := portfolio.ParseName(zone); err == nil {
			names = append(names, name)
		}
	}
	return names, nil
}
