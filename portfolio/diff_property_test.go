package portfolio

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// world is a random domain and the zone that it meets.
type world struct {
	entry Domain
	facts Facts
	zone  Zone
}

var (
	ownerPool = []string{"@", "www", "*", "blog", "a.blog", "_dmarc", "*._domainkey", "_acme-challenge", "x.lab"}
	dataPool  = map[string][]string{
		"A":     {"192.0.2.10", "198.51.100.1", "198.51.100.2"},
		"AAAA":  {"2001:db8::10", "2001:db8::99"},
		"MX":    {"0 .", "10 mx.example."},
		"TXT":   {"v=spf1 -all", "v=spf1 mx -all", "site=1", "site=2", dmarcNone, "v=DMARC1; p=none", "v=DKIM1; p=", "p=AAAA"},
		"CAA":   {`0 issue "letsencrypt.org"`, `0 issuemail ";"`},
		"HTTPS": {httpsHere},
		"ALIAS": {"x.example."},
		"CNAME": {"x.example.", "y.example."},
	}
	typePool = []string{"A", "AAAA", "MX", "TXT", "CAA", "HTTPS", "ALIAS"}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

func randomSet(r *rand.Rand, owner, typ string) RRset {
	data := []string{pick(r, dataPool[typ])}
	for typ != "CNAME" && typ != "ALIAS" && chance(r, 40) {
		data = append(data, pick(r, dataPool[typ]))
	}
	return set(owner, typ, pick(r, []uint32{60, 300, 3600}), sortedSet(data)...)
}

// randomSets gives at most one RRset per key, and no CNAME beside others.
func randomSets(r *rand.Rand, percent int) []RRset {
	var sets []RRset
	for _, owner := range ownerPool {
		if owner != "@" && chance(r, percent/2) {
			sets = append(sets, randomSet(r, owner, "CNAME"))
			continue
		}
		for _, typ := range typePool {
			if chance(r, percent) {
				sets = append(sets, randomSet(r, owner, typ))
			}
		}
	}
	SortRRsets(sets)
	return sets
}

func randomEntry(t testing.TB, r *rand.Rand) Domain {
	d := entry(t, "kopasex.se")
	d.DNS.Hosts = []string{pick(r, ownerPool[:4])}
	if h := pick(r, ownerPool[:5]); h != d.DNS.Hosts[0] {
		d.DNS.Hosts = append(d.DNS.Hosts, h)
	}
	d.DNS.Addresses = d.DNS.Addresses[:r.IntN(3)]
	d.DNS.Mail = pick(r, []string{MailNone, MailNone, MailKeep})
	d.DNS.MailExplicit = chance(r, 30)
	d.DNS.CAA = pick(r, []string{CAAAuto, CAANone})
	d.DNS.Ownership = pick(r, []string{OwnMarker, OwnMarker, OwnMarker, OwnMarker, OwnExclusive, OwnNone})
	if chance(r, 30) {
		d.DNS.Ignore = []string{"*.lab"}
	}
	if chance(r, 40) {
		d.DNS.Records = slices.DeleteFunc(randomSets(r, 5), func(s RRset) bool { return s.Type == "ALIAS" })
	}
	return d
}

// randomWorld leaves the zone as an earlier, other version of the entry made
// it, with foreign records and drift on top.
func randomWorld(t testing.TB, seed uint64) world {
	r := rand.New(rand.NewPCG(seed, 1))
	w := world{entry: randomEntry(t, r), facts: Facts{Holder: chance(r, 80), Certified: chance(r, 50), CAA: facts(Domain{}).CAA}}
	w.zone = Zone{Name: w.entry.Name, RRsets: randomSets(r, 12)}
	if chance(r, 70) {
		earlier := randomEntry(t, r)
		w.zone = Diff(Desire(&earlier, facts(earlier), now), w.zone, "duavgor").After()
		w.zone.Missing = false
	}
	if chance(r, 50) { // drift
		w.zone.RRsets = slices.DeleteFunc(w.zone.RRsets, func(s RRset) bool { return s.Type != "CNAME" && s.Key() != MarkerKey && chance(r, 15) })
	}
	SortRRsets(w.zone.RRsets)
	return w
}

func (w world) plan() DomainPlan {
	return Diff(Desire(&w.entry, w.facts, now), w.zone, "duavgor")
}

// eachWorld runs f on many worlds that can be planned.
func eachWorld(t *testing.T, n int, f func(t *testing.T, w world, p DomainPlan)) {
	t.Helper()
	t.Parallel()
	planned := 0
	for seed := range uint64(n) {
		w := randomWorld(t, seed)
		p := w.plan()
		if p.Err != nil {
			continue
		}
		planned++
		f(t, w, p)
		if t.Failed() {
			t.Fatalf("seed %d: zone %v\nentry %+v\nplan\n%s", seed, w.zone.RRsets, w.entry.DNS, p.lines())
		}
	}
	if planned < n/2 {
		t.Fatalf("only %d of %d worlds can be planned", planned, n)
	}
}

func TestAppliedPlanIsEmptyAfterwards(t *testing.T) {
	eachWorld(t, 4000, func(t *testing.T, w world, p DomainPlan) {
		w.zone = applied(p)
		if again := w.plan(); again.Pending() || again.Err != nil {
			t.Errorf("still to do:\n%s", again.lines())
		}
	})
}

// applied carries out the steps of p.
func applied(p DomainPlan) Zone {
	z := p.Zone
	for _, s := range Steps(p) {
		z = applyStep(z, s)
	}
	return z
}

func TestForeignIsNeverLost(t *testing.T) {
	eachWorld(t, 4000, func(t *testing.T, w world, p DomainPlan) {
		after := applied(p)
		for _, s := range w.zone.RRsets {
			if lost := w.lostForeign(s, p, after); lost != "" {
				t.Error(lost)
			}
		}
	})
}

// lostForeign words what of s is neither ours nor in the way, and gone.
func (w world) lostForeign(s RRset, p DomainPlan, after Zone) string {
	des := Desire(&w.entry, w.facts, now)
	own, ours := p.Marker.Before.Find(s.Key())
	wanted := func(match func(Want) bool) bool { return slices.ContainsFunc(des.Wants, match) }
	never := strings.HasPrefix(s.Name, "_acme-challenge") || len(w.entry.DNS.Ignore) > 0 && strings.HasSuffix(s.Name, ".lab")
	switch {
	case s.Key() == MarkerKey:
		return ""
	case never:
	case w.entry.DNS.Ownership == OwnExclusive:
		return ""
	case ours && s.Type != "TXT" && w.entry.DNS.Ownership != OwnNone:
		return ""
	case wanted(func(x Want) bool { return x.Name == s.Name && (s.Type == "CNAME" || x.Type == "CNAME") }):
		return ""
	case s.Type == "ALIAS" && wanted(func(x Want) bool { return x.Name == s.Name && (x.Type == "A" || x.Type == "AAAA") }):
		return ""
	case s.Type != "TXT" && wanted(func(x Want) bool { return x.Key() == s.Key() }):
		return ""
	}
	now, found := after.Find(s.Key())
	if s.Type != "TXT" || never {
		if !found || now.TTL != s.TTL || !slices.Equal(now.Data, s.Data) {
			return fmt.Sprintf("lost %v", s)
		}
		return ""
	}
	for _, v := range s.Data {
		replaced := wanted(func(x Want) bool {
			return x.Key() == s.Key() && slices.ContainsFunc(x.Data, func(d string) bool { return sameSinglePolicy(s.Name, d, v) })
		})
		if !own.ours(v) && !replaced && !slices.Contains(now.Data, v) {
			return fmt.Sprintf("lost %q of %v", v, s)
		}
	}
	return ""
}

// answers reports whether somebody who asks for the host gets an address or an
// alias, wildcards included (RFC 4592).
func answers(z Zone, host string) bool {
	leads := func(owner string) bool {
		return slices.ContainsFunc(z.RRsets, func(s RRset) bool {
			return s.Name == owner && slices.Contains([]string{"A", "AAAA", "CNAME", "ALIAS"}, s.Type)
		})
	}
	exists := func(owner string) bool {
		return owner == "@" || slices.ContainsFunc(z.RRsets, func(s RRset) bool { return s.Name == owner || belowOwner(s.Name, owner) })
	}
	if exists(host) {
		return leads(host)
	}
	for above := host; ; {
		_, rest, deeper := strings.Cut(above, ".")
		if !deeper {
			return leads("*")
		}
		if above = rest; exists(above) {
			return leads("*." + above)
		}
	}
}

func TestWorkingNamesNeverStopWorking(t *testing.T) {
	hosts := slices.Concat(ownerPool, []string{"other", "deep.other", "other.blog"})
	eachWorld(t, 4000, func(t *testing.T, w world, p DomainPlan) {
		w.neverStops(t, p, Steps(p), hosts)
		// One RRset at a time, and a name above or below another that comes
		// or goes with it can't but fall silent for a moment.
		hosts := slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return strings.Contains(h, ".") })
		w.neverStops(t, p, singly(Steps(p)), hosts)
	})
}

// neverStops carries out steps and asks for every host after each.
func (w world) neverStops(t *testing.T, p DomainPlan, steps []Step, hosts []string) {
	t.Helper()
	z, after := w.zone, applied(p)
	for i, s := range steps {
		z = applyStep(z, s)
		for _, h := range hosts {
			if answers(w.zone, h) && answers(after, h) && !answers(z, h) {
				t.Errorf("%s has no answer after request %d, %v", h, i+1, s)
			}
		}
	}
}

// singly parts steps as a provider does that writes one RRset at a time,
// except that what swaps a name's records stays in one piece.
func singly(steps []Step) []Step {
	var out []Step
	for _, s := range steps {
		if len(s.Set) > 0 && len(s.Delete) > 0 {
			out = append(out, s)
			continue
		}
		for _, d := range s.Delete {
			out = append(out, Step{Delete: []RRset{d}})
		}
		for _, x := range s.Set {
			out = append(out, Step{Set: []RRset{x}})
		}
	}
	return out
}

func TestForeignIsNeverMarked(t *testing.T) {
	eachWorld(t, 4000, func(t *testing.T, w world, p DomainPlan) {
		z := w.zone
		for i, s := range Steps(p) {
			z = applyStep(z, s)
			set, _ := z.Find(MarkerKey)
			m, err := ParseMarker(set.Data)
			wants := Desire(&w.entry, w.facts, now).Wants
			if err != nil {
				t.Errorf("request %d: %v", i+1, err)
			}
			for _, o := range m.Owned {
				have, there := z.Find(o.Key)
				_, before := p.Marker.Before.Find(o.Key)
				wanted := slices.ContainsFunc(wants, func(x Want) bool {
					return x.Key() == o.Key && (x.Type == "TXT" || slices.Equal(x.Data, have.Data))
				})
				if there && !before && !wanted {
					t.Errorf("request %d marks %v, which isn't ours", i+1, have)
				}
			}
		}
	})
}

func TestKilledAnywhereConverges(t *testing.T) {
	eachWorld(t, 600, func(t *testing.T, w world, p DomainPlan) {
		want := applied(p)
		for n := range len(Steps(p)) {
			zones, store := newFake(w.zone), &fakeStore{}
			zones.budget = n
			r := reconciler(zones, store)
			r.Facts = func(Domain) Facts { return w.facts }
			list := portfolioOf(w.entry)
			report, err := r.RunOnce(t.Context(), list, Options{Force: true})
			if err != nil || report.Outcomes[0].Outcome != Failed {
				t.Errorf("killed at %d: %v, %+v", n, err, report.Outcomes)
			}
			zones.budget = -1
			if report, err = r.RunOnce(t.Context(), list, Options{Force: true}); err != nil || report.Exit() != ExitDone {
				t.Errorf("killed at %d, the next run: %v, %+v", n, err, report.Outcomes)
			}
			if got := zones.get(w.entry.Name); got.Digest() != want.Digest() {
				t.Errorf("killed at %d: got %v\nwant %v", n, got.RRsets, want.RRsets)
			}
		}
	})
}

func TestNewZoneIsFilledInOneGo(t *testing.T) {
	eachWorld(t, 500, func(t *testing.T, w world, _ DomainPlan) {
		w.zone = Zone{Name: w.entry.Name, Missing: true}
		p := w.plan()
		if steps := Steps(p); len(steps) > 1 || p.Pending() != (len(steps) == 1) {
			t.Errorf("%d steps", len(steps))
		}
		w.zone = applied(p)
		if p.Pending() && w.plan().Pending() {
			t.Error("still to do")
		}
	})
}

func TestSameInputSameBytes(t *testing.T) {
	eachWorld(t, 500, func(t *testing.T, w world, p DomainPlan) {
		before := fmt.Sprint(w)
		first, _ := json.Marshal(p)
		second, _ := json.Marshal(w.plan())
		if string(first) != string(second) {
			t.Errorf("%s\n%s", first, second)
		}
		if fmt.Sprint(Steps(p)) != fmt.Sprint(Steps(w.plan())) {
			t.Error("other steps")
		}
		if fmt.Sprint(w) != before {
			t.Error("the input changed")
		}
	})
}
