package dnsprovider

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"

	"domherre/portfolio"
)

// answers serves a zone file's records by name and type, on UDP and TCP at
// 127.0.0.1. Those of the types asked for and CNAMEs are given.
type answers struct {
	records []string
	rcode   int
	unsure  bool // answers without authority
}

func (a *answers) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg)
	m.SetRcode(q, a.rcode)
	m.Authoritative = !a.unsure
	asked := q.Question[0]
	for _, s := range a.records {
		rr, err := dns.NewRR(s)
		if err != nil {
			panic(err)
		}
		h := rr.Header()
		if dns.CanonicalName(h.Name) == dns.CanonicalName(asked.Name) && (h.Rrtype == asked.Qtype || h.Rrtype == dns.TypeCNAME) {
			m.Answer = append(m.Answer, rr)
		}
	}
	if w.LocalAddr().Network() == "udp" {
		m.Truncate(512)
	}
	_ = w.WriteMsg(m)
}

func serveDNS(t *testing.T, h dns.Handler) netip.AddrPort {
	t.Helper()
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err != nil {
			_ = tcp.Close()
			continue
		}
		for _, s := range []*dns.Server{{Listener: tcp, Handler: h}, {PacketConn: udp, Handler: h}} {
			started := make(chan struct{})
			s.NotifyStartedFunc = func() { close(started) }
			go func() { _ = s.ActivateAndServe() }()
			<-started
			t.Cleanup(func() { _ = s.Shutdown() })
		}
		return netip.MustParseAddrPort(tcp.Addr().String())
	}
	t.Fatal("no port is free for both UDP and TCP")
	return netip.AddrPort{}
}

const apex = "xn--kpasex-wxa.example."

func TestVerify(t *testing.T) {
	t.Parallel()
	d := domain(t, "köpasex.example")
	long := strings.Repeat("0123456789", 90)
	good := []string{
		apex + " 300 IN A 192.0.2.1", apex + " 300 IN A 192.0.2.2", apex + ` 300 IN TXT "v=spf1 -all"`,
		"*." + apex + " 300 IN A 192.0.2.1",
		"long." + apex + ` 300 IN TXT "` + long[:255] + `" "` + long[255:510] + `" "` + long[510:765] + `" "` + long[765:] + `"`,
	}
	want := []portfolio.RRset{
		rrset(t, d, "@", "A", 300, "192.0.2.1", "192.0.2.2"), rrset(t, d, "@", "TXT", 300, "v=spf1 -all"),
		rrset(t, d, "*", "A", 300, "192.0.2.1"), rrset(t, d, "long", "TXT", 300, long),
	}
	const name = "köpasex.example (xn--kpasex-wxa.example)"
	for _, c := range []struct {
		what  string
		serve answers
		want  []string // sentences
		err   string
	}{
		{"all", answers{records: good}, nil, ""},
		{"wrong", answers{records: []string{
			apex + " 300 IN A 192.0.2.1", apex + ` 60 IN TXT "v=spf1 -all"`, "*." + apex + " 300 IN CNAME kopasex.se.",
		}}, []string{
			name + " A is 192.0.2.1, not 192.0.2.1 and 192.0.2.2",
			name + " TXT has the TTL 60, not 300",
			"*.köpasex.example (*.xn--kpasex-wxa.example) A is an alias of kopasex.se., not 192.0.2.1",
			"long.köpasex.example (long.xn--kpasex-wxa.example) TXT is missing",
		}, ""},
		{"refused", answers{rcode: dns.RcodeRefused}, nil, "it does not serve " + name + " (REFUSED)"},
		{"a resolver", answers{records: good, unsure: true}, nil, "it does not serve " + name + ": it answers without authority"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			addr, second := serveDNS(t, &c.serve), serveDNS(t, &answers{records: good})
			s := openFake(t, &fake{}, bySet, Limits{}, Deps{})
			s.providers[0].cfg.Nameservers = []Nameserver{{"ns1.example.net", addr}, {"ns2.example.net", second}}
			served := s.Verify(t.Context(), d, want)
			if len(served.Servers) != 2 || served.All() != (c.want == nil && c.err == "") {
				t.Fatalf("%+v", served)
			}
			got := served.Servers[0]
			if got.Server != "ns1.example.net ("+addr.String()+")" || got.Err != c.err || !slices.Equal(got.Wrong, c.want) {
				t.Errorf("%+v", got)
			}
			if other := served.Servers[1]; other.Err != "" || len(other.Wrong) > 0 {
				t.Errorf("the good server: %+v", other)
			}
		})
	}
}

func TestNameservers(t *testing.T) {
	t.Parallel()
	d := domain(t, "kopasex.se")
	resolver := &answers{records: []string{
		"kopasex.se. 1 IN NS ns2.example.net.", "kopasex.se. 1 IN NS ns1.example.net.",
		"ns1.example.net. 1 IN A 192.0.2.1", "ns1.example.net. 1 IN AAAA 2001:db8::1", "ns2.example.net. 1 IN A 192.0.2.2",
		"xn--namn-sna.example. 1 IN A 192.0.2.3",
	}}
	s := openFake(t, &fake{}, bySet, Limits{}, Deps{Resolvers: []string{serveDNS(t, resolver).String()}})
	list := func(d portfolio.Domain, configured ...Nameserver) string {
		s.providers[0].cfg.Nameservers = asASCII(configured)
		got, err := s.Nameservers(t.Context(), d)
		return fmt.Sprint(got, err)
	}
	here := netip.MustParseAddrPort("127.0.0.1:5301")
	for _, c := range []struct{ got, want string }{
		{list(d), "[ns1.example.net (192.0.2.1:53) ns1.example.net ([2001:db8::1]:53) ns2.example.net (192.0.2.2:53)] <nil>"},
		{list(d, Nameserver{"ns1.example.net.", here}), "[ns1.example.net (127.0.0.1:5301)] <nil>"},
		{list(d, Nameserver{Addr: here}), "[127.0.0.1:5301] <nil>"},
		{list(d, Nameserver{Name: "ns2.example.net"}), "[ns2.example.net (192.0.2.2:53)] <nil>"},
		{list(d, Nameserver{Name: "ns2.example.net"}, Nameserver{Name: "gone.example.net"}), "[ns2.example.net (192.0.2.2:53) gone.example.net] <nil>"},
		{list(d, Nameserver{Name: "gone.example.net"}), "[] kopasex.se: find its name servers: the name server gone.example.net has no address"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, not %s", c.got, c.want)
		}
	}
	other := domain(t, "other.example")
	if got := list(other); !strings.Contains(got, "not delegated") {
		t.Errorf("got %s", got)
	}
	if served := s.Verify(t.Context(), other, nil); served.All() || !strings.Contains(served.String(), "not delegated") {
		t.Errorf("%v", served)
	}
}

func TestWaitIsBounded(t *testing.T) {
	t.Parallel()
	d := domain(t, "kopasex.se")
	s := openFake(t, &fake{}, bySet, Limits{}, Deps{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asked atomic.Int32
	held := &answers{records: []string{`_acme-challenge.kopasex.se. 60 IN TXT "old"`}}
	addr := serveDNS(t, dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		if q.Question[0].Qtype == dns.TypeTXT && asked.Add(1) == 2 {
			cancel() // time is up in the middle of the second look
		}
		held.ServeDNS(w, q)
	}))
	s.providers[0].cfg.Nameservers = []Nameserver{{"ns1.example.net", addr}}
	err := s.Wait(ctx, "_acme-challenge."+d.Name.FQDN(), "new")
	if err == nil || !strings.Contains(err.Error(), "kopasex.se: wait for the challenge") || !strings.Contains(err.Error(), "does not serve the value yet") {
		t.Errorf("%v", err)
	}
	if err := s.Wait(t.Context(), "_acme-challenge."+d.Name.FQDN(), "old"); err != nil {
		t.Error(err)
	}
}

// Where a challenge can't go, it is said why.
func TestChallengeNowhere(t *testing.T) {
	t.Parallel()
	d := domain(t, "kopasex.se")
	f := &fake{zones: []string{"kopasex.se."}}
	s := openFake(t, f, bySet, Limits{}, Deps{})
	seed(t, f, d, rrset(t, d, "_acme-challenge", "CNAME", 60, "a.kopasex.se."), rrset(t, d, "a", "CNAME", 60, "_acme-challenge.kopasex.se."))
	present := func(fqdn string) string { return fmt.Sprint(s.Present(t.Context(), fqdn, "x")) }
	if got := present("_acme-challenge.kopasex.se."); !strings.Contains(got, "alias to alias") {
		t.Error(got)
	}
	if got := present("_acme-challenge.se."); !strings.Contains(got, "underscore") {
		t.Error(got)
	}
	f.get = func() error { return fmt.Errorf("vendor says: 404") }
	if got := present("_acme-challenge.www.other.example."); !strings.Contains(got, "other.example: no provider of ours has the zone") {
		t.Error(got)
	}
	// A domain of the portfolio is asked of at its own provider alone.
	s.deps.Provider = func(portfolio.Name) (string, bool) { return "another", true }
	calls := len(f.calls)
	if got := present("_acme-challenge.kopasex.se."); !strings.Contains(got, "no provider") || len(f.calls) != calls {
		t.Error(got)
	}
}

// Parts of a zone that are delegated are referred to without authority.
func TestVerifyDelegated(t *testing.T) {
	t.Parallel()
	d := domain(t, "kopasex.example")
	addr := serveDNS(t, dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		host := dns.CanonicalName(q.Question[0].Name)
		if m.Authoritative = !dns.IsSubDomain("sub.kopasex.example.", host); !m.Authoritative {
			ns, err := dns.NewRR("sub.kopasex.example. 300 IN NS ns.sub.kopasex.example.")
			if err != nil {
				panic(err)
			}
			m.Ns = []dns.RR{ns}
		}
		_ = w.WriteMsg(m)
	}))
	s := openFake(t, &fake{}, bySet, Limits{}, Deps{})
	s.providers[0].cfg.Nameservers = []Nameserver{{"ns1.example.net", addr}}
	glue := rrset(t, d, "ns.sub", "A", 300, "192.0.2.1")
	for _, c := range []struct {
		want []portfolio.RRset
		say  []string
	}{
		{[]portfolio.RRset{rrset(t, d, "sub", "NS", 300, "ns.sub.kopasex.example."), glue}, nil},
		{[]portfolio.RRset{rrset(t, d, "sub", "NS", 60, "ns.sub.kopasex.example."), glue}, []string{"sub.kopasex.example NS has the TTL 300, not 60"}},
		{[]portfolio.RRset{rrset(t, d, "sub", "NS", 300, "ns.example.net.")}, []string{"sub.kopasex.example NS is ns.sub.kopasex.example., not ns.example.net."}},
		{[]portfolio.RRset{glue}, []string{"ns.sub.kopasex.example A is out of reach: sub.kopasex.example is delegated to others"}},
	} {
		served := s.Verify(t.Context(), d, c.want)
		if got := served.Servers[0]; got.Err != "" || !slices.Equal(got.Wrong, c.say) {
			t.Errorf("%+v, want %v", got, c.say)
		}
	}
}
