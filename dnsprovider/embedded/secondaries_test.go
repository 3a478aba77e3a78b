package embedded_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
	"domherre/dnsprovider/dnstest"
	"domherre/dnsprovider/embedded"
)

// signed are settings with the key of the tests.
func signed(notify ...string) embedded.Settings {
	return embedded.Settings{KeyName: dnstest.KeyName, Key: dnstest.Secret, Notify: notify}
}

func key(t testing.TB, name, algorithm, secret string) *dnsclient.Key {
	t.Helper()
	k, err := dnsclient.NewKey(name, algorithm, secret)
	must(t, err)
	return k
}

// TestSecondaries has real secondaries take zones, hear of changes at once, and
// fetch no more than those.
func TestSecondaries(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct {
		name          string
		start         func(testing.TB, string, ...string) *dnstest.Server
		whole, change string // what its log says of transfers; NSD's doesn't tell them apart, BIND's by their size
	}{
		{"knot", dnstest.StartKnotSecondary, "[xn--kpasex-wxa.example.] AXFR, incoming, remote", "[xn--kpasex-wxa.example.] IXFR, incoming, remote"},
		{"nsd", dnstest.StartNSD, "", ""},
		{"bind", dnstest.StartBINDSecondary, ", 9 records,", ", 6 records,"},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			ear, hear := relay(t)
			store := openState(t, t.TempDir())
			s, addr := serveTo(t, store, signed(ear))
			p := newProvider(t, s.Store())
			write(t, p, "kopasex.example", kopasex)
			rest := "a TXT a\nb TXT b\nc TXT c\nd TXT d\n"
			write(t, p, "xn--kpasex-wxa.example", "@ A 192.0.2.1\n"+rest)
			secondary := kind.start(t, addr, "kopasex.example", "xn--kpasex-wxa.example")
			hear(secondary.Addr)
			caughtUp(t, secondary.Addr, "xn--kpasex-wxa.example.", "192.0.2.1")
			caughtUp(t, secondary.Addr, "www.kopasex.example.", "192.0.2.10")
			// The SOA tells it to look again in an hour: only NOTIFY can be faster.
			for i := range 5 {
				want := fmt.Sprintf("192.0.2.%d", 20+i)
				write(t, p, "xn--kpasex-wxa.example", "@ A "+want+"\n"+rest)
				caughtUp(t, secondary.Addr, "xn--kpasex-wxa.example.", want)
			}
			same(t, addr, secondary.Addr, "kopasex.example.")
			log := secondary.Log()
			if kind.change != "" && (!strings.Contains(log, kind.change) || strings.Count(log, kind.whole+"") > 2) {
				t.Errorf("not incremental:\n%s", log)
			}
		})
	}
}

// caughtUp waits until a secondary has the address. A server that takes in a
// zone may leave a question unanswered.
func caughtUp(t *testing.T, addr, host, want string) {
	t.Helper()
	client := dnsclient.Client{Timeout: 500 * time.Millisecond, Tries: 1}
	got := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		answer, err := client.Exchange(t.Context(), addr, dnsclient.Question(host, dns.TypeA, false))
		if err != nil {
			continue
		}
		if got = answers(answer); strings.Contains(got, "\t"+want) {
			return
		}
	}
	t.Fatalf("%s is %q; want %s", host, got, want)
}

// relay gives an address for NOTIFY before the secondary has one; hear says
// where that is.
func relay(t *testing.T) (address string, hear func(string)) {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { socket.Close() })
	to := make(chan string, 1)
	go func() {
		secondary := <-to
		packet := make([]byte, dns.MaxMsgSize)
		for {
			n, from, err := socket.ReadFrom(packet)
			if err != nil {
				return
			}
			conn, err := net.DialTimeout("udp", secondary, time.Second)
			if err != nil {
				continue
			}
			_, _ = conn.Write(packet[:n]) // what is lost is sent again
			_ = conn.SetDeadline(time.Now().Add(time.Second))
			if n, err = conn.Read(packet); err == nil {
				_, _ = socket.WriteTo(packet[:n], from)
			}
			conn.Close()
		}
	}()
	return socket.LocalAddr().String(), func(secondary string) { to <- secondary }
}

// same compares what two servers answer for the names of the zone kopasex.
func same(t *testing.T, primary, secondary, zone string) {
	t.Helper()
	for _, host := range []string{"", "www.", "x.wild.", "nowhere."} {
		for _, typ := range []string{"SOA", "A", "TXT", "MX", "CAA", "HTTPS"} {
			a, b := ask(t, primary, "tcp", question(host+zone, typ)), ask(t, secondary, "tcp", question(host+zone, typ))
			if answers(a) != answers(b) || a.Rcode != b.Rcode {
				t.Errorf("%s%s %s: %v\nat the secondary %v", host, zone, typ, a, b)
			}
		}
	}
}

func answers(m *dns.Msg) string {
	var all []string
	for _, rr := range m.Answer {
		all = append(all, rr.String())
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// TestNotifyWaits starts the secondary after the change.
func TestNotifyWaits(t *testing.T) {
	t.Parallel()
	heard := make(chan *dns.Msg, 10)
	udp, tcp, err := embedded.Listen(t.Context(), "127.0.0.1:0")
	must(t, err)
	must(t, tcp.Close())
	to := udp.LocalAddr().String()
	must(t, udp.Close())
	store := openState(t, t.TempDir())
	write(t, newProvider(t, store), "old.example", "@ A 192.0.2.1") // before the server starts
	s, _ := serveTo(t, store, embedded.Settings{Notify: []string{to}})
	p := newProvider(t, s.Store())
	write(t, p, "kopasex.example", "@ A 192.0.2.1")

	mux := dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		heard <- m.Copy()
		_ = w.WriteMsg(new(dns.Msg).SetReply(m))
	})
	secondary := &dns.Server{Addr: to, Net: "udp", Handler: mux, MsgAcceptFunc: func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept }}
	go func() { _ = secondary.ListenAndServe() }()
	t.Cleanup(func() { _ = secondary.Shutdown() })
	zones := map[string]uint32{}
	for len(zones) < 2 {
		select {
		case m := <-heard:
			zones[m.Question[0].Name] = m.Answer[0].(*dns.SOA).Serial
		case <-time.After(20 * time.Second):
			t.Fatalf("heard of %v only", zones)
		}
	}
	z, err := p.ReadZone(t.Context(), name(t, "kopasex.example"))
	must(t, err)
	if zones["kopasex.example."] != z.Serial || zones["old.example."] == 0 {
		t.Errorf("%v, want %d", zones, z.Serial)
	}
}

// TestSigned shows who may ask what, by TSIG.
func TestSigned(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	write(t, newProvider(t, store), "kopasex.example", big())
	settings := signed()
	_, anywhere := serveTo(t, store, settings)
	settings.AllowTransfer = []string{"192.0.2.0/24"}
	_, elsewhere := serveTo(t, store, settings)
	good := key(t, "Domherre-TEST", "", dnstest.Secret)
	late := func() time.Time { return time.Now().Add(-time.Hour) }
	for _, test := range []struct {
		name, addr string
		client     dnsclient.Client
		want       string // of a transfer
	}{
		{"signed", anywhere, dnsclient.Client{Key: good}, ""},
		{"not signed", anywhere, dnsclient.Client{}, "the server answers REFUSED"},
		{"signed, from a wrong address", elsewhere, dnsclient.Client{Key: good}, "the server answers REFUSED"},
		{"wrong secret", anywhere, dnsclient.Client{Key: key(t, dnstest.KeyName, "", "d3Jvbmc=")}, "the server refuses the signature (BADSIG)"},
		{"unknown key", anywhere, dnsclient.Client{Key: key(t, "other.", "", dnstest.Secret)}, "the server doesn't know the key (BADKEY)"},
		{"other algorithm", anywhere, dnsclient.Client{Key: key(t, dnstest.KeyName, "hmac-sha512", dnstest.Secret)}, "the server doesn't know the key (BADKEY)"},
		{"clock an hour late", anywhere, dnsclient.Client{Key: good, Now: late}, "(BADTIME); its clock differs by"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rrs, err := test.client.Transfer(t.Context(), test.addr, "kopasex.example.")
			if said := fmt.Sprint(err); test.want == "" && (err != nil || len(rrs) < 1000) || test.want != "" && !strings.Contains(said, test.want) {
				t.Errorf("%d records, %s; want %q", len(rrs), said, test.want)
			}
			answer, err := test.client.Exchange(t.Context(), test.addr, dnsclient.Question("kopasex.example.", dns.TypeSOA, false))
			if fault := test.want != "" && !strings.Contains(test.want, "REFUSED"); fault != (err != nil) || !fault && len(answer.Answer) != 1 {
				t.Errorf("a question: %v, %v", answer, err)
			}
		})
	}
}

func TestSecondariesSettings(t *testing.T) {
	t.Parallel()
	s := signed("192.0.2.53", "192.0.2.53:5353", "[2001:db8::53]:53", "2001:db8::53")
	all, err := s.Secondaries()
	must(t, err)
	if got := fmt.Sprint(all.Notify); got != "[192.0.2.53:53 192.0.2.53:5353 [2001:db8::53]:53 [2001:db8::53]:53]" {
		t.Error(got)
	}
	again, _ := s.Secondaries()
	if !all.Equal(again) || all.Equal(embedded.Secondaries{}) {
		t.Error("equal, or not")
	}
	for fault, bad := range map[string]embedded.Settings{
		"notify":   {Notify: []string{"ns2.example.net"}},
		"key_name": {Key: dnstest.Secret},
		"key":      {KeyName: "domherre", Key: "-"},
		"key_alg":  {KeyAlg: "hmac-sha256"},
	} {
		if faults := bad.Check(); len(faults) != 1 || faults[fault] == nil {
			t.Errorf("%s: %v", fault, faults)
		}
	}
}
