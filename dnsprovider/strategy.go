package dnsprovider

import (
	"context"
	"fmt"
	"slices"

	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// strategy is how a libdns implementation can be made to do what the contract
// of libdns asks of it: most keep a part of that contract only.
type strategy int

const (
	// bySet: SetRecords replaces whole RRsets, as it should.
	bySet strategy = iota
	// byDifference: AppendRecords adds a value beside others, DeleteRecords
	// removes exactly the one given.
	byDifference
	// byWhole: DeleteRecords drops the whole RRset, or AppendRecords replaces
	// it; so every change deletes and adds all values.
	byWhole
)

// stepper carries out steps one by one, keeping track of what the zone has.
type stepper struct {
	p    *provider
	how  strategy
	zone portfolio.Name
	is   zoneio.Contents
}

// step deletes, then sets; what is already so costs no request.
func (s *stepper) step(ctx context.Context, step portfolio.Step) error {
	var gone []portfolio.RRset
	for _, set := range step.Delete {
		if held, ok := s.is[set.Key()]; ok {
			gone = append(gone, held) // as it is: a delete must match exactly
		}
	}
	if err := s.remove(ctx, gone...); err != nil {
		return err
	}
	var wanted []portfolio.RRset
	for _, set := range step.Set {
		if !s.is.Has(set) {
			wanted = append(wanted, set)
		}
	}
	if s.how == bySet {
		return s.setAll(ctx, wanted)
	}
	for _, set := range wanted {
		if err := s.replace(ctx, set); err != nil {
			return err
		}
	}
	return nil
}

func (s *stepper) setAll(ctx context.Context, sets []portfolio.RRset) error {
	setter, ok := s.p.impl.(libdns.RecordSetter)
	if !ok {
		return s.lacks("set")
	}
	if err := s.write(ctx, setter.SetRecords, sets...); err != nil {
		return err
	}
	for _, set := range sets {
		s.is[set.Key()] = set
	}
	return nil
}

// replace brings one RRset from what it is to set: new values first, so that
// the name goes on answering, where the two can stand side by side.
func (s *stepper) replace(ctx context.Context, set portfolio.RRset) error {
	held, present := s.is[set.Key()]
	sideBySide := s.how == byDifference && held.TTL == set.TTL && set.Type != "CNAME"
	if present && !sideBySide {
		if err := s.remove(ctx, held); err != nil {
			return err
		}
		held = portfolio.RRset{}
	}
	if err := s.add(ctx, without(set, held.Data)); err != nil {
		return err
	}
	if old := without(held, set.Data); len(old.Data) > 0 {
		if err := s.remove(ctx, old); err != nil {
			return err
		}
	}
	s.is[set.Key()] = set
	return nil
}

// without gives the RRset with those of its values that aren't among others.
func without(set portfolio.RRset, others []string) portfolio.RRset {
	set.Data = slices.DeleteFunc(slices.Clone(set.Data), func(d string) bool { return slices.Contains(others, d) })
	return set
}

func (s *stepper) add(ctx context.Context, set portfolio.RRset) error {
	appender, ok := s.p.impl.(libdns.RecordAppender)
	if !ok {
		return s.lacks("add")
	}
	return s.write(ctx, appender.AppendRecords, set)
}

func (s *stepper) remove(ctx context.Context, sets ...portfolio.RRset) error {
	if len(sets) == 0 {
		return nil
	}
	deleter, ok := s.p.impl.(libdns.RecordDeleter)
	if !ok {
		return s.lacks("delete")
	}
	if err := s.write(ctx, deleter.DeleteRecords, sets...); err != nil {
		return err
	}
	for _, set := range sets {
		delete(s.is, set.Key())
	}
	return nil
}

func (s *stepper) lacks(what string) error {
	return fmt.Errorf("the type %s can't %s records", s.p.typ.Name, what)
}

func (s *stepper) write(ctx context.Context, do func(context.Context, string, []libdns.Record) ([]libdns.Record, error), sets ...portfolio.RRset) error {
	recs, err := records(s.zone, sets...)
	if err != nil || len(recs) == 0 {
		return err
	}
	_, err = request(ctx, s.p, "write", s.zone.ASCII(), func(ctx context.Context) ([]libdns.Record, error) {
		recs, err := do(ctx, s.zone.FQDN(), recs)
		if err == nil {
			err = ctx.Err() // cancelled, some tell nothing
		}
		return recs, err
	})
	return err
}
