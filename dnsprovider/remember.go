package dnsprovider

import (
	"context"
	"errors"
	"fmt"

	"domherre/dnsprovider/seen"
)

// memory makes what a provider remembers of its zones; address tells its server
// from others.
func memory(cfg Config, d Deps, address string) *seen.Memory {
	if d.Store == nil {
		return seen.New(nil, cfg.Name, address, d.Now)
	}
	return seen.New(d.Store, cfg.Name, address, d.Now)
}

// Save leaves to the next process what is known of zones by their serials, so
// that it need not read them. Nothing is lost where that fails.
func (s *Set) Save(ctx context.Context) error {
	type saver interface {
		Save(ctx context.Context) error
	}
	var errs []error
	for _, p := range s.providers {
		if err := p.known.save(ctx); err != nil {
			errs = append(errs, fmt.Errorf("provider %s: %w", p.cfg.Name, err))
		}
		if own, ok := p.impl.(saver); ok {
			if err := own.Save(ctx); err != nil {
				errs = append(errs, fmt.Errorf("provider %s: %w", p.cfg.Name, err))
			}
		}
	}
	return errors.Join(errs...)
}
