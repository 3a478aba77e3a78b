package dnsprovider

import (
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnstest"
)

// TestDelegated asks a resolver that knows one delegation.
func TestDelegated(t *testing.T) {
	t.Parallel()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	resolver := &dns.Server{PacketConn: socket, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		if q.Question[0].Name == "kopasex.se." {
			ns, _ := dns.NewRR("kopasex.se. 60 NS NS2.Dns.example.")
			m.Answer = append(m.Answer, ns)
		} else {
			m.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = resolver.ActivateAndServe() }()
	t.Cleanup(func() { _ = resolver.Shutdown() })
	open := func(nameservers ...Nameserver) *Set {
		s, err := Open([]Config{{Name: "main", Type: "embedded", Nameservers: nameservers}},
			Deps{Store: dnstest.NewStore(), Resolvers: []string{socket.LocalAddr().String()}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, c := range []struct {
		name, domain string
		configured   []Nameserver
		ns           []string
		want         bool
		fault        string
	}{
		{"by the zone's own", "kopasex.se", nil, []string{"ns1.dns.example.", "ns2.dns.example."}, true, ""},
		{"by the config", "kopasex.se", []Nameserver{{Name: "ns2.dns.example"}}, nil, true, ""},
		{"elsewhere", "kopasex.se", []Nameserver{{Name: "ns1.dns.example"}}, []string{"dns.example."}, false, ""},
		{"not delegated", "duavgor.example", nil, []string{"ns2.dns.example."}, false, "not delegated"},
		{"no telling", "kopasex.se", nil, nil, false, "aren't known"},
	} {
		there, err := open(c.configured...).Delegated(t.Context(), domain(t, c.domain), c.ns)
		if there != c.want || c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s: %v, %v", c.name, there, err)
		}
	}
}
