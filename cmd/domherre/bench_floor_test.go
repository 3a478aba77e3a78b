package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnstest"
	"domherre/state"
)

// abreast does something for 0..n-1, as many at once as the product does by
// default.
func abreast(n int, do func(i int) error) error {
	places := make(chan struct{}, 8)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		places <- struct{}{}
		wg.Go(func() {
			errs[i] = do(i)
			<-places
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// storeFloor makes the requests to the state that the embedded provider needs,
// with the very values that the product writes.
type storeFloor struct {
	dir    string
	names  []string
	values [][]byte
}

func (f *storeFloor) key(i int) string { return "dns/zones/" + f.names[i] + ".json" }

// with opens a state: the product's, or one that only the floor writes.
func (f *storeFloor) with(ctx context.Context, name string, do func(state.Store) error) error {
	store, err := state.Open(ctx, filepath.Join(f.dir, name), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return err
	}
	return errors.Join(do(store), store.Close())
}

func (f *storeFloor) keep(ctx context.Context) error {
	f.values = make([][]byte, len(f.names))
	return f.with(ctx, "state", func(s state.Store) error {
		return abreast(len(f.names), func(i int) (err error) {
			f.values[i], err = s.Load(ctx, f.key(i))
			return err
		})
	})
}

func (f *storeFloor) empty(context.Context) error { return os.RemoveAll(filepath.Join(f.dir, "raw")) }

func (f *storeFloor) first(ctx context.Context) error {
	return f.with(ctx, "raw", func(s state.Store) error {
		return abreast(len(f.names), func(i int) error { return f.put(ctx, s, i) })
	})
}

// put writes one zone under its lock, and a line about it into the journal.
func (f *storeFloor) put(ctx context.Context, s state.Store, i int) error {
	lock := "dns-zone-" + f.names[i]
	if err := s.Lock(ctx, lock); err != nil {
		return err
	}
	err := s.Store(ctx, f.key(i), f.values[i])
	if err = errors.Join(err, s.Unlock(ctx, lock)); err != nil {
		return err
	}
	_, err = s.Append(ctx, f.names[i], json.RawMessage(f.values[i]))
	return err
}

func (f *storeFloor) same(ctx context.Context) error {
	return f.with(ctx, "raw", func(s state.Store) error { return f.read(ctx, s) })
}

func (f *storeFloor) read(ctx context.Context, s state.Store) error {
	return abreast(len(f.names), func(i int) error {
		_, err := s.Load(ctx, f.key(i))
		return err
	})
}

func (f *storeFloor) one(ctx context.Context) error {
	return f.with(ctx, "raw", func(s state.Store) error {
		return errors.Join(f.read(ctx, s), f.put(ctx, s, 0))
	})
}

// updateFloor speaks to a real name server: a transfer reads a zone, an UPDATE
// fills it.
type updateFloor struct {
	server *dnstest.Server
	names  []string
	zones  [][]dns.RR // without the SOA and what the server began with
	round  int
}

func (f *updateFloor) secrets() map[string]string {
	return map[string]string{f.server.KeyName: f.server.Key}
}

func (f *updateFloor) keep(context.Context) error {
	f.zones = make([][]dns.RR, len(f.names))
	return abreast(len(f.names), func(i int) error {
		all, err := f.transfer(i)
		for _, rr := range all {
			if h := rr.Header(); h.Rrtype != dns.TypeSOA && h.Rrtype != dns.TypeNS {
				f.zones[i] = append(f.zones[i], rr)
			}
		}
		return err
	})
}

func (f *updateFloor) empty(ctx context.Context) error {
	if err := f.keep(ctx); err != nil {
		return err
	}
	return abreast(len(f.names), func(i int) error {
		return f.update(i, func(m *dns.Msg) { m.RemoveRRset(f.zones[i]) })
	})
}

func (f *updateFloor) first(context.Context) error {
	return abreast(len(f.names), func(i int) error {
		return f.update(i, func(m *dns.Msg) { m.Insert(f.zones[i]) })
	})
}

func (f *updateFloor) same(context.Context) error {
	return abreast(len(f.names), func(i int) error {
		_, err := f.transfer(i)
		return err
	})
}

func (f *updateFloor) one(ctx context.Context) error {
	f.round++
	note := &dns.TXT{
		Hdr: dns.RR_Header{Name: "raw." + dns.Fqdn(f.names[0]), Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 300},
		Txt: []string{fmt.Sprint(f.round)},
	}
	return errors.Join(f.same(ctx), f.update(0, func(m *dns.Msg) {
		m.RemoveRRset([]dns.RR{note})
		m.Insert([]dns.RR{note})
	}))
}

func (f *updateFloor) transfer(i int) ([]dns.RR, error) {
	conn, err := net.Dial("tcp", f.server.Addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	t := &dns.Transfer{Conn: &dns.Conn{Conn: conn}, TsigSecret: f.secrets()}
	m := new(dns.Msg).SetAxfr(dns.Fqdn(f.names[i]))
	m.SetTsig(f.server.KeyName, dns.HmacSHA256, 300, time.Now().Unix())
	answers, err := t.In(m, f.server.Addr)
	if err != nil {
		return nil, err
	}
	var all []dns.RR
	for a := range answers {
		if a.Error != nil {
			return nil, a.Error
		}
		all = append(all, a.RR...)
	}
	return all, nil
}

func (f *updateFloor) update(i int, fill func(*dns.Msg)) error {
	m := new(dns.Msg).SetUpdate(dns.Fqdn(f.names[i]))
	fill(m)
	if len(m.Ns) == 0 {
		return nil
	}
	m.SetTsig(f.server.KeyName, dns.HmacSHA256, 300, time.Now().Unix())
	client := &dns.Client{Net: "tcp", TsigSecret: f.secrets(), Timeout: 10 * time.Second}
	answer, _, err := client.Exchange(m, f.server.Addr)
	if err == nil && answer.Rcode != dns.RcodeSuccess {
		err = errors.New(dns.RcodeToString[answer.Rcode])
	}
	return err
}
