package embedded_test

import (
	"context"
	"errors"
	"fmt"
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
