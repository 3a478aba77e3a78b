package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
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
	nets, err := embedded.Settings{AllowTransfer: allow}.Transfers()
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	s, err := embedded.NewServer(ctx, store, embedded.ServerOptions{AllowTransfer: nets, Log: quiet})
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

const kopasex = `
@            A     192.0.2.10
@            A     192.0.2.11
@            MX    0 .
@            TXT   "v=spf1 -all"
www          CNAME @
Mixed.Case   A     192.0.2.12
deep.empty   A     192.0.2.13
*.wild       TXT   "wild"
*.wild       MX    10 mx.elsewhere.example.
host.wild    A     192.0.2.14
sub.ent.wild A     192.0.2.15
one          CNAME two
two          CNAME three
three        A     192.0.2.16
out          CNAME www.elsewhere.example.
dangling     CNAME nowhere
tocut        CNAME below.child
towild       CNAME x.wild
loop1        CNAME loop2
loop2        CNAME loop1
child        NS    ns.child
child        NS    ns.elsewhere.example.
ns.child     A     192.0.2.17
ns.child     AAAA  2001:db8::17
hidden.child A     192.0.2.18
*.child      A     192.0.2.19
*.ent        CNAME three
`

func TestAnswers(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	p := newProvider(t, store, embedded.Nameserver{Name: "ns1.kopasex.example", Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.53"), netip.MustParseAddr("2001:db8::53")}},
		embedded.Nameserver{Name: "ns2.dns.example", Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.54")}})
	write(t, p, "kopasex.example", kopasex)
	_, addr := serve(t, store)

	const soa = "\nauthority kopasex.example. 60 SOA …"
	const referral = "\nauthority child.kopasex.example. 300 NS ns.child.kopasex.example.\nauthority child.kopasex.example. 300 NS ns.elsewhere.example." +
		"\nadditional ns.child.kopasex.example. 300 A 192.0.2.17\nadditional ns.child.kopasex.example. 300 AAAA 2001:db8::17"
	for _, test := range []struct{ name, typ, want string }{
		{"@", "A", "NOERROR aa\nanswer @ 300 A 192.0.2.10\nanswer @ 300 A 192.0.2.11"},
		{"@", "SOA", "NOERROR aa\nanswer @ 3600 SOA …"},
		{"@", "NS", "NOERROR aa\nanswer @ 3600 NS ns1.kopasex.example.\nanswer @ 3600 NS ns2.dns.example." +
			"\nadditional ns1.kopasex.example. 3600 A 192.0.2.53\nadditional ns1.kopasex.example. 3600 AAAA 2001:db8::53"},
		{"@", "MX", "NOERROR aa\nanswer @ 300 MX 0 ."},
		{"@", "TXT", `NOERROR aa` + "\n" + `answer @ 300 TXT "v=spf1 -all"`},
		{"@", "AAAA", "NOERROR aa" + soa},
		{"@", "DNSKEY", "NOERROR aa" + soa},
		{"@", "DS", "NOERROR aa" + soa},
		{"@", "TYPE65280", "NOERROR aa" + soa},
		{"@", "ANY", `NOERROR aa` + "\n" + `answer @ 3600 HINFO "RFC8482" ""`},
		{"ns1", "A", "NOERROR aa\nanswer ns1 3600 A 192.0.2.53"},
		{"nowhere", "A", "NXDOMAIN aa" + soa},
		{"a.b.c.nowhere", "A", "NXDOMAIN aa" + soa},
		{"nowhere", "ANY", "NXDOMAIN aa" + soa},
		{"mixed.case", "A", "NOERROR aa\nanswer mixed.case 300 A 192.0.2.12"},
		{"mIxeD.caSe", "A", "NOERROR aa\nanswer mIxeD.caSe 300 A 192.0.2.12"},
		// Empty non-terminals (RFC 8020).
		{"empty", "A", "NOERROR aa" + soa},
		{"empty", "ANY", "NOERROR aa" + soa},
		{"wild", "A", "NOERROR aa" + soa},
		{"case", "A", "NOERROR aa" + soa},
		// Wildcards (RFC 4592).
		{"x.wild", "TXT", `NOERROR aa` + "\n" + `answer x.wild 300 TXT "wild"`},
		{"X.y.Wild", "TXT", `NOERROR aa` + "\n" + `answer X.y.Wild 300 TXT "wild"`},
		{"*.wild", "TXT", `NOERROR aa` + "\n" + `answer *.wild 300 TXT "wild"`},
		{"x.*.wild", "TXT", "NXDOMAIN aa" + soa},
		{"x.wild", "A", "NOERROR aa" + soa},
		{"host.wild", "TXT", "NOERROR aa" + soa},
		{"x.host.wild", "TXT", "NXDOMAIN aa" + soa},
		{"ent.wild", "TXT", "NOERROR aa" + soa},
		{"x.ent.wild", "TXT", "NXDOMAIN aa" + soa},
		{"x.ent", "A", "NOERROR aa\nanswer x.ent 300 CNAME three.kopasex.example.\nanswer three.kopasex.example. 300 A 192.0.2.16"},
		// Aliases.
		{"www", "A", "NOERROR aa\nanswer www 300 CNAME kopasex.example.\nanswer kopasex.example. 300 A 192.0.2.10\nanswer kopasex.example. 300 A 192.0.2.11"},
		{"www", "CNAME", "NOERROR aa\nanswer www 300 CNAME kopasex.example."},
		{"www", "AAAA", "NOERROR aa\nanswer www 300 CNAME kopasex.example." + soa},
		{"one", "A", "NOERROR aa\nanswer one 300 CNAME two.kopasex.example.\nanswer two.kopasex.example. 300 CNAME three.kopasex.example.\nanswer three.kopasex.example. 300 A 192.0.2.16"},
		{"out", "A", "NOERROR aa\nanswer out 300 CNAME www.elsewhere.example."},
		{"dangling", "A", "NXDOMAIN aa\nanswer dangling 300 CNAME nowhere.kopasex.example." + soa},
		{"towild", "TXT", "NOERROR aa\nanswer towild 300 CNAME x.wild.kopasex.example.\n" + `answer x.wild.kopasex.example. 300 TXT "wild"`},
		{"loop1", "A", "NOERROR aa\nanswer loop1 300 CNAME loop2.kopasex.example.\nanswer loop2.kopasex.example. 300 CNAME loop1.kopasex.example."},
		// Delegations.
		{"child", "A", "NOERROR" + referral},
		{"child", "NS", "NOERROR" + referral},
		{"child", "SOA", "NOERROR" + referral},
		{"child", "ANY", "NOERROR" + referral},
		{"child", "DS", "NOERROR aa" + soa},
		{"x.child", "DS", "NOERROR" + referral},
		{"hidden.child", "A", "NOERROR" + referral},
		{"ns.child", "A", "NOERROR" + referral},
		{"a.b.child", "A", "NOERROR" + referral},
		{"tocut", "A", "NOERROR aa\nanswer tocut 300 CNAME below.child.kopasex.example." + referral},
		// Not ours.
		{"duavgor.example.", "A", "REFUSED"},
		{"notkopasex.example.", "A", "REFUSED"},
		{"example.", "NS", "REFUSED"},
		{".", "NS", "REFUSED"},
		// No data is asked for.
		{"@", "OPT", "FORMERR"},
		{"@", "TKEY", "NOTIMP"},
		{"@", "MAILB", "NOTIMP"},
	} {
		t.Run(test.name+" "+test.typ, func(t *testing.T) {
			t.Parallel()
			asked := test.name
			if !strings.HasSuffix(asked, ".") {
				asked += ".KopaSex.Example."
			}
			asked = strings.TrimPrefix(asked, "@.")
			m := question(asked, test.typ)
			if test.typ == "TYPE65280" {
				m.Question[0].Qtype = 65280
			}
			want := test.want
			for _, section := range []string{"answer "} {
				want = strings.ReplaceAll(want, "\n"+section+test.name+" ", "\n"+section+asked+" ")
			}
			for _, network := range []string{"udp", "tcp"} {
				answer := ask(t, addr, network, m)
				if got := brief(answer); got != want {
					t.Errorf("over %s:\n%s\n\nwant\n%s", network, got, want)
				}
				if answer.Question[0] != m.Question[0] {
					t.Errorf("the question came back as %v", answer.Question[0])
				}
			}
		})
	}
}

func TestProvider(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	p := newProvider(t, store)
	n := name(t, "köpasex.example")
	z, err := p.ReadZone(t.Context(), n)
	must(t, err)
	if !z.Missing {
		t.Errorf("%+v", z)
	}
	sets := rrsets(t, n, "@ A 192.0.2.1\nwww CNAME @")
	must(t, p.WriteZone(t.Context(), n.FQDN(), z, []portfolio.Step{{Set: sets}}))
	first, err := p.ReadZone(t.Context(), n)
	must(t, err)
	if len(first.RRsets) != 3 || first.Serial == 0 || first.Missing {
		t.Errorf("%+v", first)
	}
	if err := p.WriteZone(t.Context(), n.FQDN(), z, []portfolio.Step{{Set: sets}}); !errors.Is(err, portfolio.ErrStale) {
		t.Errorf("writing from a stale zone: %v", err)
	}
	must(t, p.WriteZone(t.Context(), n.FQDN(), first, []portfolio.Step{{Delete: sets[1:], Set: sets[:1]}, {Set: sets[1:]}}))
	same, err := p.ReadZone(t.Context(), n)
	must(t, err)
	if same.Serial != first.Serial {
		t.Error("a change that changes nothing got a new serial")
	}
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
