package embedded_test

import (
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/portfolio"
)

// big is a zone whose RRset "many" fits into no datagram, whose "some" fits
// into one with EDNS alone, and that takes several messages to transfer.
func big() string {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "many TXT \"number %d %s\"\n", i, strings.Repeat("x", 100))
	}
	for i := range 40 {
		fmt.Fprintf(&b, "some A 192.0.2.%d\n", i)
		fmt.Fprintf(&b, "child NS ns%d.child\nns%d.child A 192.0.2.%d\n", i, i, i)
	}
	for i := range 1000 {
		fmt.Fprintf(&b, "host%d TXT \"%s\"\n", i, strings.Repeat("y", 100))
	}
	return b.String()
}

// exchangeRaw sends m as it is and gives what comes back.
func exchangeRaw(t *testing.T, addr, network string, m *dns.Msg) *dns.Msg {
	t.Helper()
	conn, err := dns.DialTimeout(network, addr, time.Second)
	must(t, err)
	defer conn.Close()
	conn.UDPSize = dns.MaxMsgSize
	must(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	wire, err := m.Pack() // WriteMsg would sign
	must(t, err)
	_, err = conn.Write(wire)
	must(t, err)
	wire, err = conn.ReadMsgHeader(nil) // ReadMsg would check signatures
	must(t, err)
	answer := new(dns.Msg)
	must(t, answer.Unpack(wire))
	return answer
}

func TestProtocol(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	write(t, newProvider(t, store), "kopasex.example", big())
	_, addr := serve(t, store)
	ask := func(change func(*dns.Msg)) *dns.Msg {
		m := question("some.kopasex.example.", "A")
		change(m)
		return m
	}
	edns := func(size uint16) *dns.Msg { return ask(func(m *dns.Msg) { m.SetEdns0(size, false) }) }
	for _, test := range []struct {
		name    string
		m       *dns.Msg
		network string
		check   func(m, answer *dns.Msg) bool
	}{
		{"no EDNS, no OPT", ask(func(m *dns.Msg) { m.SetQuestion("kopasex.example.", dns.TypeSOA) }), "udp",
			func(_, a *dns.Msg) bool { return a.IsEdns0() == nil && len(a.Answer) == 1 }},
		{"truncated at 512", ask(func(*dns.Msg) {}), "udp",
			func(_, a *dns.Msg) bool { return a.Truncated && len(a.Answer) == 0 && a.Rcode == 0 && a.Authoritative }},
		{"an offer of 0 is one of 512", edns(0), "udp", func(_, a *dns.Msg) bool { return a.Truncated }},
		{"fits with EDNS", edns(1232), "udp", func(_, a *dns.Msg) bool {
			return !a.Truncated && len(a.Answer) == 40 && a.IsEdns0().UDPSize() == 1232 && !a.IsEdns0().Do()
		}},
		{"an offer of 65535 is one of 1232", ask(func(m *dns.Msg) { m.SetQuestion("many.kopasex.example.", dns.TypeTXT).SetEdns0(65535, false) }), "udp",
			func(_, a *dns.Msg) bool { return a.Truncated && len(a.Answer) == 0 && a.IsEdns0() != nil }},
		{"whole over TCP", ask(func(m *dns.Msg) { m.SetQuestion("many.kopasex.example.", dns.TypeTXT) }), "tcp",
			func(_, a *dns.Msg) bool { return !a.Truncated && len(a.Answer) == 100 }},
		{"glue is no part to leave out", ask(func(m *dns.Msg) { m.SetQuestion("x.child.kopasex.example.", dns.TypeA).SetEdns0(1232, false) }), "udp",
			func(_, a *dns.Msg) bool { return a.Truncated && len(a.Ns) == 0 && len(a.Extra) == 1 }},
		{"all glue over TCP", ask(func(m *dns.Msg) { m.SetQuestion("x.child.kopasex.example.", dns.TypeA) }), "tcp",
			func(_, a *dns.Msg) bool { return len(a.Ns) == 40 && len(a.Extra) == 40 }},
		{"DO comes back", ask(func(m *dns.Msg) { m.SetEdns0(1232, true) }), "udp", func(_, a *dns.Msg) bool { return a.IsEdns0().Do() }},
		{"unknown options are ignored", ask(func(m *dns.Msg) {
			m.SetEdns0(1232, false)
			m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_LOCAL{Code: 65001, Data: []byte("x")}}
		}), "udp", func(_, a *dns.Msg) bool { return len(a.Answer) == 40 && len(a.IsEdns0().Option) == 0 }},
		{"EDNS version 1", ask(func(m *dns.Msg) { m.SetEdns0(1232, false).IsEdns0().SetVersion(1) }), "udp",
			func(_, a *dns.Msg) bool {
				return a.Rcode == dns.RcodeBadVers && a.IsEdns0().Version() == 0 && len(a.Answer) == 0
			}},
		{"two OPTs", ask(func(m *dns.Msg) { m.SetEdns0(1232, false).SetEdns0(1232, false) }), "udp",
			func(_, a *dns.Msg) bool { return a.Rcode == dns.RcodeFormatError && len(a.Extra) == 1 }},
		{"OPT with a name", ask(func(m *dns.Msg) { m.SetEdns0(1232, false).IsEdns0().Hdr.Name = "x." }), "udp",
			func(_, a *dns.Msg) bool { return a.Rcode == dns.RcodeFormatError }},
		{"RD comes back, RA never", ask(func(m *dns.Msg) { m.RecursionDesired = true }), "udp",
			func(_, a *dns.Msg) bool { return a.RecursionDesired && !a.RecursionAvailable }},
		{"no RD", ask(func(m *dns.Msg) { m.RecursionDesired = false }), "udp", func(_, a *dns.Msg) bool { return !a.RecursionDesired }},
		{"class CH", ask(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), "udp",
			func(_, a *dns.Msg) bool { return a.Rcode == dns.RcodeRefused && !a.Authoritative }},
		{"class ANY", ask(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassANY }), "udp",
			func(_, a *dns.Msg) bool { return a.Rcode == dns.RcodeRefused }},
		{"NOTIFY", ask(func(m *dns.Msg) { m.SetNotify("kopasex.example.") }), "udp",
			func(_, a *dns.Msg) bool { return a.Rcode == dns.RcodeNotImplemented && a.Opcode == dns.OpcodeNotify }},
		{"UPDATE", ask(func(m *dns.Msg) { m.SetUpdate("kopasex.example.") }), "udp",
			func(_, a *dns.Msg) bool { return a.Rcode == dns.RcodeNotImplemented && a.Opcode == dns.OpcodeUpdate }},
		{"IQUERY", ask(func(m *dns.Msg) { m.Opcode = dns.OpcodeIQuery }), "tcp",
			func(_, a *dns.Msg) bool { return a.Rcode == dns.RcodeNotImplemented }},
		{"no question", ask(func(m *dns.Msg) { m.Question = nil }), "udp", func(_, a *dns.Msg) bool { return a.Rcode == dns.RcodeFormatError }},
		{"two questions", ask(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), "udp",
			func(_, a *dns.Msg) bool { return a.Rcode == dns.RcodeFormatError }},
		{"an answer in a question", ask(func(m *dns.Msg) {
			m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeA, Class: 1}, A: net.IPv4(1, 2, 3, 4)}}
		}), "udp",
			func(_, a *dns.Msg) bool { return a.Rcode == dns.RcodeFormatError && len(a.Answer) == 0 }},
		{"signed by a key that nobody knows", ask(func(m *dns.Msg) {
			m.Extra = []dns.RR{&dns.TSIG{Hdr: dns.RR_Header{Name: "k.", Rrtype: dns.TypeTSIG, Class: dns.ClassANY}, Algorithm: dns.HmacSHA256, TimeSigned: 1, MACSize: 2, MAC: "abcd"}}
		}), "udp", func(_, a *dns.Msg) bool { return a.Rcode == dns.RcodeNotAuth && len(a.Answer) == 0 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answer := exchangeRaw(t, addr, test.network, test.m)
			if answer.Id != test.m.Id || !answer.Response || !test.check(test.m, answer) {
				t.Errorf("asked\n%v\ngot\n%v", test.m, answer)
			}
		})
	}
}

// TestSilence sends what deserves no answer, and a question behind it.
func TestSilence(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	write(t, newProvider(t, store), "kopasex.example", "@ A 192.0.2.1")
	_, addr := serve(t, store)
	conn, err := dns.Dial("udp", addr)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	response := question("kopasex.example.", "A")
	response.Response = true
	wire, err := response.Pack()
	must(t, err)
	for _, packet := range [][]byte{wire, {}, {1, 2, 3}, make([]byte, 11)} {
		_, err = conn.Conn.Write(packet)
		must(t, err)
	}
	m := question("kopasex.example.", "A")
	must(t, conn.WriteMsg(m))
	answer, err := conn.ReadMsg()
	must(t, err)
	if answer.Id != m.Id {
		t.Errorf("something else was answered: %v", answer)
	}
}

func transfer(t *testing.T, addr string, m *dns.Msg) ([]dns.RR, int, error) {
	t.Helper()
	envelopes, err := new(dns.Transfer).In(m, addr)
	must(t, err)
	var rrs []dns.RR
	messages := 0
	for e := range envelopes {
		if e.Error != nil {
			return nil, messages, e.Error
		}
		messages++
		rrs = append(rrs, e.RR...)
	}
	return rrs, messages, nil
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	p := newProvider(t, store)
	n := name(t, "kopasex.example")
	write(t, p, "kopasex.example", big())
	want, err := p.ReadZone(t.Context(), n)
	must(t, err)
	_, open := serve(t, store, "192.0.2.7", "127.0.0.0/8")
	_, shut := serve(t, store, "192.0.2.0/24", "2001:db8::/64")

	axfr := new(dns.Msg).SetAxfr("kopasex.EXAMPLE.")
	rrs, messages, err := transfer(t, open, axfr)
	must(t, err)
	got, err := portfolio.RRsetsOf(n, rrs)
	must(t, err)
	if messages < 3 || rrs[0].Header().Rrtype != dns.TypeSOA || rrs[len(rrs)-1].String() != rrs[0].String() {
		t.Errorf("%d messages, from %v to %v", messages, rrs[0], rrs[len(rrs)-1])
	}
	if (portfolio.Zone{Name: n, RRsets: got}).Digest() != (portfolio.Zone{Name: n, RRsets: want.RRsets}).Digest() {
		t.Error("what is transferred is not what is read")
	}

	soa := func(serial uint32) *dns.Msg { return new(dns.Msg).SetIxfr("kopasex.example.", serial, "ns.", "m.") }
	if rrs, _, err := transfer(t, open, soa(want.Serial-1)); err != nil || len(rrs) < 1000 {
		t.Errorf("IXFR from before: %d records, %v", len(rrs), err)
	}
	for _, serial := range []uint32{want.Serial, want.Serial + 1} {
		if a := exchangeRaw(t, open, "tcp", soa(serial)); len(a.Answer) != 1 || a.Answer[0].(*dns.SOA).Serial != want.Serial {
			t.Errorf("IXFR from %d of %d:\n%v", serial, want.Serial, a)
		}
	}
	if a := exchangeRaw(t, open, "udp", soa(1)); len(a.Answer) != 1 || a.Truncated {
		t.Errorf("IXFR over UDP:\n%v", a)
	}
	for _, test := range []struct {
		name, addr, network string
		m                   *dns.Msg
		want                int
	}{
		{"not allowed", shut, "tcp", axfr, dns.RcodeRefused},
		{"IXFR not allowed", shut, "udp", soa(1), dns.RcodeRefused},
		{"not ours", open, "tcp", new(dns.Msg).SetAxfr("duavgor.example."), dns.RcodeNotAuth},
		{"not ours, not allowed", shut, "tcp", new(dns.Msg).SetAxfr("duavgor.example."), dns.RcodeRefused},
		{"not the apex", open, "tcp", new(dns.Msg).SetAxfr("some.kopasex.example."), dns.RcodeNotAuth},
		{"AXFR over UDP", open, "udp", axfr, dns.RcodeFormatError},
	} {
		if a := exchangeRaw(t, test.addr, test.network, test.m); a.Rcode != test.want || len(a.Answer) > 0 {
			t.Errorf("%s:\n%v", test.name, a)
		}
	}
}

// TestDig asks with the tools of BIND and Knot, which complain of what isn't
// right, and has Knot check a transferred zone.
func TestDig(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	write(t, newProvider(t, store), "kopasex.example", kopasex)
	_, addr := serve(t, store, "127.0.0.1")
	host, port, err := net.SplitHostPort(addr)
	must(t, err)
	for _, tool := range []struct{ binary, apt string }{{"dig", "bind9-dnsutils"}, {"kdig", "knot-dnsutils"}} {
		t.Run(tool.binary, func(t *testing.T) {
			t.Parallel()
			path := find(t, tool.binary, tool.apt)
			dig := func(args ...string) string {
				t.Helper()
				out, err := exec.Command(path, append([]string{"@" + host, "-p", port}, args...)...).CombinedOutput()
				must(t, err)
				if text := string(out); strings.Contains(strings.ToLower(text), "warning") || strings.Contains(text, "bad ") {
					t.Errorf("%v: %s", args, text)
				}
				return string(out)
			}
			for _, test := range []struct{ args, want string }{
				{"kopasex.example A +short", "192.0.2.10\n192.0.2.11\n"},
				{"www.kopasex.example A +short +tcp", "kopasex.example.\n192.0.2.10\n192.0.2.11\n"},
				{"x.wild.kopasex.example TXT +short", "\"wild\"\n"},
				{"kopasex.example MX +short", "0 .\n"},
			} {
				if got := dig(strings.Fields(test.args)...); sortedLines(got) != sortedLines(test.want) {
					t.Errorf("%s: %q", test.args, got)
				}
			}
			for _, test := range []struct{ args, want string }{
				{"nowhere.kopasex.example A +norec", "NXDOMAIN"},
				{"kopasex.example AAAA +norec", "NOERROR"},
				{"duavgor.example A +norec", "REFUSED"},
			} {
				if got := dig(strings.Fields(test.args)...); !strings.Contains(got, "status: "+test.want) {
					t.Errorf("%s:\n%s", test.args, got)
				}
			}
			if got := dig("kopasex.example", "AXFR"); strings.Count(got, "\tSOA\t") != 2 || !strings.Contains(got, "192.0.2.18") {
				t.Errorf("AXFR:\n%s", got)
			}
		})
	}
}

func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
