package check_test

import (
	"context"
	"crypto/x509"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/check"
	"domherre/cmd/domherre-lab/lab"
	"domherre/dnsprovider/dnsclient"
	"domherre/portfolio"
)

// lookups is the product's resolver as the checks want it.
type lookups struct{ *dnsclient.Resolver }

func (l lookups) Lookup(ctx context.Context, name string, qtype uint16) (check.Answer, error) {
	return answer(l.Resolver.Lookup(ctx, name, qtype))
}

func (l lookups) LookupUnchecked(ctx context.Context, name string, qtype uint16) (check.Answer, error) {
	return answer(l.Resolver.LookupUnchecked(ctx, name, qtype))
}

func answer(a dnsclient.Answer, err error) (check.Answer, error) {
	return check.Answer{Rcode: a.Rcode, Records: a.Records, Authentic: a.Authentic, Extended: a.Extended}, err
}

// serveZone is an authoritative server for kopasex.se, with these name servers.
func serveZone(t *testing.T, servers ...string) netip.AddrPort {
	t.Helper()
	var zone []dns.RR
	lines := []string{
		"kopasex.se. 60 IN SOA ns1.domherre.example. hostmaster.domherre.example. 1 3600 600 86400 60",
		"kopasex.se. 60 IN MX 0 .", `kopasex.se. 60 IN TXT "v=spf1 -all"`, `_dmarc.kopasex.se. 60 IN TXT "v=DMARC1; p=reject"`,
	}
	for _, s := range servers {
		lines = append(lines, "kopasex.se. 60 IN NS "+s)
	}
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		zone = append(zone, rr)
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Authoritative = true
		for _, rr := range zone {
			if h := rr.Header(); strings.EqualFold(h.Name, q.Question[0].Name) && h.Rrtype == q.Question[0].Qtype {
				m.Answer = append(m.Answer, rr)
			}
		}
		if len(m.Answer) == 0 {
			m.Ns = zone[:1]
		}
		_ = w.WriteMsg(m) // to a test that may have ended
	})
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{PacketConn: conn, Handler: handler, NotifyStartedFunc: func() { close(started) }}
	ended := make(chan error, 1)
	go func() { ended <- server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		if err := server.Shutdown(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// TestFaultsAtTheRegistry lets a registry do to a domain what registries do,
// and DNSSEC fail, on real servers.
func TestFaultsAtTheRegistry(t *testing.T) {
	t.Parallel()
	ours := []lab.Nameserver{{Name: "ns1.domherre.example"}, {Name: "ns2.domherre.example"}}
	at := serveZone(t, "ns1.domherre.example.", "ns2.domherre.example.")
	ours[0].Addr, ours[1].Addr = at, at
	parking := lab.Nameserver{Name: "ns.parking.example", Addr: serveZone(t, "ns.parking.example.")}
	wrong := &dns.DS{KeyTag: 1, Algorithm: 13, DigestType: 2, Digest: strings.Repeat("00", 32)}

	tests := []struct {
		name  string
		fault func(*lab.Lab) error
		want  map[string]string // check → state
	}{
		{"none", func(*lab.Lab) error { return nil }, map[string]string{
			check.CheckDelegation: check.StateOK, check.CheckDNSSEC: check.StateOK,
			check.CheckMail: check.StateOK, check.CheckRegistration: check.StateOK,
		}},
		{"moved", func(l *lab.Lab) error { return l.Delegate("kopasex.se", parking) }, map[string]string{
			check.CheckDelegation: check.StateBroken, check.CheckRegistration: check.StateOK,
		}},
		{"on hold", func(l *lab.Lab) error { return l.Hold("kopasex.se") }, map[string]string{
			check.CheckDelegation: check.StateBroken, check.CheckDNSSEC: check.StateUnknown, check.CheckRegistration: check.StateBroken,
		}},
		{"gone", func(l *lab.Lab) error { return l.Unregister("kopasex.se") }, map[string]string{
			check.CheckDelegation: check.StateBroken, check.CheckRegistration: check.StateBroken,
		}},
		{"ends soon", func(l *lab.Lab) error { return l.SetExpires("kopasex.se", time.Now().AddDate(0, 0, 3)) }, map[string]string{
			check.CheckDelegation: check.StateOK, check.CheckRegistration: check.StateWarning,
		}},
		{"bogus", func(l *lab.Lab) error { return l.SetDS("kopasex.se", wrong) }, map[string]string{
			check.CheckDelegation: check.StateOK, check.CheckDNSSEC: check.StateBroken,
		}},
		{"lame", func(l *lab.Lab) error {
			return l.Delegate("kopasex.se", lab.Nameserver{Name: "ns.gone.example", Addr: netip.MustParseAddrPort("127.0.0.1:1")})
		}, map[string]string{
			check.CheckDelegation: check.StateBroken, check.CheckDNSSEC: check.StateUnknown, check.CheckMail: check.StateUnknown,
		}},
		{"registry busy", func(l *lab.Lab) error { l.RefuseRDAP(60); return nil }, map[string]string{
			check.CheckDelegation: check.StateOK, check.CheckRegistration: check.StateUnknown,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, err := lab.Start(t.Context(), lab.Options{Nameservers: ours})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if err := tt.fault(l); err != nil {
				t.Fatal(err)
			}
			d := checkerOf(t, l).Domain(t.Context(), check.Subject{
				Domain:      portfolio.Domain{Name: parse(t, "kopasex.se"), DNS: portfolio.DNSSettings{Mail: portfolio.MailNone}},
				Nameservers: []string{"ns1.domherre.example", "ns2.domherre.example"},
			})
			for name, state := range tt.want {
				if r, _ := d.Check(name); r.State != state {
					t.Errorf("%s is %q, want %q: %s", name, r.State, state, r.Finding)
				}
			}
		})
	}
}

// TestFrontendOfTheLab looks at the lab's own page, by its name and port, with
// the lab's root.
func TestFrontendOfTheLab(t *testing.T) {
	t.Parallel()
	// Its address is a record of the portfolio's own zone, as in the example.
	l, err := lab.Start(t.Context(), lab.Options{
		Nameservers: []lab.Nameserver{{Name: "www.duavgör.se", Addr: netip.MustParseAddrPort("127.0.0.1:53")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := checkerOf(t, l)
	if r := c.FrontendHealth(t.Context(), l.Addresses().Frontend, nil); r.State != check.StateOK {
		t.Errorf("%s: %s", r.State, r.Finding)
	}
	if r := c.FrontendHealth(t.Context(), "https://www.duavgör.se:1/", nil); r.State != check.StateBroken {
		t.Errorf("%s: %s", r.State, r.Finding)
	}
}

func checkerOf(t *testing.T, l *lab.Lab) *check.Checker {
	t.Helper()
	resolver, err := dnsclient.NewResolver([]string{l.Addresses().Resolver})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(l.RootsPEM())
	return &check.Checker{
		Resolver:     lookups{resolver},
		Registration: check.NewRDAP(check.RDAPOptions{Bases: l.Addresses().RDAP}).Registration,
		Roots:        roots,
		Language:     "en",
	}
}

func parse(t *testing.T, s string) portfolio.Name {
	t.Helper()
	n, err := portfolio.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
