// Package conformance is the test that every implementation of a DNS provider
// passes, the real servers as well as what stands in for them.
package conformance

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"domherre/portfolio"
)

// Provider is what is tested: a dnsprovider.Set of one provider.
type Provider interface {
	portfolio.Zones
	portfolio.FullObserver
	Present(ctx context.Context, fqdn, value string) error
	Wait(ctx context.Context, fqdn, value string) error
	CleanUp(ctx context.Context, fqdn, value string) error
}

// Records is the libdns side of an implementation.
type Records interface {
	libdns.RecordGetter
	libdns.RecordAppender
	libdns.RecordSetter
	libdns.RecordDeleter
}

// Subject is one provider under test.
type Subject struct {
	Provider Provider
	Records  Records // nil: the libdns interfaces are not tested

	Zones   []string // zones with NS records at the apex and nothing else, twenty at least
	IDN     string   // one more, with a name that has å, ä or ö
	Missing string   // a zone that isn't there
	Creates bool     // a missing zone is created by writing it
	OneCase bool     // texts that differ in case alone count as the same

	MinTTL uint32 // seconds; the provider raises lower ones to it

	Many int // names of the test of many records, of two each; 0: 500

	// Holds reports whether the provider can hold such data, in presentation
	// form; nil: any.
	Holds func(typ, data string) bool

	// Except names tests that the provider can't pass, each with the reason,
	// which is one that a user would accept.
	Except map[string]string
}

// excepted skips the test where the subject excepts it.
func (s Subject) excepted(t *testing.T, name string) {
	t.Helper()
	if reason, ok := s.Except[name]; ok {
		t.Skip(reason)
	}
}

// Run tests s.
func Run(t *testing.T, s Subject) {
	next := 0
	fresh := func(t *testing.T) *zone {
		t.Helper()
		if next == len(s.Zones) {
			t.Fatal("the subject has too few zones")
		}
		next++
		return newZone(t, s, s.Zones[next-1])
	}
	for _, c := range []struct {
		name string
		test func(*testing.T, *zone)
	}{
		{"types", testTypes},
		{"names", testNames},
		{"texts", testTexts},
		{"values", testValues},
		{"ttl", testTTL},
		{"converges", testConverges},
		{"deletes exactly", testDeletes},
		{"alias in the way", testAlias},
		{"apex name servers", testApexNS},
		{"stale", testStale},
		{"concurrent", testConcurrent},
		{"cancelled", testCancelled},
		{"emptied", testEmptied},
		{"thousand records", testThousand},
		{"challenge", testChallenge},
		{"libdns", testLibdns},
		{"libdns deletes", testLibdnsDeletes},
	} {
		z := fresh(t)
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s.excepted(t, c.name)
			z.t = t
			c.test(t, z)
		})
	}
	from, to := fresh(t), fresh(t)
	t.Run("challenge elsewhere", func(t *testing.T) {
		t.Parallel()
		s.excepted(t, "challenge elsewhere")
		from.t, to.t = t, t
		testChallengeElsewhere(t, from, to)
	})
	idn := newZone(t, s, s.IDN)
	t.Run("idn", func(t *testing.T) {
		t.Parallel()
		s.excepted(t, "idn")
		idn.t = t
		testNames(t, idn)
	})
	missing := newZone(t, s, s.Missing)
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		s.excepted(t, "missing")
		missing.t = t
		testMissing(t, missing)
	})
}

// zone is one zone of a subject, in one test.
type zone struct {
	t *testing.T
	Subject
	domain portfolio.Domain
}

func newZone(t *testing.T, s Subject, name string) *zone {
	t.Helper()
	n, err := portfolio.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	return &zone{t: t, Subject: s, domain: portfolio.Domain{Name: n}}
}

func (z *zone) name() portfolio.Name { return z.domain.Name }

func (z *zone) ctx() context.Context {
	ctx, cancel := context.WithTimeout(z.t.Context(), time.Minute)
	z.t.Cleanup(cancel)
	return ctx
}

// set makes an RRset.
func (z *zone) set(owner, typ string, ttl uint32, data ...string) portfolio.RRset {
	z.t.Helper()
	s, err := portfolio.NewRRset(z.name(), owner, typ, max(ttl, z.MinTTL), data)
	if err != nil {
		z.t.Fatal(err)
	}
	return s
}

// held leaves out the values that the provider can't hold.
func (z *zone) held(sets []portfolio.RRset) []portfolio.RRset {
	if z.Holds == nil {
		return sets
	}
	var out []portfolio.RRset
	for _, s := range sets {
		s.Data = slices.DeleteFunc(slices.Clone(s.Data), func(data string) bool { return !z.Holds(s.Type, data) })
		if len(s.Data) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// observe reads the zone whole.
func (z *zone) observe() portfolio.Zone {
	z.t.Helper()
	got, err := z.Provider.ObserveFull(z.ctx(), z.domain)
	if err != nil {
		z.t.Fatal(err)
	}
	return got
}

// write writes the steps, made from the zone as it is.
func (z *zone) write(steps ...portfolio.Step) {
	z.t.Helper()
	if err := z.Provider.Write(z.ctx(), portfolio.Write{Domain: z.domain, Observed: z.observe(), Steps: steps}); err != nil {
		z.t.Fatal(err)
	}
}

// puts sets RRsets and nothing else.
func (z *zone) puts(sets ...portfolio.RRset) {
	z.t.Helper()
	z.write(portfolio.Step{Set: sets})
}

// holds demands that the zone holds these RRsets beside its apex NS, no other,
// and that they are served so.
func (z *zone) holds(want ...portfolio.RRset) {
	z.t.Helper()
	got := z.observe()
	rest := slices.DeleteFunc(slices.Clone(got.RRsets), isApexNS)
	want = slices.Clone(want)
	portfolio.SortRRsets(want)
	if !slices.EqualFunc(rest, want, same) {
		z.t.Errorf("the zone holds\n%s\nnot\n%s", text(rest), text(want))
	}
	z.served(want...)
}

// served demands that the authoritative servers serve these RRsets.
func (z *zone) served(want ...portfolio.RRset) {
	z.t.Helper()
	if served := z.Provider.Verify(z.ctx(), z.domain, want); !served.All() {
		z.t.Errorf("served otherwise: %s", served)
	}
}

func isApexNS(s portfolio.RRset) bool { return s.Name == "@" && s.Type == "NS" }

func same(a, b portfolio.RRset) bool {
	return a.Key() == b.Key() && a.TTL == b.TTL && slices.Equal(a.Data, b.Data)
}

func text(sets []portfolio.RRset) string {
	out := ""
	for _, s := range sets {
		for _, d := range s.Data {
			if len(d) > 100 {
				d = d[:100] + "…"
			}
			out += "  " + s.Name + " " + s.Type + " " + d + "\n"
		}
	}
	return out
}
