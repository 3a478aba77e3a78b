package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// strategies pairs each with the faults that it must bear.
var strategies = []struct {
	name string
	how  strategy
	fake func() *fake
}{
	{"set", bySet, func() *fake { return &fake{} }},
	{"difference", byDifference, func() *fake { return &fake{setKeepsOld: true} }},
	{"whole, delete drops all", byWhole, func() *fake { return &fake{deleteDropsAll: true} }},
	{"whole, append replaces", byWhole, func() *fake { return &fake{appendReplaces: true, deleteDropsAll: true} }},
}

// states are what zones are brought to, one after the other.
func states(t testing.TB, d portfolio.Domain) [][]portfolio.RRset {
	return [][]portfolio.RRset{
		{rrset(t, d, "@", "A", 300, "192.0.2.1", "192.0.2.2"), rrset(t, d, "www", "CNAME", 300, "a.kopasex.se."), rrset(t, d, "@", "TXT", 300, `a "b" \\c`)},
		{rrset(t, d, "@", "A", 300, "192.0.2.2", "192.0.2.3"), rrset(t, d, "www", "A", 300, "192.0.2.1"), rrset(t, d, "@", "TXT", 600, "a", "b")},
		{rrset(t, d, "@", "A", 60, "192.0.2.2"), rrset(t, d, "www", "CNAME", 300, "b.kopasex.se.")},
		{rrset(t, d, "www", "CNAME", 300, "c.kopasex.se."), rrset(t, d, "@", "HTTPS", 300, `1 . alpn="h2,http/1.1"`)},
		nil,
	}
}

func TestStrategiesConverge(t *testing.T) {
	t.Parallel()
	d := domain(t, "köpasex.example")
	for _, c := range strategies {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := c.fake()
			s := openFake(t, f, c.how, Limits{}, Deps{})
			for i, want := range states(t, d) {
				z := observe(t, s, d)
				if err := s.Write(t.Context(), portfolio.Write{Domain: d, Observed: z, Steps: replace(z, want...)}); err != nil {
					t.Fatalf("state %d: %v", i, err)
				}
				portfolio.SortRRsets(want)
				z = observe(t, s, d)
				if !equal(z.RRsets, want) {
					t.Fatalf("state %d: the zone holds %v, not %v", i, z.RRsets, want)
				}
				writes := len(f.calls) - f.count("get")
				if err := s.Write(t.Context(), portfolio.Write{Domain: d, Observed: z, Steps: replace(z, want...)}); err != nil {
					t.Fatal(err)
				}
				if again := len(f.calls) - f.count("get"); again != writes {
					t.Errorf("state %d: writing what is there makes %d requests", i, again-writes)
				}
			}
		})
	}
}

// A run that dies at any request leaves what the next run converges from, and a
// name that both states have never stops being there longer than its own
// replacement takes.
func TestDiesAtEveryRequest(t *testing.T) {
	t.Parallel()
	d := domain(t, "kopasex.se")
	for _, c := range strategies {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				f := c.fake()
				s := openFake(t, f, c.how, Limits{Retries: -1}, Deps{})
				all := states(t, d)
				seed(t, f, d, all[0]...)
				died := false
				f.before = func(i int) error {
					if died = died || i == n; died {
						return errors.New("killed")
					}
					return nil
				}
				first := portfolio.Zone{Name: d.Name, RRsets: slices.Clone(all[0])}
				portfolio.SortRRsets(first.RRsets)
				steps := replace(first, all[1]...)
				err := s.Write(t.Context(), portfolio.Write{Domain: d, Observed: first, Steps: steps})
				if !died {
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				if err == nil {
					t.Fatalf("dead at request %d, but no error", n)
				}
				f.before = nil
				z := observe(t, s, d)
				if err := s.Write(t.Context(), portfolio.Write{Domain: d, Observed: z, Steps: replace(z, all[1]...)}); err != nil {
					t.Fatalf("dead at request %d: the next run: %v", n, err)
				}
				want := slices.Clone(all[1])
				portfolio.SortRRsets(want)
				if z := observe(t, s, d); !equal(z.RRsets, want) {
					t.Fatalf("dead at request %d: the next run leaves %v", n, z.RRsets)
				}
			}
		})
	}
}

func seed(t testing.TB, f *fake, d portfolio.Domain, sets ...portfolio.RRset) {
	t.Helper()
	recs, err := records(d.Name, sets...)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range recs {
		f.recs = append(f.recs, rec.RR())
	}
}

// A write that was carried out, whose answer got lost, is not carried out twice.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	d := domain(t, "kopasex.se")
	for _, c := range strategies {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := c.fake()
				s := openFake(t, f, c.how, Limits{}, Deps{})
				f.after = func(n int) error {
					if n == 3 { // two readings came before
						return context.DeadlineExceeded
					}
					return nil
				}
				want := rrset(t, d, "@", "A", 300, "192.0.2.1", "192.0.2.2")
				z := observe(t, s, d)
				if err := s.Write(t.Context(), portfolio.Write{Domain: d, Observed: z, Steps: []portfolio.Step{{Set: []portfolio.RRset{want}}}}); err != nil {
					t.Fatal(err)
				}
				if len(f.recs) != 2 {
					t.Errorf("the zone holds %v", f.recs)
				}
				if n := len(f.calls) - f.count("get"); n != 1 {
					t.Errorf("%d writes were made", n)
				}
			})
		})
	}
}

func TestBursts(t *testing.T) {
	t.Parallel()
	d := domain(t, "kopasex.se")
	a := rrset(t, d, "@", "A", 300, "192.0.2.1")
	step := []portfolio.Step{{Set: []portfolio.RRset{a}}}
	t.Run("server errors pass", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := &fake{before: func(n int) error {
				if n <= 3 || n == 5 {
					return errVendor
				}
				return nil
			}}
			s := openFake(t, f, bySet, Limits{}, Deps{})
			if err := s.Write(t.Context(), portfolio.Write{Domain: d, Observed: portfolio.Zone{Name: d.Name}, Steps: step}); err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				if pause := f.calls[i+1].at.Sub(f.calls[i].at); pause < 50*time.Millisecond {
					t.Errorf("retry %d comes after %s", i+1, pause)
				}
			}
		})
	})
	t.Run("server errors stay", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := &fake{before: func(int) error { return errVendor }}
			s := openFake(t, f, bySet, Limits{}, Deps{})
			_, err := s.Observe(t.Context(), d)
			if !errors.Is(err, errVendor) || !strings.HasPrefix(err.Error(), "kopasex.se: read the zone at provider main: ") {
				t.Errorf("the error is %v", err)
			}
			if len(f.calls) != 5 {
				t.Errorf("%d requests were made, not 5", len(f.calls))
			}
		})
	})
	t.Run("refusals are not repeated", func(t *testing.T) {
		t.Parallel()
		f := &fake{before: func(int) error { return errors.New("HTTP 401: bad token") }}
		s := openFake(t, f, bySet, Limits{}, Deps{})
		_, err := s.Observe(t.Context(), d)
		if zoneio.KindOf(err) != zoneio.Credentials || len(f.calls) != 1 {
			t.Errorf("%d requests, %v", len(f.calls), err)
		}
	})
	t.Run("retry-after is kept", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := &fake{before: func(n int) error {
				if n == 1 {
					return temporary(17 * time.Second)
				}
				return nil
			}}
			s := openFake(t, f, bySet, Limits{}, Deps{})
			start := time.Now()
			for _, name := range []string{"kopasex.se", "other.example", "third.example"} {
				if _, err := s.Observe(t.Context(), domain(t, name)); err != nil {
					t.Error(err)
				}
			}
			for _, c := range f.calls[1:] {
				if d := c.at.Sub(start); d < 17*time.Second {
					t.Errorf("a request after %s", d)
				}
			}
		})
	})
	t.Run("retry-after beyond patience", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := &fake{before: func(int) error { return temporary(time.Hour) }}
			s := openFake(t, f, bySet, Limits{}, Deps{})
			_, err := s.Observe(t.Context(), d)
			if err == nil || !strings.Contains(err.Error(), "left alone until") || len(f.calls) != 1 {
				t.Errorf("%d requests, %v", len(f.calls), err)
			}
		})
	})
}

func TestStaleReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := domain(t, "kopasex.se")
		f := &fake{staleReads: 3}
		s := openFake(t, f, byDifference, Limits{}, Deps{})
		a := rrset(t, d, "@", "A", 300, "192.0.2.1")
		z := portfolio.Zone{Name: d.Name}
		if err := s.Write(t.Context(), portfolio.Write{Domain: d, Observed: z, Steps: []portfolio.Step{{Set: []portfolio.RRset{a}}}}); err != nil {
			t.Fatal(err)
		}
		if len(f.recs) != 1 || f.count("append") != 1 {
			t.Errorf("%d writes left %v", f.count("append"), f.recs)
		}
	})
}

// A provider whose Set leaves old values, and that isn't known for it, is found
// out; if its Delete is sound, it is mended.
func TestSetThatKeepsOldValues(t *testing.T) {
	t.Parallel()
	d := domain(t, "kopasex.se")
	write := func(t *testing.T, f *fake) error {
		seed(t, f, d, rrset(t, d, "www", "A", 300, "192.0.2.1"))
		s := openFake(t, f, bySet, Limits{Retries: 1}, Deps{})
		z := observe(t, s, d)
		return s.Write(t.Context(), portfolio.Write{Domain: d, Observed: z, Steps: []portfolio.Step{{Set: []portfolio.RRset{rrset(t, d, "www", "A", 300, "192.0.2.2")}}}})
	}
	t.Run("mended", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := &fake{setKeepsOld: true}
			if err := write(t, f); err != nil || len(f.recs) != 1 || f.recs[0].Data != "192.0.2.2" {
				t.Errorf("%v, %v", f.recs, err)
			}
		})
	})
	t.Run("found out", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := &fake{setKeepsOld: true, deleteDropsAll: true}
			if err := write(t, f); err == nil || !strings.Contains(err.Error(), "not as asked for: www A") {
				t.Errorf("%v, %v", f.recs, err)
			}
		})
	})
}

func TestStaleAndMinTTL(t *testing.T) {
	t.Parallel()
	d := domain(t, "kopasex.se")
	f := &fake{minTTL: 10 * time.Minute}
	s := openFake(t, f, bySet, Limits{}, Deps{})
	old := observe(t, s, d)
	a := rrset(t, d, "www", "A", 300, "192.0.2.1")
	write := func(z portfolio.Zone, sets ...portfolio.RRset) error {
		return s.Write(t.Context(), portfolio.Write{Domain: d, Observed: z, Steps: []portfolio.Step{{Set: sets}}})
	}
	if err := write(old, a); err != nil {
		t.Fatalf("a TTL that the provider raises: %v", err)
	}
	if err := write(old, rrset(t, d, "x", "A", 600, "192.0.2.1")); !errors.Is(err, portfolio.ErrStale) {
		t.Errorf("from an older reading: %v", err)
	}
	// Challenges come and go beside plans.
	now := observe(t, s, d)
	f.recs = append(f.recs, libdns.RR{Name: "_acme-challenge", Type: "TXT", TTL: time.Minute, Data: "x"})
	if err := write(now, rrset(t, d, "x", "A", 600, "192.0.2.1")); err != nil {
		t.Errorf("with a challenge put meanwhile: %v", err)
	}
}

func TestMissingZone(t *testing.T) {
	t.Parallel()
	d := domain(t, "köpasex.example")
	gone := errors.New("vendor says: 404")
	f := &fake{before: func(int) error { return gone }, zones: []string{"other.example."}}
	s := openFake(t, f, bySet, Limits{}, Deps{})
	if z := observe(t, s, d); !z.Missing {
		t.Error("a zone that isn't listed is not told missing")
	}
	err := s.Write(t.Context(), portfolio.Write{Domain: d, Observed: portfolio.Zone{Name: d.Name, Missing: true}, Steps: []portfolio.Step{{Set: []portfolio.RRset{rrset(t, d, "@", "A", 300, "192.0.2.1")}}}})
	if zoneio.KindOf(err) != zoneio.NoZone || !strings.Contains(err.Error(), "create it") {
		t.Errorf("writing it: %v", err)
	}
	f.zones = []string{"köpasex.example"} // providers list in either form
	if _, err := s.Observe(t.Context(), d); !errors.Is(err, gone) {
		t.Errorf("a zone that is listed and can't be read: %v", err)
	}
	if names, err := s.Zones(t.Context(), "main"); err != nil || !slices.Equal(names, f.zones) {
		t.Errorf("listing: %v, %v", names, err)
	}
}

// Random walks: whatever stood there, a write leads to what is wanted.
func TestRandomWalks(t *testing.T) {
	t.Parallel()
	d := domain(t, "kopasex.se")
	for _, c := range strategies {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, 2))
			f := c.fake()
			s := openFake(t, f, c.how, Limits{}, Deps{})
			for range 150 {
				want := randomZone(t, r, d)
				z := observe(t, s, d)
				if err := s.Write(t.Context(), portfolio.Write{Domain: d, Observed: z, Steps: replace(z, want...)}); err != nil {
					t.Fatalf("%v → %v: %v", z.RRsets, want, err)
				}
				if now := observe(t, s, d); !equal(now.RRsets, want) {
					t.Fatalf("%v → %v: got %v", z.RRsets, want, now.RRsets)
				}
			}
		})
	}
}

func randomZone(t testing.TB, r *rand.Rand, d portfolio.Domain) []portfolio.RRset {
	var out []portfolio.RRset
	for _, owner := range []string{"@", "www", "*"} {
		ttl := []uint32{60, 300}[r.IntN(2)]
		if owner != "@" && r.IntN(3) == 0 {
			out = append(out, rrset(t, d, owner, "CNAME", ttl, fmt.Sprintf("t%d.kopasex.se.", r.IntN(3))))
			continue
		}
		for _, typ := range []string{"A", "TXT"} {
			var data []string
			for i := range 3 {
				if r.IntN(2) == 0 {
					data = append(data, fmt.Sprintf("192.0.2.%d", i))
				}
			}
			if len(data) > 0 {
				out = append(out, rrset(t, d, owner, typ, ttl, data...))
			}
		}
	}
	portfolio.SortRRsets(out)
	return out
}
