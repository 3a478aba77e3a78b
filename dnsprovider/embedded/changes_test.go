package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/embedded"
	"domherre/portfolio"
	"domherre/state"
)

// addressOf gives the A record that the server answers with, or its rcode.
func addressOf(t testing.TB, addr, host string) string {
	t.Helper()
	answer := ask(t, addr, "udp", question(host, "A"))
	if len(answer.Answer) == 1 {
		return answer.Answer[0].(*dns.A).A.String()
	}
	return dns.RcodeToString[answer.Rcode]
}

// eventually asks until the answer is want.
func eventually(t testing.TB, addr, host, want string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		got := addressOf(t, addr, host)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is %s; want %s", host, got, want)
		}
	}
}

// TestChangesHere writes through the server's store: the next question gets
// the new answer.
func TestChangesHere(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	s, addr := serve(t, store)
	p := newProvider(t, s.Store())
	if got := addressOf(t, addr, "kopasex.example."); got != "REFUSED" {
		t.Errorf("before there is a zone: %s", got)
	}
	var serial uint32
	for i := range 50 {
		want := fmt.Sprintf("192.0.2.%d", i)
		write(t, p, "kopasex.example", "@ A "+want)
		if got := addressOf(t, addr, "kopasex.example."); got != want {
			t.Fatalf("%s; want %s", got, want)
		}
		soa := ask(t, addr, "udp", question("kopasex.example.", "SOA")).Answer[0].(*dns.SOA)
		if i > 0 && soa.Serial-serial-1 >= 1<<31 {
			t.Fatalf("serial %d after %d", soa.Serial, serial)
		}
		serial = soa.Serial
	}
	must(t, s.Store().Delete(t.Context(), "dns/zones/kopasex.example.json"))
	if got := addressOf(t, addr, "kopasex.example."); got != "REFUSED" {
		t.Errorf("after the zone is gone: %s", got)
	}
	write(t, p, "kopasex.example", "@ A 192.0.2.1")
	if got := addressOf(t, addr, "kopasex.example."); got != "192.0.2.1" {
		t.Errorf("after it is back: %s", got)
	}
}

// TestChangesElsewhere writes as another process does, which the server hears
// of by its watch.
func TestChangesElsewhere(t *testing.T) {
	t.Parallel()
	location := t.TempDir()
	_, addr := serve(t, openState(t, location))
	store := openState(t, location)
	p := newProvider(t, store)
	for i := range 5 {
		want := fmt.Sprintf("192.0.2.%d", i)
		write(t, p, "kopasex.example", "@ A "+want)
		eventually(t, addr, "kopasex.example.", want)
		write(t, p, fmt.Sprintf("new%d.example", i), "@ A "+want)
		eventually(t, addr, fmt.Sprintf("new%d.example.", i), want)
	}
	must(t, store.Delete(t.Context(), "dns/zones/kopasex.example.json"))
	eventually(t, addr, "kopasex.example.", "REFUSED")
}

// TestBrokenZone has a value in the store that is no zone: what was served
// before is served on, other zones are, and all is well once it is mended.
func TestBrokenZone(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	p := newProvider(t, store)
	write(t, p, "kopasex.example", "@ A 192.0.2.1")
	write(t, p, "duavgor.example", "@ A 192.0.2.2")
	good, err := store.Load(t.Context(), "dns/zones/kopasex.example.json")
	must(t, err)
	_, addr := serve(t, store)
	eventually(t, addr, "kopasex.example.", "192.0.2.1")
	for _, bad := range []string{"", "{", "{}", `{"version":2}`, strings.Replace(string(good), "kopasex.example", "other.example", 1),
		strings.Replace(string(good), "192.0.2.1", "no address", 1), strings.Replace(string(good), `"nameservers"`, `"others"`, 1)} {
		must(t, store.Store(t.Context(), "dns/zones/kopasex.example.json", []byte(bad)))
		if _, err := p.ReadZone(t.Context(), name(t, "kopasex.example")); err == nil && !strings.Contains(bad, "no address") {
			t.Errorf("read %q as a zone", bad)
		}
		_, fresh := serve(t, store)
		for host, want := range map[string]string{"kopasex.example.": "SERVFAIL", "duavgor.example.": "192.0.2.2"} {
			if got := addressOf(t, fresh, host); got != want {
				t.Errorf("%s is %s with a zone %q", host, got, bad)
			}
		}
		if got := addressOf(t, addr, "kopasex.example."); got != "192.0.2.1" {
			t.Errorf("served before, now %s", got)
		}
		must(t, store.Store(t.Context(), "dns/zones/kopasex.example.json", good))
		eventually(t, fresh, "kopasex.example.", "192.0.2.1")
	}
}

// flaky is a store whose next reads fail, without a change to tell of later.
type flaky struct {
	inner
	fails atomic.Int32
}

type inner = state.Store

func (f *flaky) Load(ctx context.Context, key string) ([]byte, error) {
	if f.fails.Add(-1) >= 0 {
		return nil, syscall.EMFILE
	}
	return f.inner.Load(ctx, key)
}

// TestFlakyStore can't read a zone for a while: the server tries again by itself.
func TestFlakyStore(t *testing.T) {
	t.Parallel()
	store := &flaky{inner: openState(t, t.TempDir())}
	write(t, newProvider(t, store), "kopasex.example", "@ A 192.0.2.1")
	_, addr := serve(t, store)
	store.fails.Store(1)
	if got := addressOf(t, addr, "kopasex.example."); got != "SERVFAIL" {
		t.Errorf("%s", got)
	}
	eventually(t, addr, "kopasex.example.", "192.0.2.1")
}

// TestConcurrently writes zones from several sides while they are asked for.
func TestConcurrently(t *testing.T) {
	t.Parallel()
	location := t.TempDir()
	s, addr := serve(t, openState(t, location))
	providers := []*embedded.Provider{newProvider(t, s.Store()), newProvider(t, openState(t, location))}
	n := name(t, "kopasex.example")
	write(t, providers[0], "kopasex.example", "@ A 192.0.2.1")
	ctx, stop := context.WithCancel(t.Context())
	var askers, writers sync.WaitGroup
	for i := range 4 {
		askers.Go(func() {
			client := dns.Client{Net: []string{"udp", "tcp"}[i%2], Timeout: 5 * time.Second}
			for ctx.Err() == nil {
				answer, _, err := client.Exchange(question("kopasex.example.", "A"), addr)
				if err != nil || len(answer.Answer) != 1 {
					t.Errorf("%v, %v", answer, err)
					return
				}
			}
		})
	}
	stale := 0
	var mu sync.Mutex
	for i := range 8 {
		writers.Go(func() {
			set := rrsets(t, n, fmt.Sprintf("host%d A 192.0.2.%d", i, i))
			for range 20 {
				before, err := providers[i%2].ReadZone(ctx, n)
				if err == nil {
					err = providers[i%2].WriteZone(ctx, n.FQDN(), before, []portfolio.Step{{Set: set}})
				}
				if errors.Is(err, portfolio.ErrStale) {
					mu.Lock()
					stale++
					mu.Unlock()
				} else if err != nil {
					t.Error(err)
				}
				set[0].TTL++
			}
		})
	}
	writers.Wait()
	stop()
	askers.Wait()
	z, err := providers[0].ReadZone(t.Context(), n)
	must(t, err)
	if len(z.RRsets) != 10 || stale > 0 {
		t.Errorf("%d RRsets, %d writes to RRsets that nobody else touched were stale", len(z.RRsets), stale)
	}
	for _, set := range z.RRsets {
		if strings.HasPrefix(set.Name, "host") && set.TTL != 319 {
			t.Errorf("a write was lost: %v", set)
		}
	}
}

// TestStale has two writers at one RRset: one of them wins.
func TestStale(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	p := newProvider(t, store)
	n := name(t, "kopasex.example")
	write(t, p, "kopasex.example", "@ A 192.0.2.1\nwww A 192.0.2.1\nfree A 192.0.2.1")
	before, err := p.ReadZone(t.Context(), n)
	must(t, err)
	must(t, p.WriteZone(t.Context(), n.FQDN(), before, []portfolio.Step{{Set: rrsets(t, n, "www A 192.0.2.2\nnew A 192.0.2.2"), Delete: rrsets(t, n, "free A 192.0.2.1")}}))
	now, err := p.ReadZone(t.Context(), n)
	must(t, err)
	for _, test := range []struct {
		name string
		step portfolio.Step
	}{
		{"changed", portfolio.Step{Set: rrsets(t, n, "www A 192.0.2.3")}},
		{"TTL changed alone", portfolio.Step{Set: rrsets(t, n, "www 60 A 192.0.2.3")}},
		{"created", portfolio.Step{Set: rrsets(t, n, "new A 192.0.2.3")}},
		{"deleted", portfolio.Step{Set: rrsets(t, n, "free A 192.0.2.3")}},
		{"deleted, and deleted again", portfolio.Step{Delete: rrsets(t, n, "free A 192.0.2.1")}},
		{"deleting what has changed", portfolio.Step{Delete: rrsets(t, n, "www A 192.0.2.1")}},
		{"a CNAME where something came", portfolio.Step{Set: rrsets(t, n, "new CNAME @")}},
	} {
		err := p.WriteZone(t.Context(), n.FQDN(), before, []portfolio.Step{{Set: rrsets(t, n, "innocent A 192.0.2.9")}, test.step})
		if !errors.Is(err, portfolio.ErrStale) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	after, err := p.ReadZone(t.Context(), n)
	must(t, err)
	if after.Serial != now.Serial || after.Digest() != now.Digest() {
		t.Error("a stale write left something behind")
	}
	if err := p.WriteZone(t.Context(), n.FQDN(), portfolio.Zone{Name: n, Missing: true}, nil); !errors.Is(err, portfolio.ErrStale) {
		t.Errorf("creating what is there: %v", err)
	}
	gone := name(t, "duavgor.example")
	if err := p.WriteZone(t.Context(), gone.FQDN(), portfolio.Zone{Name: gone}, []portfolio.Step{{Set: rrsets(t, gone, "@ A 192.0.2.1")}}); !errors.Is(err, portfolio.ErrStale) {
		t.Errorf("changing what is gone: %v", err)
	}
	if zones, err := p.ListZones(t.Context()); err != nil || len(zones) != 1 {
		t.Errorf("zones: %v, %v", zones, err)
	}
}

// TestRefused asks for what no zone can hold: nothing changes.
func TestRefused(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	p := newProvider(t, store)
	n := name(t, "kopasex.example")
	write(t, p, "kopasex.example", "@ A 192.0.2.1\nwww CNAME @\nhost A 192.0.2.1")
	before, err := p.ReadZone(t.Context(), n)
	must(t, err)
	var long []string
	for i := range 300 {
		long = append(long, fmt.Sprint(i)+strings.Repeat("x", 200))
	}
	huge, err := portfolio.NewRRset(n, "huge", "TXT", 60, long)
	must(t, err)
	for want, sets := range map[string][]portfolio.RRset{
		"www has a CNAME to kopasex.example. beside A records; delete one of them first":  rrsets(t, n, "www A 192.0.2.1"),
		"host has a CNAME to kopasex.example. beside A records; delete one of them first": rrsets(t, n, "host CNAME @"),
		"a CNAME can't stand at the apex of a zone":                                       rrsets(t, n, "@ CNAME www"),
		"octets of records; no more than 49152 can be served":                             {huge},
		"two A has no data": {{Name: "two", Type: "A", TTL: 60}},
	} {
		err := p.WriteZone(t.Context(), n.FQDN(), before, []portfolio.Step{{Set: sets}})
		if err == nil || errors.Is(err, portfolio.ErrStale) || !strings.HasPrefix(err.Error(), "changing zone kopasex.example: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
	after, err := p.ReadZone(t.Context(), n)
	must(t, err)
	if after.Serial != before.Serial {
		t.Error("a refused write left something behind")
	}
	// The same, once what is in the way goes in the same write.
	must(t, p.WriteZone(t.Context(), n.FQDN(), before, []portfolio.Step{{Delete: rrsets(t, n, "www CNAME @\nhost A 192.0.2.1"), Set: rrsets(t, n, "www A 192.0.2.1\nhost CNAME @")}}))
}

// TestSettings changes the name servers and the contact: Sync brings zones in
// line, and the zones' own NS records stand.
func TestSettings(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	s, addr := serve(t, store)
	old, err := embedded.NewProvider(s.Store(), embedded.Options{})
	must(t, err)
	write(t, old, "kopasex.example", "@ A 192.0.2.1")
	write(t, old, "own.example", "@ NS ns.own.example.\nns A 192.0.2.1")
	nsOf := func(zone string) []string {
		t.Helper()
		var names []string
		for _, rr := range ask(t, addr, "tcp", question(zone, "NS")).Answer {
			names = append(names, rr.(*dns.NS).Ns)
		}
		slices.Sort(names)
		return names
	}
	if got := nsOf("kopasex.example."); !slices.Equal(got, []string{"no-nameservers-configured.invalid."}) {
		t.Errorf("without name servers: %q", got)
	}
	fresh, err := embedded.NewProvider(s.Store(), embedded.Options{
		Settings:    embedded.Settings{Contact: "anna.andersson@dns.example"},
		Nameservers: []embedded.Nameserver{{Name: "NS1.dns.example"}, {Name: "ns2.dns.example."}, {Name: "ns1.dns.example."}},
	})
	must(t, err)
	for want := 2; want >= 0; want -= 2 {
		if changed, err := fresh.Sync(t.Context()); err != nil || changed != want {
			t.Errorf("Sync = %d, %v; want %d", changed, err, want)
		}
	}
	if got := nsOf("kopasex.example."); !slices.Equal(got, []string{"ns1.dns.example.", "ns2.dns.example."}) {
		t.Errorf("%q", got)
	}
	if got := nsOf("own.example."); !slices.Equal(got, []string{"ns.own.example."}) {
		t.Errorf("the zone's own NS: %q", got)
	}
	soa := ask(t, addr, "udp", question("kopasex.example.", "SOA")).Answer[0].(*dns.SOA)
	if soa.Ns != "ns1.dns.example." || soa.Mbox != `anna\.andersson.dns.example.` {
		t.Errorf("%v", soa)
	}
	z, err := fresh.ReadZone(t.Context(), name(t, "kopasex.example"))
	must(t, err)
	if z.Serial != soa.Serial || len(z.RRsets) != 2 {
		t.Errorf("%+v", z)
	}
}

func TestSettingsCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		settings embedded.Settings
		faults   string
	}{
		{embedded.Settings{}, ""},
		{embedded.Settings{Contact: "dns@example.se", AllowTransfer: []string{"192.0.2.1", "2001:db8::/32", "::1"}}, ""},
		{embedded.Settings{Contact: "Anna <dns@example.se>"}, "contact"},
		{embedded.Settings{Contact: "example.se"}, "contact"},
		{embedded.Settings{Contact: "åsa@example.se"}, "contact"},
		{embedded.Settings{AllowTransfer: []string{"ns1.example.se"}}, "allow_transfer"},
		{embedded.Settings{AllowTransfer: []string{"192.0.2.1/33"}, Contact: "x"}, "allow_transfer contact"},
	} {
		var keys []string
		for key := range test.settings.Check() {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		if got := strings.Join(keys, " "); got != test.faults {
			t.Errorf("%+v: faults in %q; want %q", test.settings, got, test.faults)
		}
		if _, err := embedded.NewProvider(nil, embedded.Options{Settings: test.settings}); (err != nil) != (test.faults != "") {
			t.Errorf("%+v: %v", test.settings, err)
		}
	}
	for _, bad := range []string{"", "å.example", "a..b", "-.x y"} {
		if _, err := embedded.NewProvider(nil, embedded.Options{Nameservers: []embedded.Nameserver{{Name: bad}}}); err == nil {
			t.Errorf("took %q for a name server", bad)
		}
	}
}
