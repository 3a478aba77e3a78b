package dnsprovider

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// fake is a libdns implementation with the faults that real ones have.
type fake struct {
	mu    sync.Mutex
	recs  []libdns.RR
	old   []libdns.RR // what was there before the last write
	calls []call
	now   func() time.Time

	setKeepsOld    bool // SetRecords leaves other values of the RRset
	deleteDropsAll bool // DeleteRecords drops the whole RRset
	appendReplaces bool // AppendRecords replaces the RRset
	minTTL         time.Duration
	staleReads     int                   // so many readings after a write give what was before
	before         func(n int) error     // the n-th request (from 1) fails so, with nothing done
	after          func(n int) error     // likewise, but done
	slow           func(context.Context) // before each request
	zones          []string              // what ListZones gives
	lagging        int                   // stale readings left
	get            func() error          // what GetRecords fails with
}

type call struct {
	op string
	at time.Time
}

func (f *fake) request(ctx context.Context, op string, do func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call{op, f.now()})
	n := len(f.calls)
	if f.slow != nil {
		f.mu.Unlock()
		f.slow(ctx)
		f.mu.Lock()
	}
	if f.before != nil {
		if err := f.before(n); err != nil {
			return err
		}
	}
	if op != "get" {
		f.old, f.lagging = slices.Clone(f.recs), f.staleReads
	}
	do()
	if f.after != nil {
		return f.after(n)
	}
	return nil
}

func (f *fake) GetRecords(ctx context.Context, _ string) (out []libdns.Record, err error) {
	if f.get != nil {
		return nil, f.get()
	}
	err = f.request(ctx, "get", func() {
		recs := f.recs
		if f.lagging > 0 {
			f.lagging--
			recs = f.old
		}
		for _, r := range recs {
			out = append(out, r)
		}
	})
	return out, err
}

func (f *fake) AppendRecords(ctx context.Context, _ string, recs []libdns.Record) ([]libdns.Record, error) {
	return recs, f.request(ctx, "append", func() {
		if f.appendReplaces {
			f.drop(recs)
		}
		for _, rec := range recs {
			f.recs = append(f.recs, f.clamp(rec.RR())) // twice, if it is there already
		}
	})
}

func (f *fake) SetRecords(ctx context.Context, _ string, recs []libdns.Record) ([]libdns.Record, error) {
	return recs, f.request(ctx, "set", func() {
		if !f.setKeepsOld {
			f.drop(recs)
		}
		for _, rec := range recs {
			f.recs = append(f.recs, f.clamp(rec.RR()))
		}
	})
}

func (f *fake) DeleteRecords(ctx context.Context, _ string, recs []libdns.Record) ([]libdns.Record, error) {
	return recs, f.request(ctx, "delete", func() {
		if f.deleteDropsAll {
			f.drop(recs)
			return
		}
		for _, rec := range recs {
			f.recs = slices.DeleteFunc(f.recs, func(r libdns.RR) bool { return r == rec.RR() })
		}
	})
}

func (f *fake) ListZones(context.Context) ([]libdns.Zone, error) {
	var out []libdns.Zone
	for _, z := range f.zones {
		out = append(out, libdns.Zone{Name: z})
	}
	return out, nil
}

func (f *fake) drop(recs []libdns.Record) {
	for _, rec := range recs {
		f.recs = slices.DeleteFunc(f.recs, func(r libdns.RR) bool { return r.Name == rec.RR().Name && r.Type == rec.RR().Type })
	}
}

func (f *fake) clamp(r libdns.RR) libdns.RR {
	r.TTL = max(r.TTL, f.minTTL)
	return r
}

func (f *fake) count(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c.op == op {
			n++
		}
	}
	return n
}

// openFake opens a Set of one provider named main over f.
func openFake(t *testing.T, f *fake, how strategy, l Limits, d Deps) *Set {
	t.Helper()
	f.now = time.Now
	type none struct{}
	r := typed(Type{Name: "fake", MinTTL: uint32(f.minTTL.Seconds()), Limits: Limits{Concurrency: 4, Timeout: 10 * time.Second, Retries: 4}},
		func(none, Config, Deps) (any, error) { return f, nil }, nil)
	r.how = how
	s, err := open([]Config{{Name: "main", Type: "fake", Limits: l}}, d, []row{r})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func domain(t testing.TB, name string) portfolio.Domain {
	t.Helper()
	n, err := portfolio.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	return portfolio.Domain{Name: n, Provider: "main"}
}

func rrset(t testing.TB, d portfolio.Domain, owner, typ string, ttl uint32, data ...string) portfolio.RRset {
	t.Helper()
	s, err := portfolio.NewRRset(d.Name, owner, typ, ttl, data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// observe reads a zone, or fails the test.
func observe(t testing.TB, s *Set, d portfolio.Domain) portfolio.Zone {
	t.Helper()
	z, err := s.ObserveFull(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// replace gives the steps that make a zone hold want alone, deletes last but
// where they stand in the way.
func replace(z portfolio.Zone, want ...portfolio.RRset) []portfolio.Step {
	var way, rest portfolio.Step
	for _, s := range z.RRsets {
		here := slices.ContainsFunc(want, func(w portfolio.RRset) bool { return w.Key() == s.Key() })
		clash := slices.ContainsFunc(want, func(w portfolio.RRset) bool {
			return w.Name == s.Name && (w.Type == "CNAME") != (s.Type == "CNAME")
		})
		switch {
		case clash:
			way.Delete = append(way.Delete, s)
		case !here:
			rest.Delete = append(rest.Delete, s)
		}
	}
	way.Set = want
	return []portfolio.Step{way, rest}
}

func equal(a, b []portfolio.RRset) bool {
	return slices.EqualFunc(a, b, func(a, b portfolio.RRset) bool {
		return a.Key() == b.Key() && a.TTL == b.TTL && slices.Equal(a.Data, b.Data)
	})
}

var errVendor = errors.New("vendor says: 503 service unavailable")

func temporary(after time.Duration) error {
	return &zoneio.Error{Kind: zoneio.Temporary, RetryAfter: after, Err: errors.New("429")}
}
