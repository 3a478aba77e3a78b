package rfc2136_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
	"domherre/dnsprovider/dnstest"
	"domherre/dnsprovider/rfc2136"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

var servers = map[string]func(testing.TB, ...string) *dnstest.Server{"knot": dnstest.StartKnot, "bind": dnstest.StartBIND}

func newProvider(t *testing.T, s *dnstest.Server) *rfc2136.Provider {
	t.Helper()
	p, err := rfc2136.New(rfc2136.Settings{Server: s.Addr, KeyName: strings.ToUpper(s.KeyName), KeyAlg: s.KeyAlg, Key: s.Key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func name(t *testing.T, s string) portfolio.Name {
	t.Helper()
	n, err := portfolio.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func rrset(t *testing.T, zone portfolio.Name, owner, typ string, data ...string) portfolio.RRset {
	t.Helper()
	s, err := portfolio.NewRRset(zone, owner, typ, 300, data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t *testing.T, p *rfc2136.Provider, zone portfolio.Name) portfolio.Zone {
	t.Helper()
	z, err := p.ReadZone(t.Context(), zone)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// What 64 KiB don't hold goes in several messages, in order.
func TestLargeWrite(t *testing.T) {
	t.Parallel()
	for server, start := range servers {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			p, zone := newProvider(t, start(t, "a.example")), name(t, "a.example")
			var sets []portfolio.RRset
			for i := range 400 {
				sets = append(sets, rrset(t, zone, fmt.Sprintf("h%03d", i), "TXT", strings.Repeat(fmt.Sprintf("%03d ", i), 75)))
			}
			before := read(t, p, zone)
			if err := p.WriteZone(t.Context(), zone.FQDN(), before, []portfolio.Step{{Set: sets}}); err != nil {
				t.Fatal(err)
			}
			after := read(t, p, zone)
			if len(after.RRsets) != len(sets)+1 || after.Serial-before.Serial < 2 {
				t.Errorf("%d RRsets, serial from %d to %d", len(after.RRsets), before.Serial, after.Serial)
			}
			// A stale write of any size changes nothing.
			err := p.WriteZone(t.Context(), zone.FQDN(), before, []portfolio.Step{{Set: sets}})
			if !errors.Is(err, portfolio.ErrStale) {
				t.Errorf("from an older reading: %v", err)
			}
			if err := p.WriteZone(t.Context(), zone.FQDN(), after, []portfolio.Step{{Delete: sets}}); err != nil {
				t.Fatal(err)
			}
			if z := read(t, p, zone); len(z.RRsets) != 1 {
				t.Errorf("%d RRsets are left", len(z.RRsets))
			}
		})
	}
}

// Several steps are one message, with one new serial: nobody ever sees a part.
func TestOneMessage(t *testing.T) {
	t.Parallel()
	for server, start := range servers {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			p, zone := newProvider(t, start(t, "a.example")), name(t, "a.example")
			alias, a := rrset(t, zone, "www", "CNAME", "kopasex.se."), rrset(t, zone, "www", "A", "192.0.2.1")
			marker := rrset(t, zone, "_domherre", "TXT", "between")
			before := read(t, p, zone)
			if err := p.WriteZone(t.Context(), zone.FQDN(), before, []portfolio.Step{{Set: []portfolio.RRset{alias}}}); err != nil {
				t.Fatal(err)
			}
			before = read(t, p, zone)
			last := rrset(t, zone, "_domherre", "TXT", "after")
			if err := p.WriteZone(t.Context(), zone.FQDN(), before, []portfolio.Step{
				{Delete: []portfolio.RRset{alias}, Set: []portfolio.RRset{a}},
				{Set: []portfolio.RRset{marker}}, {Set: []portfolio.RRset{last}},
			}); err != nil {
				t.Fatal(err)
			}
			z := read(t, p, zone)
			got, _ := z.Find(last.Key())
			if _, stays := z.Find(alias.Key()); stays || z.Serial != before.Serial+1 || !slices.Equal(got.Data, last.Data) {
				t.Errorf("serial from %d to %d, %v", before.Serial, z.Serial, z.RRsets)
			}
			// A CNAME that came meanwhile makes the write fail, where servers
			// would ignore the A beside it without a word.
			other := rrset(t, zone, "new", "CNAME", "kopasex.se.")
			if err := p.WriteZone(t.Context(), zone.FQDN(), z, []portfolio.Step{{Set: []portfolio.RRset{other}}}); err != nil {
				t.Fatal(err)
			}
			err := p.WriteZone(t.Context(), zone.FQDN(), z, []portfolio.Step{{Set: []portfolio.RRset{rrset(t, zone, "new", "A", "192.0.2.1")}}})
			if !errors.Is(err, portfolio.ErrStale) {
				t.Errorf("an A beside a CNAME that came meanwhile: %v", err)
			}
			err = p.WriteZone(t.Context(), zone.FQDN(), z, []portfolio.Step{{Delete: []portfolio.RRset{rrset(t, zone, "@", "NS", "x.example.")}}})
			if err == nil || !strings.Contains(err.Error(), "can't be without NS") {
				t.Errorf("deleting the apex NS: %v", err)
			}
		})
	}
}

// A zone whose serial stands is not transferred again; one that others changed is.
func TestSerialTellsChanges(t *testing.T) {
	t.Parallel()
	s := dnstest.StartBIND(t, "a.example")
	p, other, zone := newProvider(t, s), newProvider(t, s), name(t, "a.example")
	// The server's log comes a little after its answer.
	transfers := func(want int) bool {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for range 200 {
			if strings.Count(s.Log(), "AXFR started") == want {
				return true
			}
			<-tick.C
		}
		return false
	}
	first := read(t, p, zone)
	first.RRsets[0].TTL = 1 // callers may do as they like with what they get
	second := read(t, p, zone)
	if !transfers(1) || second.RRsets[0].TTL == 1 || second.Serial != first.Serial {
		t.Errorf("not one transfer: %v\n%s", second, s.Log())
	}
	if err := other.WriteZone(t.Context(), zone.FQDN(), second, []portfolio.Step{{Set: []portfolio.RRset{rrset(t, zone, "www", "A", "192.0.2.1")}}}); err != nil {
		t.Fatal(err)
	}
	if third := read(t, p, zone); len(third.RRsets) != 2 || !transfers(2) {
		t.Errorf("not two transfers: %v\n%s", third.RRsets, s.Log())
	}
	p.Forget(zone)
	if read(t, p, zone); !transfers(3) {
		t.Errorf("not three transfers\n%s", s.Log())
	}
}

func TestConcurrentAppends(t *testing.T) {
	t.Parallel()
	for server, start := range servers {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, start(t, "a.example"))
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					recs, err := p.AppendRecords(t.Context(), "a.example.", []libdns.Record{libdns.TXT{Name: "many", TTL: time.Minute, Text: fmt.Sprint(i)}})
					if err != nil || len(recs) != 1 {
						t.Errorf("%v, %v", recs, err)
					}
				})
			}
			wg.Wait()
			recs, err := p.GetRecords(t.Context(), "a.example.")
			if err != nil || len(recs) != 21 {
				t.Errorf("%d records, %v", len(recs), err)
			}
			if recs, err := p.GetRecords(t.Context(), "missing.example."); err == nil || !strings.Contains(err.Error(), "add the zone missing.example.") {
				t.Errorf("a zone that isn't there: %v, %v", recs, err)
			}
		})
	}
}

// Refusals say what to do.
func TestExplains(t *testing.T) {
	t.Parallel()
	zone := name(t, "a.example")
	for _, c := range []struct {
		rcode int
		kind  zoneio.Kind
		want  string
	}{
		{dns.RcodeRefused, zoneio.Other, "check-integrity"},
		{dns.RcodeNotAuth, zoneio.NoZone, "add the zone a.example."},
		{dns.RcodeNotImplemented, zoneio.Other, "takes no dynamic updates"},
		{dns.RcodeServerFailure, zoneio.Temporary, "server's log"},
		{dns.RcodeFormatError, zoneio.Other, "can't hold one of the records"},
		{dns.RcodeNotZone, zoneio.Other, "zone cut"},
		{dns.RcodeYXRrset, zoneio.Other, portfolio.ErrStale.Error()},
		{24, zoneio.Other, "RCODE24"},
	} {
		t.Run(dnsclient.RcodeName(c.rcode), func(t *testing.T) {
			t.Parallel()
			p, err := rfc2136.New(rfc2136.Settings{Server: refuser(t, c.rcode), KeyName: "k.", Key: dnstest.Secret}, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = p.WriteZone(t.Context(), zone.FQDN(), portfolio.Zone{Name: zone}, []portfolio.Step{{Set: []portfolio.RRset{rrset(t, zone, "@", "A", "192.0.2.1")}}})
			if err == nil || zoneio.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

// refuser answers everything so.
func refuser(t *testing.T, rcode int) string {
	t.Helper()
	port, err := dnstest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	s := &dns.Server{
		Net: "tcp", Addr: fmt.Sprintf("127.0.0.1:%d", port), NotifyStartedFunc: func() { close(started) },
		MsgAcceptFunc: func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
			m := new(dns.Msg)
			m.SetReply(q)
			m.Rcode = rcode
			m.SetEdns0(1232, false) // has room for codes above 15
			_ = w.WriteMsg(m)
		}),
	}
	go func() { _ = s.ListenAndServe() }()
	<-started
	t.Cleanup(func() { _ = s.ShutdownContext(context.WithoutCancel(t.Context())) })
	return s.Addr
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good := rfc2136.Settings{Server: "[2001:db8::53]:53", KeyName: "domherre.", Key: dnstest.Secret}
	if faults := good.Check(); len(faults) > 0 {
		t.Errorf("good settings: %v", faults)
	}
	bad := rfc2136.Settings{Server: "ns1.kopasex.se", KeyName: "", KeyAlg: "md5", Key: "hemlig"}
	faults := bad.Check()
	if got := slices.Sorted(maps.Keys(faults)); !slices.Equal(got, []string{"key", "key_alg", "key_name", "server"}) || strings.Contains(fmt.Sprint(faults), "hemlig") {
		t.Errorf("bad settings: %v", faults)
	}
	if _, err := rfc2136.New(bad, nil); err == nil {
		t.Error("bad settings are taken")
	}
}
