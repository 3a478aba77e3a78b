package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// instruct says, from the zone as it is now, what it was thought to be (nil
// where that doesn't matter) and what is to be done.
type instruct func(now portfolio.Zone) (observed *portfolio.Zone, steps []portfolio.Step)

// write brings a zone to where the steps lead: read, write what is still to be
// done, read again, compare. Whatever a request that failed has done, the next
// round goes on from what is there. It gives the zone as read in the end;
// thought is what it is thought to be, where that is known.
func (p *provider) write(ctx context.Context, name portfolio.Name, thought *portfolio.Zone, what instruct) (after portfolio.Zone, err error) {
	unlock, err := p.lock(ctx, name)
	if err != nil {
		return after, err
	}
	defer unlock()
	written, how := false, p.typ.how
	err = p.retry(ctx, func() error {
		now, err := p.readBefore(ctx, name, thought)
		thought = nil
		if err != nil {
			return err
		}
		observed, steps := what(now)
		steps = p.clamped(steps)
		switch {
		case len(unmet(now, steps)) == 0 && !now.Missing:
			after = now
			return nil
		case observed == nil || !stale(*observed, now, steps, written):
		case written:
			return errors.New("others changed the zone while it was written; run again")
		default:
			return portfolio.ErrStale
		}
		if err := p.refused(steps); err != nil {
			return err
		}
		answer, err := p.apply(ctx, now, steps, how)
		written = written || err == nil || zoneio.KindOf(err) == zoneio.Temporary
		switch {
		case err == nil:
			if after, err = p.confirm(ctx, name, steps, answer); err != nil {
				how = byDifference // it doesn't keep what its type is known for; this mends most
			}
			return err
		case errors.Is(err, portfolio.ErrStale) && observed == nil:
			return zoneio.As(zoneio.Temporary, err)
		case zoneio.KindOf(err) == zoneio.Temporary:
			var arrived bool
			if after, arrived = p.arrived(ctx, name, steps); arrived {
				return nil // only the answer was lost
			}
		}
		return err
	})
	return after, err
}

// readBefore reads the zone just before it is written. Where it is thought to be
// missing, and the provider itself refuses to create one that is there, that
// takes no request.
func (p *provider) readBefore(ctx context.Context, name portfolio.Name, thought *portfolio.Zone) (portfolio.Zone, error) {
	if _, refuses := p.impl.(zoneio.AnsweringWriter); refuses && thought != nil && thought.Missing {
		return *thought, nil
	}
	if !p.typ.guards {
		p.forget(name)
	}
	return p.read(ctx, name)
}

// arrived reports whether a write that seemed to fail was carried out.
func (p *provider) arrived(ctx context.Context, name portfolio.Name, steps []portfolio.Step) (portfolio.Zone, bool) {
	p.forget(name)
	now, err := p.read(ctx, name)
	return now, err == nil && !now.Missing && len(unmet(now, steps)) == 0
}

// clamped makes of TTLs what the type itself makes of them.
func (p *provider) clamped(steps []portfolio.Step) []portfolio.Step {
	if p.typ.MinTTL == 0 && len(p.typ.TTLs) == 0 {
		return steps
	}
	out := slices.Clone(steps)
	for i := range out {
		out[i].Set = slices.Clone(out[i].Set)
		for j := range out[i].Set {
			out[i].Set[j].TTL = p.typ.TTL(out[i].Set[j].TTL)
		}
	}
	return out
}

// refused gives an error where the steps set what the type can't hold: told
// before anything is written.
func (p *provider) refused(steps []portfolio.Step) error {
	var reasons []string
	for _, step := range steps {
		for _, set := range step.Set {
			if why := p.typ.refuses(set); why != "" {
				reasons = append(reasons, why)
			}
		}
	}
	if len(reasons) == 0 {
		return nil
	}
	return zoneio.As(zoneio.Unsupported, errors.New(strings.Join(reasons, "; ")))
}

// confirm reads the zone again until it is what the steps ask for; providers
// that answer from several servers may take a moment. An answer to the write
// that holds the zone counts as such a look.
func (p *provider) confirm(ctx context.Context, name portfolio.Name, steps []portfolio.Step, answer *portfolio.Zone) (portfolio.Zone, error) {
	if answer != nil && len(unmet(*answer, steps)) == 0 {
		return *answer, nil
	}
	const looks = 4
	pause := 250 * time.Millisecond
	for look := 1; ; look++ {
		p.forget(name)
		now, err := p.read(ctx, name)
		if err != nil {
			return now, err
		}
		left := unmet(now, steps)
		if len(left) == 0 && !now.Missing {
			return now, nil
		}
		if _, atomic := p.impl.(zoneio.AtomicWriter); look == looks || atomic {
			return now, zoneio.As(zoneio.Temporary, fmt.Errorf("written without an error, but read again the zone is not as asked for: %s; look at the zone by the provider's own means",
				strings.Join(left, ", ")))
		}
		if err := waitFor(ctx, nil, pause); err != nil {
			return now, err
		}
		pause *= 2
	}
}

// unmet names the RRsets that are not as the steps leave them.
func unmet(now portfolio.Zone, steps []portfolio.Step) []string {
	is := zoneio.ContentsOf(now)
	var left []string
	for _, change := range zoneio.Fold(zoneio.Changes(steps)) {
		if !is.Met(change) {
			left = append(left, change.Key.Name+" "+change.Key.Type)
		}
	}
	return left
}

// stale reports whether the zone differs from what was observed by more than
// what the steps themselves may have done already; once some were written, the
// RRsets that they touch may hold anything. Challenges come and go, and no plan
// is made from them.
func stale(observed, now portfolio.Zone, steps []portfolio.Step, written bool) bool {
	was, is := zoneio.ContentsOf(observed), zoneio.ContentsOf(now)
	made := make(map[portfolio.Key]bool) // what may be the steps' own doing
	for _, change := range zoneio.Changes(steps) {
		made[change.Key] = made[change.Key] || written || is.Met(change)
	}
	expected := func(key portfolio.Key) bool {
		old, held := was[key]
		_, present := is[key]
		switch {
		case held == present && (!held || is.Has(old)), made[key], isChallenge(key):
			return true
		}
		// The provider's own, as it made the zone.
		return observed.Missing && key == (portfolio.Key{Name: "@", Type: "NS"})
	}
	for key := range is {
		if !expected(key) {
			return true
		}
	}
	for key := range was {
		if !expected(key) {
			return true
		}
	}
	return false
}

func isChallenge(key portfolio.Key) bool {
	return key.Type == "TXT" && (key.Name == "_acme-challenge" || strings.HasPrefix(key.Name, "_acme-challenge."))
}

// apply makes the requests that the steps need: one where the provider is
// atomic, else one by one by the strategy that it keeps. answer is the zone as
// it stands then, where the provider tells.
func (p *provider) apply(ctx context.Context, now portfolio.Zone, steps []portfolio.Step, how strategy) (answer *portfolio.Zone, err error) {
	if w, ok := p.impl.(zoneio.AnsweringWriter); ok {
		return request(ctx, p, "write", now.Name.ASCII(), func(ctx context.Context) (*portfolio.Zone, error) {
			return w.WriteZoneAnswered(ctx, now.Name.FQDN(), now, steps)
		})
	}
	if w, ok := p.impl.(zoneio.AtomicWriter); ok {
		_, err := request(ctx, p, "write", now.Name.ASCII(), func(ctx context.Context) (struct{}, error) {
			return struct{}{}, w.WriteZone(ctx, now.Name.FQDN(), now, steps)
		})
		return nil, err
	}
	if now.Missing {
		if now, err = p.create(ctx, now.Name, steps); err != nil {
			return nil, err
		}
	}
	s := stepper{p: p, how: how, zone: now.Name, is: zoneio.ContentsOf(now)}
	for _, step := range steps {
		if err := s.step(ctx, step); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// records gives RRsets as libdns records.
func records(zone portfolio.Name, sets ...portfolio.RRset) ([]libdns.Record, error) {
	var recs []libdns.Record
	for _, s := range sets {
		rs, err := zoneio.Records(zone, s)
		if err != nil {
			return nil, err
		}
		recs = append(recs, rs...)
	}
	return recs, nil
}
