package dnsclient_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
)

// serve answers with handle on UDP and TCP.
func serve(t *testing.T, handle dns.HandlerFunc) string {
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
		for _, s := range []*dns.Server{{Listener: tcp}, {PacketConn: udp}} {
			s.Handler = handle
			// Let updates through too, and leave signatures to the handler.
			s.MsgAcceptFunc = func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept }
			started := make(chan struct{})
			s.NotifyStartedFunc = func() { close(started) }
			go func() { _ = s.ActivateAndServe() }()
			<-started
			t.Cleanup(func() { _ = s.Shutdown() })
		}
		return tcp.Addr().String()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return ""
}

func isTCP(w dns.ResponseWriter) bool { return w.LocalAddr().Network() == "tcp" }

func reply(q *dns.Msg, rrs ...string) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(q)
	m.Authoritative = true
	for _, s := range rrs {
		rr, err := dns.NewRR(s)
		if err != nil {
			panic(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	return m
}

func TestExchange(t *testing.T) {
	t.Parallel()
	const a = "www.kopasex.se. 300 IN A 192.0.2.1"
	var asked atomic.Int32
	for _, c := range []struct {
		name   string
		handle func(w dns.ResponseWriter, q *dns.Msg, n int32)
		want   string // in the answer, or in the error
	}{
		{"plain", func(w dns.ResponseWriter, q *dns.Msg, _ int32) { _ = w.WriteMsg(reply(q, a)) }, "192.0.2.1"},
		{"truncated", func(w dns.ResponseWriter, q *dns.Msg, _ int32) {
			m := reply(q, a)
			if !isTCP(w) {
				m.Truncated, m.Answer = true, nil
			}
			_ = w.WriteMsg(m)
		}, "192.0.2.1"},
		{"the first is lost", func(w dns.ResponseWriter, q *dns.Msg, n int32) {
			if n > 1 {
				_ = w.WriteMsg(reply(q, a))
			}
		}, "192.0.2.1"},
		{"others' answers come before", func(w dns.ResponseWriter, q *dns.Msg, _ int32) {
			forged := reply(q, "www.kopasex.se. 300 IN A 203.0.113.1")
			forged.Id++
			_ = w.WriteMsg(forged)
			other := reply(q, "www.kopasex.se. 300 IN A 203.0.113.1")
			other.Question[0].Name = "other.example."
			_ = w.WriteMsg(other)
			m := reply(q, a)
			m.Question[0].Name = "WWW.kopasex.SE."
			_ = w.WriteMsg(m)
		}, "192.0.2.1"},
		{"no EDNS", func(w dns.ResponseWriter, q *dns.Msg, _ int32) {
			m := reply(q, a)
			if q.IsEdns0() != nil {
				m.Answer, m.Rcode = nil, dns.RcodeFormatError
			}
			_ = w.WriteMsg(m)
		}, "192.0.2.1"},
		{"refused", func(w dns.ResponseWriter, q *dns.Msg, _ int32) {
			m := new(dns.Msg)
			m.SetRcode(q, dns.RcodeRefused)
			m.Question = nil
			_ = w.WriteMsg(m)
		}, "REFUSED"},
		{"silent", func(dns.ResponseWriter, *dns.Msg, int32) {}, "deadline"},
		{"garbage", func(w dns.ResponseWriter, q *dns.Msg, _ int32) {
			wire, _ := reply(q, a).Pack()
			_, _ = w.Write(wire[:len(wire)-3])
		}, "can't be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, sockets := range []*dnsclient.Sockets{nil, new(dnsclient.Sockets)} {
				asked.Store(0)
				addr := serve(t, func(w dns.ResponseWriter, q *dns.Msg) { c.handle(w, q, asked.Add(1)) })
				client := dnsclient.Client{Timeout: 150 * time.Millisecond, Sockets: sockets}
				answer, err := client.Exchange(t.Context(), addr, dnsclient.Question("www.kopasex.se", dns.TypeA, false))
				if got := fmt.Sprint(answer, err); !strings.Contains(got, c.want) || strings.Contains(got, "203.0.113.1") {
					t.Errorf("got %s", got)
				}
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	client := dnsclient.Client{Timeout: time.Minute}
	sharing := dnsclient.Client{Timeout: time.Minute, Sockets: new(dnsclient.Sockets)}
	q := dnsclient.Question("kopasex.se", dns.TypeA, false)
	for name, ask := range map[string]func(ctx context.Context, addr string) error{
		"udp":    func(ctx context.Context, addr string) error { _, err := client.Exchange(ctx, addr, q); return err },
		"shared": func(ctx context.Context, addr string) error { _, err := sharing.Exchange(ctx, addr, q); return err },
		"tcp":    func(ctx context.Context, addr string) error { _, err := client.ExchangeTCP(ctx, addr, q); return err },
		"transfer": func(ctx context.Context, addr string) error {
			_, err := client.Transfer(ctx, addr, "kopasex.se")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			addr := serve(t, func(dns.ResponseWriter, *dns.Msg) { cancel() })
			if err := ask(ctx, addr); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}

const soa = "kopasex.se. 300 IN SOA ns1.example. hostmaster.example. 7 1 2 3 4"

func TestTransfer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		messages [][]string
		want     string
	}{
		{"one message", [][]string{{soa, "kopasex.se. 1 IN NS ns1.example.", soa}}, "2 records"},
		{"a record each", [][]string{{soa}, {"a.kopasex.se. 1 IN A 192.0.2.1"}, {"b.kopasex.se. 1 IN A 192.0.2.1"}, {soa}}, "3 records"},
		{"no SOA", [][]string{{"a.kopasex.se. 1 IN A 192.0.2.1"}}, "doesn't begin"},
		{"another zone's SOA", [][]string{{strings.Replace(soa, "kopasex.se", "sex.se", 1)}}, "doesn't begin"},
		{"ends in another serial", [][]string{{soa, strings.Replace(soa, " 7 ", " 8 ", 1)}}, "ends in another SOA"},
		{"goes on after the end", [][]string{{soa, soa, "a.kopasex.se. 1 IN A 192.0.2.1"}}, "ends in another SOA"},
		{"breaks off", [][]string{{soa, "a.kopasex.se. 1 IN A 192.0.2.1"}}, "EOF"},
		{"nothing", [][]string{{}}, "doesn't begin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			addr := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
				for _, rrs := range c.messages {
					_ = w.WriteMsg(reply(q, rrs...))
				}
				_ = w.Close()
			})
			client := dnsclient.Client{}
			rrs, err := client.Transfer(t.Context(), addr, "kopasex.se")
			if got := fmt.Sprint(len(rrs), " records ", err); !strings.Contains(got, c.want) {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	sick := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := reply(q)
		m.Rcode = dns.RcodeServerFailure
		m.SetEdns0(1232, false)
		m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus, ExtraText: "no\nDS \x1b[31m"})
		if q.CheckingDisabled {
			m = reply(q, "bogus.example. 1 IN A 192.0.2.9")
		}
		_ = w.WriteMsg(m)
	})
	well := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := reply(q, "www.kopasex.se. 1 IN CNAME B.example.", "c.example. 1 IN A 192.0.2.1", "c.example. 1 IN A 192.0.2.2", "b.example. 1 IN CNAME c.example.")
		m.AuthenticatedData = q.AuthenticatedData
		switch q.Question[0].Name {
		case "loop.example.":
			m = reply(q, "loop.example. 1 IN CNAME pool.example.", "pool.example. 1 IN CNAME loop.example.")
		case "none.example.":
			m = reply(q)
			m.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(m)
	})
	lookup := func(name string, servers ...string) string {
		r, err := dnsclient.NewResolver(servers)
		if err != nil {
			t.Fatal(err)
		}
		a, err := r.Lookup(t.Context(), name, dns.TypeA)
		return fmt.Sprint(dnsclient.RcodeName(a.Rcode), len(a.Records), a.Chain, a.Authentic, a.Extended, err)
	}
	for _, c := range []struct{ got, want string }{
		{lookup("www.kopasex.se", well), "NOERROR2 [b.example. c.example.] true [] <nil>"},
		{lookup("www.kopasex.se", sick, well), "NOERROR2 [b.example. c.example.] true [] <nil>"},
		{lookup("none.example", well), "NXDOMAIN0 [] false [] <nil>"},
		{lookup("bogus.example", sick), "SERVFAIL0 [] false [6 (DNSSEC Bogus): (no DS  [31m)] <nil>"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, not %s", c.got, c.want)
		}
	}
	if got := lookup("loop.example", well); !strings.HasPrefix(got, "NOERROR0 ") {
		t.Errorf("a loop gives %s", got)
	}
	r, _ := dnsclient.NewResolver([]string{sick})
	if a, err := r.LookupUnchecked(t.Context(), "bogus.example", dns.TypeA); err != nil || len(a.Records) != 1 {
		t.Errorf("unchecked: %+v, %v", a, err)
	}
}
