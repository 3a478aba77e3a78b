package embedded_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/embedded"
	"domherre/portfolio"
)

// redirecting is the zone of a domain that redirects and never mails.
const redirecting = `
@             A     192.0.2.10
@             AAAA  2001:db8::10
@             MX    0 .
@             TXT   "v=spf1 -all"
@             CAA   0 issue "letsencrypt.org"
www           A     192.0.2.10
www           AAAA  2001:db8::10
www           MX    0 .
www           TXT   "v=spf1 -all"
*             TXT   "v=spf1 -all"
_dmarc        TXT   "v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s"
*._domainkey  TXT   "v=DKIM1; p="
`

// filled gives a store with n such zones, and their names.
func filled(b *testing.B, n int) (embedded.WatchedStore, []portfolio.Name) {
	b.Helper()
	store := openState(b, b.TempDir())
	p := newProvider(b, store)
	names := make([]portfolio.Name, n)
	var all sync.WaitGroup
	slots := make(chan struct{}, 32)
	for i := range n {
		names[i] = name(b, fmt.Sprintf("d%d.example", i))
		sets := rrsets(b, names[i], redirecting)
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if err := p.WriteZone(b.Context(), names[i].FQDN(), portfolio.Zone{Name: names[i], Missing: true}, []portfolio.Step{{Set: sets}}); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	return store, names
}

// BenchmarkWriteZone creates zones, as a first apply does.
func BenchmarkWriteZone(b *testing.B) {
	store := openState(b, b.TempDir())
	p := newProvider(b, store)
	var n int
	var mu sync.Mutex
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mu.Lock()
			n++
			zone := name(b, fmt.Sprintf("d%d.example", n))
			mu.Unlock()
			err := p.WriteZone(b.Context(), zone.FQDN(), portfolio.Zone{Name: zone, Missing: true}, []portfolio.Step{{Set: rrsets(b, zone, redirecting)}})
			if err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkReadZone reads zones, as every plan does.
func BenchmarkReadZone(b *testing.B) {
	store, names := filled(b, 100)
	p := newProvider(b, store)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := p.ReadZone(b.Context(), names[i%len(names)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStart starts a server over 10,000 zones and asks it one question.
func BenchmarkStart(b *testing.B) {
	store, _ := filled(b, 10_000)
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		s, err := embedded.NewServer(ctx, store, embedded.ServerOptions{Log: quiet})
		must(b, err)
		udp, tcp, err := embedded.Listen(ctx, "127.0.0.1:0")
		must(b, err)
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(ctx, udp, tcp) }()
		if got := addressOf(b, udp.LocalAddr().String(), "www.d4711.example."); got != "192.0.2.10" {
			b.Fatal(got)
		}
		cancel()
		must(b, <-ended)
	}
}

// BenchmarkQueries asks over UDP from several sockets of this process, which
// shares the cores with the server.
func BenchmarkQueries(b *testing.B) {
	store, names := filled(b, 100)
	_, addr := serve(b, store)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("udp", addr)
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		buffer := make([]byte, dns.MaxMsgSize)
		for i := 0; pb.Next(); i++ {
			wire, err := question("www."+names[i%len(names)].FQDN(), "A").Pack()
			if err != nil {
				b.Error(err)
				return
			}
			if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
				b.Error(err)
			}
			if _, err := conn.Write(wire); err != nil {
				b.Error(err)
			}
			if _, err := conn.Read(buffer); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "queries/s")
}

// BenchmarkVisible measures from the call that writes a zone to the first
// answer that shows it, by a write through the server's store and by one as
// another process makes it.
func BenchmarkVisible(b *testing.B) {
	for _, where := range []string{"here", "elsewhere"} {
		b.Run(where, func(b *testing.B) {
			location := b.TempDir()
			s, addr := serve(b, openState(b, location))
			p := newProvider(b, s.Store())
			if where == "elsewhere" {
				p = newProvider(b, openState(b, location))
			}
			for i := 0; b.Loop(); i++ {
				want := fmt.Sprintf("192.0.%d.%d", i/250%250, i%250)
				write(b, p, "kopasex.example", "@ A "+want)
				eventually(b, addr, "kopasex.example.", want)
			}
		})
	}
}
