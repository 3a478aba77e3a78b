package portfolio

import (
	"fmt"
	"testing"
)

// BenchmarkDiff compares one domain that stands as wanted; the target is under 5 µs.
func BenchmarkDiff(b *testing.B) {
	d := entry(b, "kopasex.se")
	des := Desire(&d, facts(d), now)
	zone := Diff(des, zoneOf(b, "kopasex.se"), "duavgor").After()
	if p := Diff(des, zone, "duavgor"); p.Pending() || p.Err != nil {
		b.Fatal(p)
	}
	b.ReportAllocs()
	for b.Loop() {
		Diff(des, zone, "duavgor")
	}
}

// BenchmarkDiffNew fills an empty zone.
func BenchmarkDiffNew(b *testing.B) {
	d := entry(b, "kopasex.se")
	des, zone := Desire(&d, facts(d), now), zoneOf(b, "kopasex.se")
	b.ReportAllocs()
	for b.Loop() {
		Diff(des, zone, "duavgor")
	}
}

func BenchmarkDesire(b *testing.B) {
	d := entry(b, "kopasex.se")
	f := facts(d)
	b.ReportAllocs()
	for b.Loop() {
		Desire(&d, f, now)
	}
}

// BenchmarkPlan plans a portfolio that stands as wanted, observing included.
func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{50, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			zones := newFake()
			var domains []Domain
			for i := range n {
				d := entry(b, fmt.Sprintf("d%d.example", i))
				zones.put(Diff(Desire(&d, facts(d), now), zoneOf(b, d.Name.ASCII()), "duavgor").After())
				domains = append(domains, d)
			}
			r := reconciler(zones, &fakeStore{})
			p := portfolioOf(domains...)
			b.ReportAllocs()
			for b.Loop() {
				plan, err := r.Plan(b.Context(), p, Options{})
				if err != nil || plan.Pending() {
					b.Fatal(err, plan.Summary)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/domain")
		})
	}
}
