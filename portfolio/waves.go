package portfolio

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// waveShares are the parts of the domains with changes that go before the rest,
// one after the other.
var waveShares = []float64{0.01, 0.05, 0.10}

// waveLimit bounds how long one wave may take to be served as wanted.
const waveLimit = 10 * time.Minute

// waveSizes gives the number of domains in each wave but the last.
func waveSizes(n int) []int {
	var sizes []int
	for _, share := range waveShares {
		size := min(max(1, int(math.Round(share*float64(n)))), n)
		sizes = append(sizes, size)
		n -= size
	}
	return sizes
}

// applyInWaves writes a few domains, waits until every authoritative server has
// them as wanted, and only then writes more. Where that doesn't come to pass,
// the rest is held back, by later runs too. Domains that fail before they are written fail alone:
// others take their place in the wave.
func (r *Reconciler) applyInWaves(ctx context.Context, report *Report, o Options, again replan) {
	open := report.unsettled()
	progress := r.progress(StepWrite, len(open))
	if before := slices.Sorted(maps.Keys(report.unserved)); len(open) > 0 && len(before) > 0 && !r.waveServed(ctx, report, before) {
		report.holdBack(open, before)
		return
	}
	for _, size := range waveSizes(len(open)) {
		var written []int
		for len(written) < size && len(open) > 0 {
			n := min(size-len(written), len(open))
			r.write(ctx, report, open[:n], progress, o, again)
			for _, i := range open[:n] {
				if report.Outcomes[i].Outcome == Applied {
					written = append(written, i)
				}
			}
			open = open[n:]
		}
		if len(open) == 0 {
			return
		}
		if !r.waveServed(ctx, report, written) {
			report.holdBack(open, written)
			return
		}
	}
	r.write(ctx, report, open, progress, o, again)
}

// waveServed waits until the domains are served as wanted.
func (r *Reconciler) waveServed(ctx context.Context, report *Report, written []int) bool {
	ctx, cancel := context.WithTimeoutCause(ctx, waveLimit, fmt.Errorf("not within %s", waveLimit))
	defer cancel()
	r.ask(ctx, report, slices.Clone(written), true)
	return !slices.ContainsFunc(written, func(i int) bool { return report.Outcomes[i].Outcome == Failed })
}

// unservedBefore gives the places of domains that an earlier run has written in
// a wave, and that were not seen to be served since.
func unservedBefore(p Plan, accepted []Domain) map[int]bool {
	unserved := map[int]bool{}
	for i := range p.Domains {
		d := &p.Domains[i]
		at, known := slices.BinarySearchFunc(accepted, d.Name, func(a Domain, n Name) int { return strings.Compare(a.Name.ascii, n.ascii) })
		if known && accepted[at].Unserved && d.Err == nil && !d.Leaving && !d.Pending() {
			unserved[i] = true
		}
	}
	return unserved
}

// holdBack refuses what the waves didn't come to.
func (r *Report) holdBack(open, wave []int) {
	at := slices.IndexFunc(wave, func(i int) bool { return r.Outcomes[i].Outcome == Failed })
	cause := r.Outcomes[wave[at]].Domain
	for _, i := range open {
		o := &r.Outcomes[i]
		o.Outcome, o.Held = Refused, true
		o.Err = fmt.Errorf("%s: held back: %s, of the wave before, is not served as wanted; see to that, then apply again", o.Domain, cause)
	}
}
