package portfolio

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

var (
	errKilled = errors.New("killed")
	now       = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

// fakeZones holds zones in memory. Each step of a write is one request, and
// so is creating a zone with its first step.
type fakeZones struct {
	mu       sync.Mutex
	zones    map[Name]Zone
	budget   int // write requests until it is killed; below zero: never
	requests int
	broken   map[Name]error
	before   func(Name)   // called before each write
	lost     error        // the answer to every write, though it is done
	unserved map[Name]int // rounds of Verify that find nothing yet
	full     int          // calls of ObserveFull
}

func newFake(zones ...Zone) *fakeZones {
	f := &fakeZones{zones: map[Name]Zone{}, budget: -1, broken: map[Name]error{}, unserved: map[Name]int{}}
	for _, z := range zones {
		f.put(z)
	}
	return f
}

func (f *fakeZones) put(z Zone) {
	z.RRsets = slices.Clone(z.RRsets)
	SortRRsets(z.RRsets)
	f.zones[z.Name] = z
}

func (f *fakeZones) get(n Name) Zone {
	f.mu.Lock()
	defer f.mu.Unlock()
	if z, ok := f.zones[n]; ok {
		return z
	}
	return Zone{Name: n, Missing: true}
}

func (f *fakeZones) Observe(ctx context.Context, d Domain) (Zone, error) {
	if err := ctx.Err(); err != nil {
		return Zone{}, err
	}
	f.mu.Lock()
	err := f.broken[d.Name]
	f.mu.Unlock()
	if err != nil {
		return Zone{}, err
	}
	return f.get(d.Name), nil
}

func (f *fakeZones) ObserveFull(ctx context.Context, d Domain) (Zone, error) {
	f.mu.Lock()
	f.full++
	f.mu.Unlock()
	return f.Observe(ctx, d)
}

func (f *fakeZones) Write(ctx context.Context, w Write) error {
	if f.before != nil {
		f.before(w.Domain.Name)
	}
	zone := f.get(w.Domain.Name)
	if zone.Digest() != w.Observed.Digest() {
		return ErrStale
	}
	for _, step := range w.Steps {
		zone = applyStep(zone, step)
		if err := f.request(zone); err != nil {
			return err
		}
	}
	return f.lost
}

// request stores what one request makes of a zone, if one is left.
func (f *fakeZones) request(z Zone) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.budget == 0 {
		return errKilled
	}
	f.budget--
	f.requests++
	f.put(z)
	return nil
}

func applyStep(z Zone, s Step) Zone {
	z.Missing = false
	z.RRsets = slices.DeleteFunc(slices.Clone(z.RRsets), func(have RRset) bool {
		same := func(x RRset) bool { return x.Key() == have.Key() }
		return slices.ContainsFunc(s.Delete, same) || slices.ContainsFunc(s.Set, same)
	})
	z.RRsets = append(z.RRsets, s.Set...)
	SortRRsets(z.RRsets)
	return z
}

func (f *fakeZones) Verify(_ context.Context, d Domain, want []RRset) Served {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := ServerAnswer{Server: "ns1.example.net (192.0.2.53:53)"}
	if f.unserved[d.Name] > 0 {
		f.unserved[d.Name]--
		a.Wrong = []string{fmt.Sprintf("%d RRsets are not there yet", len(want))}
	}
	return Served{Servers: []ServerAnswer{a}}
}

// fakeStore is a Journal and an AcceptedStore in memory.
type fakeStore struct {
	mu       sync.Mutex
	entries  []Entry
	accepted []Domain
	saves    int
	err      error
}

func (s *fakeStore) Append(_ context.Context, e Entry) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return "", s.err
	}
	e.ID = fmt.Sprintf("e%03d", len(s.entries)+1)
	s.entries = append(s.entries, e)
	return e.ID, nil
}

func (s *fakeStore) LoadAccepted(context.Context, string) ([]Domain, error) {
	return slices.Clone(s.accepted), s.err
}

func (s *fakeStore) SaveAccepted(_ context.Context, _ string, d []Domain) error {
	if s.err != nil {
		return s.err
	}
	s.saves++
	s.accepted = slices.Clone(d)
	return nil
}

func name(t testing.TB, s string) Name {
	t.Helper()
	n, err := ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func set(name, typ string, ttl uint32, data ...string) RRset {
	return RRset{Name: name, Type: typ, TTL: ttl, Data: data}
}

// entry is a domain with the defaults of the config.
func entry(t testing.TB, s string) Domain {
	t.Helper()
	return Domain{
		Name: name(t, s), Provider: "main", Frontend: "https://www.frontend.example/",
		DNS: DNSSettings{
			Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("2001:db8::10")},
			Hosts:     []string{"@", "www"}, TTL: 300, Mail: MailNone, CAA: CAAAuto, Ownership: OwnMarker,
		},
	}
}

// facts are those of the holder of a state with all certificates.
func facts(Domain) Facts {
	return Facts{Holder: true, Certified: true, CAA: []IssuerCAA{{Domains: []string{"letsencrypt.org"}}}}
}

func zoneOf(t testing.TB, s string, sets ...RRset) Zone {
	t.Helper()
	z := Zone{Name: name(t, s), RRsets: append([]RRset{
		set("@", "NS", 3600, "ns1.example.net.", "ns2.example.net."),
	}, sets...)}
	SortRRsets(z.RRsets)
	return z
}

func reconciler(z Zones, s *fakeStore) *Reconciler {
	return &Reconciler{Zones: z, Journal: s, Accepted: s, Facts: facts, Now: func() time.Time { return now }}
}

func portfolioOf(domains ...Domain) Portfolio {
	return Portfolio{ID: "duavgor", Campaign: "Du avgör!", Domains: domains, MaxDelete: 0.30}
}
