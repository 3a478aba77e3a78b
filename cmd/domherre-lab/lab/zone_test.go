package lab

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// authority is a small authoritative server with fixed records: the provider
// of the tests.
type authority struct {
	*dnsListener
	records []dns.RR
	zones   []string
}

func startAuthority(t *testing.T, zones []string, lines ...string) *authority {
	t.Helper()
	bound, err := bindDNS("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{dnsListener: bound, zones: zones}
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		a.records = append(a.records, rr)
	}
	bound.serve(a.handle)
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func (a *authority) handle(w dns.ResponseWriter, query *dns.Msg) {
	reply := new(dns.Msg).SetReply(query)
	reply.Authoritative = true
	q := query.Question[0]
	name, zone, exists := strings.ToLower(q.Name), "", false
	for _, z := range a.zones {
		if dns.IsSubDomain(z, name) {
			zone = z
		}
	}
	if zone == "" {
		reply.Authoritative, reply.Rcode = false, dns.RcodeRefused
		send(w, query, reply)
		return
	}
	for _, rr := range a.records {
		if rr.Header().Name != name {
			continue
		}
		exists = true
		if t := rr.Header().Rrtype; t == q.Qtype || t == dns.TypeCNAME {
			reply.Answer = append(reply.Answer, rr)
		}
	}
	if len(reply.Answer) == 0 {
		soa, _ := dns.NewRR(zone + " 60 IN SOA ns1.domherre.example. hostmaster.domherre.example. 1 3600 600 86400 60")
		reply.Ns = []dns.RR{soa}
		if !exists && name != zone {
			reply.Rcode = dns.RcodeNameError
		}
	}
	send(w, query, reply)
}

// provider names where a server answers, by two name server names.
func provider(at netip.AddrPort) []Nameserver {
	return []Nameserver{{"ns1.domherre.example", at}, {"ns2.domherre.example", at}}
}

// startNet starts name servers and a resolver over a registry.
func startNet(t *testing.T, servers []Nameserver) (*Registry, *Names, *Resolver) {
	t.Helper()
	registry, err := NewRegistry(servers, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	names, err := StartNames("127.0.0.1:0", registry)
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := StartResolver(ResolverOptions{Listen: "127.0.0.1:0", Root: names.Addr(), Address: registry.Address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := resolver.Close(); err != nil {
			t.Error(err)
		}
		if err := names.Close(); err != nil {
			t.Error(err)
		}
	})
	return registry, names, resolver
}

// question asks a server; options change the query.
func question(t *testing.T, network string, at netip.AddrPort, name string, qtype uint16, options ...func(*dns.Msg)) *dns.Msg {
	t.Helper()
	query := new(dns.Msg).SetQuestion(name, qtype)
	query.SetEdns0(udpSize, false)
	for _, o := range options {
		o(query)
	}
	msg, _, err := (&dns.Client{Net: network, Timeout: 5 * time.Second}).ExchangeContext(t.Context(), query, at.String())
	if err != nil {
		t.Fatalf("%s %s: %v", name, dns.TypeToString[qtype], err)
	}
	return msg
}

// texts gives records without their spacing, for comparing.
func texts(rrs []dns.RR) string {
	var lines []string
	for _, rr := range rrs {
		if rr.Header().Rrtype == dns.TypeSOA {
			lines = append(lines, rr.Header().Name+" SOA")
			continue
		}
		value := strings.TrimPrefix(rr.String(), rr.Header().String())
		lines = append(lines, rr.Header().Name+" "+dns.TypeToString[rr.Header().Rrtype]+" "+value)
	}
	return strings.Join(lines, "; ")
}
