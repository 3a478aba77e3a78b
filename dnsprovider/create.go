package dnsprovider

import (
	"context"
	"errors"
	"fmt"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// create makes a missing zone with what the steps set, where the provider can,
// and gives it as it is then. What is not in it yet, the steps write: killed
// between, the next run goes on from there.
func (p *provider) create(ctx context.Context, name portfolio.Name, steps []portfolio.Step) (portfolio.Zone, error) {
	maker, ok := p.impl.(zoneio.Creator)
	if !ok || !p.typ.Creates {
		return portfolio.Zone{}, zoneio.As(zoneio.NoZone, errors.New("the provider has no such zone; "+p.typ.toCreate()))
	}
	_, err := request(ctx, p, "write", name.ASCII(), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, maker.CreateZone(ctx, name, wanted(steps))
	})
	if err != nil {
		return portfolio.Zone{}, fmt.Errorf("create the zone: %w", err)
	}
	made, err := p.read(ctx, name)
	if err == nil && made.Missing {
		err = zoneio.As(zoneio.Temporary, errors.New("created, but read again the provider has no such zone"))
	}
	return made, err
}

// wanted gives the RRsets that the steps leave set.
func wanted(steps []portfolio.Step) []portfolio.RRset {
	var sets []portfolio.RRset
	for _, change := range zoneio.Fold(zoneio.Changes(steps)) {
		if change.Set != nil {
			sets = append(sets, *change.Set)
		}
	}
	return sets
}

// toCreate says what makes the provider have a zone that it doesn't create.
func (t Type) toCreate() string {
	if t.CreatesBy != "" {
		return "set " + t.CreatesBy + " at the provider to let it be created, or create it there first"
	}
	return "create it there first"
}

// creating makes the row's modules create zones by what vendor gives for their
// settings.
func creating[S any](r row, vendor func(*S) zoneio.Creator) row {
	open := r.open
	r.Creates = true
	r.open = func(settings any, cfg Config, d Deps) (any, error) {
		impl, err := open(settings, cfg, d)
		if err != nil {
			return nil, err
		}
		maker := vendor(settings.(*S))
		if l, ok := impl.(lister); ok {
			return struct {
				lister
				zoneio.Creator
			}{l, maker}, nil
		}
		return struct {
			mended
			zoneio.Creator
		}{impl.(mended), maker}, nil
	}
	return r
}
