package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"domherre/portfolio"
	"domherre/state"
)

// recorder is a client that keeps what it was sent.
type recorder struct {
	dns.ResponseWriter
	udp  bool
	sent [][]byte
}

func (r *recorder) LocalAddr() net.Addr {
	if r.udp {
		return &net.UDPAddr{}
	}
	return &net.TCPAddr{}
}

func (r *recorder) RemoteAddr() net.Addr {
	if r.udp {
		return &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1)}
	}
	return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.sent = append(r.sent, append([]byte(nil), b...))
	return len(b), nil
}

func (r *recorder) WriteMsg(m *dns.Msg) error {
	wire, err := m.Pack()
	if err != nil {
		return err
	}
	_, err = r.Write(wire)
	return err
}

// testServer serves one zone with a bit of everything, and some long RRsets.
func testServer(t testing.TB) *Server {
	t.Helper()
	store, err := state.Open(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() }) // thrown away
	p, err := NewProvider(store, Options{Nameservers: []Nameserver{{Name: "ns1.kopasex.example.", Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.53")}}}})
	if err != nil {
		t.Fatal(err)
	}
	zone, err := portfolio.ParseName("kopasex.example")
	if err != nil {
		t.Fatal(err)
	}
	var long, delegation []string
	for i := range 200 {
		long = append(long, fmt.Sprintf("text number %d of many", i))
		delegation = append(delegation, fmt.Sprintf("ns%d.child.kopasex.example.", i))
	}
	var sets []portfolio.RRset
	for _, set := range []struct {
		name, typ string
		data      []string
	}{
		{"@", "A", []string{"192.0.2.10"}},
		{"www", "CNAME", []string{"kopasex.example."}},
		{"*", "TXT", []string{"v=spf1 -all"}},
		{"long", "TXT", long},
		{"child", "NS", delegation},
		{"alias", "CNAME", []string{"alias2.kopasex.example."}},
		{"alias2", "CNAME", []string{"alias.kopasex.example."}},
		{"a.b.c.d", "AAAA", []string{"2001:db8::1"}},
	} {
		s, err := portfolio.NewRRset(zone, set.name, set.typ, 300, set.data)
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, s)
	}
	if err := p.WriteZone(t.Context(), zone.FQDN(), portfolio.Zone{Name: zone, Missing: true}, []portfolio.Step{{Set: sets}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	s, err := NewServer(ctx, store, ServerOptions{Log: slog.New(slog.DiscardHandler), Secondaries: Secondaries{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// packets gives questions of all kinds in wire form.
func packets(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	add := func(m *dns.Msg) {
		wire, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, wire)
	}
	for _, name := range []string{"kopasex.example.", "WWW.kopasex.example.", "long.kopasex.example.", "x.child.kopasex.example.", "alias.kopasex.example.", "c.d.kopasex.example.", `\000\.\255.kopasex.example.`, "duavgor.test.", "."} {
		for _, typ := range []uint16{dns.TypeA, dns.TypeTXT, dns.TypeSOA, dns.TypeANY, dns.TypeAXFR, dns.TypeIXFR, dns.TypeDS, dns.TypeOPT} {
			add(new(dns.Msg).SetQuestion(name, typ))
			add(new(dns.Msg).SetQuestion(name, typ).SetEdns0(65535, true))
		}
	}
	ixfr := new(dns.Msg).SetIxfr("kopasex.example.", 1, "ns.", "x.")
	add(ixfr)
	for op := range 16 {
		m := new(dns.Msg).SetQuestion("kopasex.example.", dns.TypeSOA)
		m.Opcode = op
		add(m)
	}
	return out
}

// exchange hands a raw packet to the server as a socket would.
func exchange(s *Server, packet []byte, udp bool) [][]byte {
	w := &recorder{udp: udp}
	if len(packet) < 12 {
		return nil
	}
	h := dns.Header{
		Id: uint16(packet[0])<<8 | uint16(packet[1]), Bits: uint16(packet[2])<<8 | uint16(packet[3]),
		Qdcount: uint16(packet[4])<<8 | uint16(packet[5]), Ancount: uint16(packet[6])<<8 | uint16(packet[7]),
		Nscount: uint16(packet[8])<<8 | uint16(packet[9]), Arcount: uint16(packet[10])<<8 | uint16(packet[11]),
	}
	req := new(dns.Msg)
	if accept(h) != dns.MsgAccept || req.Unpack(packet) != nil {
		return nil // the library answers with the header, or not at all
	}
	s.ServeDNS(w, req)
	return w.sent
}

func FuzzPacket(f *testing.F) {
	for _, packet := range packets(f) {
		f.Add(packet, true)
		f.Add(packet, false)
	}
	f.Add([]byte("00\x010\x00\x01\x00\x00\x00\x00\x00\x01"), false) // promises a question and ends
	s := testServer(f)
	f.Fuzz(func(t *testing.T, packet []byte, udp bool) {
		sent := exchange(s, packet, udp)
		limit := dns.MaxMsgSize
		if udp {
			limit = minSize
			req := new(dns.Msg)
			if req.Unpack(packet) == nil && req.IsEdns0() != nil {
				limit = ednsSize
			}
			if len(sent) > 1 {
				t.Errorf("%d datagrams for one", len(sent))
			}
		}
		for _, wire := range sent {
			if len(wire) > limit {
				t.Errorf("%d octets; no more than %d were allowed", len(wire), limit)
			}
			m := new(dns.Msg)
			if err := m.Unpack(wire); err != nil {
				t.Fatalf("can't be read: %v", err)
			}
			if !m.Response || m.RecursionAvailable || m.Id != uint16(packet[0])<<8|uint16(packet[1]) {
				t.Errorf("header %+v", m.MsgHdr)
			}
		}
	})
}

// BenchmarkReply measures the answering without the sockets.
func BenchmarkReply(b *testing.B) {
	s := testServer(b)
	for _, q := range []struct {
		name string
		typ  uint16
	}{{"kopasex.example.", dns.TypeA}, {"kOPasex.exaMPLe.", dns.TypeA}, {"www.kopasex.example.", dns.TypeA}, {"nowhere.kopasex.example.", dns.TypeA}, {"x.y.kopasex.example.", dns.TypeTXT}, {"x.child.kopasex.example.", dns.TypeA}} {
		wire, err := new(dns.Msg).SetQuestion(q.name, q.typ).SetEdns0(1232, false).Pack()
		if err != nil {
			b.Fatal(err)
		}
		b.Run(q.name+dns.TypeToString[q.typ], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if sent := exchange(s, wire, true); len(sent) != 1 {
					b.Fatal(len(sent))
				}
			}
		})
	}
}
