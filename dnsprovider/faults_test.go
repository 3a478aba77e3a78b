package dnsprovider_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider"
	"domherre/dnsprovider/dnstest"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// counter counts requests by op and outcome.
type counter struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *counter) add(_, op, outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = make(map[string]int)
	}
	c.n[op+" "+outcome]++
}

func (c *counter) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, k := range slices.Sorted(maps.Keys(c.n)) {
		out = append(out, fmt.Sprintf("%s: %d", k, c.n[k]))
	}
	return strings.Join(out, ", ")
}

func openAt(t *testing.T, s *dnstest.Server, change func(*dnsprovider.Config)) (*dnsprovider.Set, *counter) {
	t.Helper()
	cfg := dnsprovider.Config{
		Name: "main", Type: "rfc2136", Settings: s.Settings(),
		Nameservers: []dnsprovider.Nameserver{{Name: "ns1.dnstest.example", Addr: netip.MustParseAddrPort(s.Addr)}},
	}
	if change != nil {
		change(&cfg)
	}
	c := new(counter)
	set, err := dnsprovider.Open([]dnsprovider.Config{cfg}, dnsprovider.Deps{Requested: c.add})
	if err != nil {
		t.Fatal(err)
	}
	return set, c
}

func named(t *testing.T, name string) portfolio.Domain {
	t.Helper()
	n, err := portfolio.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	return portfolio.Domain{Name: n}
}

func makeSet(t *testing.T, d portfolio.Domain, owner, typ string, data ...string) portfolio.RRset {
	t.Helper()
	s, err := portfolio.NewRRset(d.Name, owner, typ, 300, data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var servers = map[string]func(testing.TB, ...string) *dnstest.Server{"knot": dnstest.StartKnot, "bind": dnstest.StartBIND}

// The server carries an update out and its answer never comes: by a connection
// that breaks, or one that stays silent until time is up. The zone is read
// again, and nothing is written twice.
func TestUpdateAnswerLost(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "a.example", "b.example")
			for zone, silent := range map[string]bool{"a.example": false, "b.example": true} {
				var updates atomic.Int32
				addr := proxy(t, s.Addr, func(query *dns.Msg, _ []byte) fate {
					switch {
					case query.Opcode != dns.OpcodeUpdate || updates.Add(1) > 1:
						return pass
					case silent:
						return hang
					}
					return hangUp
				})
				set, requests := openAt(t, s, func(c *dnsprovider.Config) {
					c.Settings["server"] = addr
					c.Limits.Timeout = time.Second
				})
				d := named(t, zone)
				z, err := set.Observe(t.Context(), d)
				if err != nil {
					t.Fatal(err)
				}
				want := []portfolio.RRset{makeSet(t, d, "@", "A", "192.0.2.1"), makeSet(t, d, "@", "TXT", "one", "two")}
				if err := set.Write(t.Context(), portfolio.Write{Domain: d, Observed: z, Steps: []portfolio.Step{{Set: want}}}); err != nil {
					t.Fatalf("%s: %v", requests, err)
				}
				if n := updates.Load(); n != 1 {
					t.Errorf("%d updates were sent, not 1 (%s)", n, requests)
				}
				if served := set.Verify(t.Context(), d, want); !served.All() {
					t.Error(served)
				}
			}
		})
	}
}

// fate is what becomes of an answer.
type fate int

const (
	pass fate = iota
	hangUp
	hang
)

// proxy stands before a server's TCP side and decides over each answer.
func proxy(t *testing.T, server string, decide func(query *dns.Msg, answer []byte) fate) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer client.Close()
				relay(client, server, decide)
			})
		}
	})
	return l.Addr().String()
}

func relay(client net.Conn, server string, decide func(*dns.Msg, []byte) fate) {
	behind, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer behind.Close()
	in, out := &dns.Conn{Conn: client}, &dns.Conn{Conn: behind}
	buf := make([]byte, dns.MaxMsgSize)
	n, err := in.Read(buf)
	if err != nil {
		return
	}
	query := new(dns.Msg)
	if query.Unpack(buf[:n]) != nil {
		return
	}
	if _, err := out.Write(buf[:n]); err != nil {
		return
	}
	for {
		_ = behind.SetReadDeadline(time.Now().Add(2 * time.Second))
		n, err := out.Read(buf)
		if err != nil {
			return
		}
		switch decide(query, buf[:n]) {
		case hangUp:
			return
		case hang:
			_, _ = io.Copy(io.Discard, client) // until the client gives up
			return
		}
		if _, err := in.Write(buf[:n]); err != nil {
			return
		}
	}
}

// A key that the server refuses: fifty domains make no storm, and each is told
// what to do.
func TestKeyRefused(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var zones []string
			for i := range 50 {
				zones = append(zones, fmt.Sprintf("n%d.example", i))
			}
			s := start(t, zones...)
			for _, c := range []struct {
				setting, value, want string
				outcome              string
				most                 int
			}{
				{"key", "d3Jvbmc=", "copy both from there", "read credentials", 12},
				{"key_name", "unknown.", "give the server the key unknown. (hmac-sha256)", "read error", 50},
			} {
				set, requests := openAt(t, s, func(cfg *dnsprovider.Config) { cfg.Settings[c.setting] = c.value })
				var wg sync.WaitGroup
				for _, zone := range zones {
					wg.Go(func() {
						_, err := set.Observe(t.Context(), named(t, zone))
						if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "d3Jvbmc") {
							t.Errorf("%v", err)
						}
					})
				}
				wg.Wait()
				if made := requests.n[c.outcome]; made == 0 || made > c.most || len(requests.n) != 1 {
					t.Errorf("requests: %s", requests)
				}
			}
		})
	}
}

// A key that is known but may not touch the zone concerns that zone alone.
func TestKeyWithoutRights(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "a.example")
			set, requests := openAt(t, s, func(cfg *dnsprovider.Config) { cfg.Settings["key_name"] = dnstest.IdleKeyName })
			for range 6 {
				_, err := set.Observe(t.Context(), named(t, "a.example"))
				if err == nil || zoneio.KindOf(err) != zoneio.Other || !strings.Contains(err.Error(), "allow-transfer") {
					t.Fatalf("%v", err)
				}
			}
			if requests.n["read error"] != 6 {
				t.Errorf("requests: %s", requests)
			}
		})
	}
}

// A server that is gone is told so, with the place to look.
func TestServerGone(t *testing.T) {
	t.Parallel()
	s := dnstest.StartKnot(t, "a.example")
	set, _ := openAt(t, s, func(cfg *dnsprovider.Config) { cfg.Limits.Retries = 1 })
	d := named(t, "a.example")
	z, err := set.Observe(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	err = set.Write(t.Context(), portfolio.Write{Domain: d, Observed: z, Steps: []portfolio.Step{{Set: []portfolio.RRset{makeSet(t, d, "@", "A", "192.0.2.1")}}}})
	if err == nil || !strings.Contains(err.Error(), "check that it runs") || errors.Is(err, portfolio.ErrStale) {
		t.Errorf("%v", err)
	}
	served := set.Verify(t.Context(), d, nil)
	if served.All() || !strings.Contains(served.String(), "does not answer") {
		t.Errorf("%v", served)
	}
}

// What the server adds by signing is neither seen nor touched.
func TestSignedZone(t *testing.T) {
	t.Parallel()
	s := dnstest.StartKnot(t, "signed.example")
	set, _ := openAt(t, s, nil)
	d := named(t, "signed.example")
	for i := range 3 {
		z, err := set.ObserveFull(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range z.RRsets {
			if !slices.Contains([]string{"NS", "A", "TXT"}, r.Type) {
				t.Errorf("%s %s is seen", r.Name, r.Type)
			}
		}
		want := []portfolio.RRset{makeSet(t, d, "@", "A", fmt.Sprintf("192.0.2.%d", i)), makeSet(t, d, "*", "TXT", "v=spf1 -all")}
		if err := set.Write(t.Context(), portfolio.Write{Domain: d, Observed: z, Steps: []portfolio.Step{{Set: want}}}); err != nil {
			t.Fatal(err)
		}
		if served := set.Verify(t.Context(), d, want); !served.All() {
			t.Error(served)
		}
	}
}
