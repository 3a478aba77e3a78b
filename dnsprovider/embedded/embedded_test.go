package embedded_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnstest"
	"domherre/dnsprovider/embedded"
	"domherre/portfolio"
	"domherre/state"
)

var quiet = slog.New(slog.DiscardHandler)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func name(t testing.TB, s string) portfolio.Name {
	t.Helper()
	n, err := portfolio.ParseName(s)
	must(t, err)
	return n
}

func openState(t testing.TB, location string) state.Store {
	t.Helper()
	s, err := state.Open(t.Context(), location, quiet)
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newProvider(t testing.TB, store embedded.Store, nameservers ...embedded.Nameserver) *embedded.Provider {
	t.Helper()
	if len(nameservers) == 0 {
		nameservers = []embedded.Nameserver{{Name: "ns1.dns.example"}, {Name: "ns2.dns.example"}}
	}
	p, err := embedded.NewProvider(store, embedded.Options{Nameservers: nameservers})
	must(t, err)
	return p
}

// rrsets reads records in zone-file form, names relative to the zone.
func rrsets(t testing.TB, zone portfolio.Name, text string) []portfolio.RRset {
	t.Helper()
	var rrs []dns.RR
	parser := dns.NewZoneParser(strings.NewReader(text), zone.FQDN(), "")
	parser.SetDefaultTTL(300)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		rrs = append(rrs, rr)
	}
	must(t, parser.Err())
	sets, err := portfolio.RRsetsOf(zone, rrs)
	must(t, err)
	return sets
}

// write makes the zone hold these records, whatever it held.
func write(t testing.TB, p *embedded.Provider, zone, text string) {
	t.Helper()
	n := name(t, zone)
	before, err := p.ReadZone(t.Context(), n)
	must(t, err)
	var gone []portfolio.RRset
	for _, set := range before.RRsets {
		if set.Name != "@" || set.Type != "NS" {
			gone = append(gone, set)
		}
	}
	must(t, p.WriteZone(t.Context(), n.FQDN(), before, []portfolio.Step{{Delete: gone}, {Set: rrsets(t, n, text)}}))
}

// serve starts a server that is stopped when the test ends.
func serve(t testing.TB, store embedded.WatchedStore, allow ...string) (*embedded.Server, string) {
	t.Helper()
	return serveTo(t, store, embedded.Settings{AllowTransfer: allow})
}

// serveTo starts a server for the secondaries of the settings.
func serveTo(t testing.TB, store embedded.WatchedStore, settings embedded.Settings) (*embedded.Server, string) {
	t.Helper()
	secondaries, err := settings.Secondaries()
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	s, err := embedded.NewServer(ctx, store, embedded.ServerOptions{Secondaries: secondaries, Log: quiet})
	must(t, err)
	udp, tcp, err := embedded.Listen(ctx, "127.0.0.1:0")
	must(t, err)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, udp, tcp) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s, udp.LocalAddr().String()
}

func ask(t testing.TB, addr, network string, m *dns.Msg) *dns.Msg {
	t.Helper()
	client := dns.Client{Net: network, Timeout: 5 * time.Second, UDPSize: dns.MaxMsgSize}
	answer, _, err := client.Exchange(m, addr)
	must(t, err)
	return answer
}

func question(name, typ string) *dns.Msg {
	return new(dns.Msg).SetQuestion(name, dns.StringToType[typ])
}

// brief shows an answer in a few words: code, flags, and the sections that
// hold something, each record without its class.
func brief(m *dns.Msg) string {
	var b strings.Builder
	b.WriteString(dns.RcodeToString[m.Rcode])
	if m.Authoritative {
		b.WriteString(" aa")
	}
	if m.Truncated {
		b.WriteString(" tc")
	}
	if m.RecursionAvailable {
		b.WriteString(" ra")
	}
	for _, section := range []struct {
		name string
		rrs  []dns.RR
	}{{"answer", m.Answer}, {"authority", m.Ns}, {"additional", m.Extra}} {
		for _, rr := range section.rrs {
			h := rr.Header()
			if h.Rrtype == dns.TypeOPT {
				continue
			}
			data := strings.TrimPrefix(rr.String(), h.String())
			if h.Rrtype == dns.TypeSOA {
				data = "…"
			}
			fmt.Fprintf(&b, "\n%s %s %d %s %s", section.name, h.Name, h.Ttl, dns.Type(h.Rrtype), data)
		}
	}
	return b.String()
}

// find gives the path of a tool, or leaves the test out where it is missing.
func find(t *testing.T, binary, apt string) string {
	t.Helper()
	path, err := exec.LookPath(binary)
	if err == nil {
		return path
	}
	message := binary + " is not installed: apt-get install " + apt
	if os.Getenv(dnstest.Require) != "" {
		t.Fatal(message)
	}
	t.Skip(message)
	return ""
}
