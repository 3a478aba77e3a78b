package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"domherre/portfolio"
)

const (
	challengeTTL = 60 // seconds
	// propagation is how long the authoritative servers are given to serve a
	// challenge where the caller sets no limit.
	propagation = 2 * time.Minute
	aliasHops   = 8
)

// place is where a challenge is put.
type place struct {
	p     *provider
	zone  portfolio.Name
	owner string // relative to zone
}

// Present puts a dns-01 challenge (RFC 8555, section 8.4) at fqdn, an absolute
// name such as "_acme-challenge.kopasex.se.", beside other values there. Where
// that name is an alias, it goes where the alias leads, if the zone there is
// one of ours too.
func (s *Set) Present(ctx context.Context, fqdn, value string) error {
	if err := s.note(ctx, fqdn, value); err != nil {
		return err
	}
	return s.challenge(ctx, fqdn, "put the challenge", func(at place, now portfolio.Zone) (portfolio.Step, error) {
		held, _ := now.Find(portfolio.Key{Name: at.owner, Type: "TXT"})
		data := append(slices.Clone(held.Data), value)
		set, err := portfolio.NewRRset(at.zone, at.owner, "TXT", challengeTTL, data)
		return portfolio.Step{Set: []portfolio.RRset{set}}, err
	})
}

// CleanUp removes what Present put, and nothing else. It is no error where
// nothing is there.
func (s *Set) CleanUp(ctx context.Context, fqdn, value string) error {
	err := s.challenge(ctx, fqdn, "remove the challenge", func(at place, now portfolio.Zone) (portfolio.Step, error) {
		held, ok := now.Find(portfolio.Key{Name: at.owner, Type: "TXT"})
		if !ok || !slices.Contains(held.Data, value) {
			return portfolio.Step{}, nil
		}
		rest := slices.DeleteFunc(slices.Clone(held.Data), func(d string) bool { return d == value })
		if len(rest) == 0 {
			return portfolio.Step{Delete: []portfolio.RRset{held}}, nil
		}
		set, err := portfolio.NewRRset(at.zone, at.owner, "TXT", held.TTL, rest)
		return portfolio.Step{Set: []portfolio.RRset{set}}, err
	})
	if err == nil {
		s.removed(ctx, fqdn, value)
	}
	return err
}

func (s *Set) challenge(ctx context.Context, fqdn, what string, change func(place, portfolio.Zone) (portfolio.Step, error)) error {
	at, err := s.find(ctx, fqdn)
	if err != nil {
		return err
	}
	var failure error
	_, err = at.p.write(ctx, at.zone, nil, func(now portfolio.Zone) (*portfolio.Zone, []portfolio.Step) {
		var step portfolio.Step
		step, failure = change(at, now)
		if failure != nil {
			return nil, nil
		}
		return nil, []portfolio.Step{step}
	})
	return at.p.explain(at.zone, what, errors.Join(err, failure))
}

// Wait returns once every authoritative server serves the challenge, or with
// what is amiss when time is up: that of ctx, or two minutes.
func (s *Set) Wait(ctx context.Context, fqdn, value string) error {
	at, err := s.find(ctx, fqdn)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, propagation)
	defer cancel()
	servers, err := s.Nameservers(ctx, portfolio.Domain{Name: at.zone, Provider: at.p.cfg.Name})
	if err != nil {
		return err
	}
	host := at.zone.Host(at.owner) + "."
	amiss := ""
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		now := missingAt(ctx, servers, at.zone, host, value)
		if now == "" {
			return nil
		}
		if amiss == "" || ctx.Err() == nil { // else cut off by us: the look before tells more
			amiss = now
		}
		if waitFor(ctx, nil, pause) != nil {
			return at.p.explain(at.zone, "wait for the challenge", errors.New(amiss))
		}
	}
}

// missingAt names the servers that don't serve the value yet.
func missingAt(ctx context.Context, servers []Nameserver, zone portfolio.Name, host, value string) string {
	noRoute := make([]bool, len(servers))
	answers := make([]portfolio.ServerAnswer, len(servers))
	var wg sync.WaitGroup
	for i, ns := range servers {
		wg.Go(func() {
			answers[i], noRoute[i] = verifyAt(ctx, ns, zone, nil)
			if answers[i].Err != "" {
				return
			}
			a := asker{server: ns.Addr.String(), zone: zone}
			msg, err := a.ask(ctx, host, dns.TypeTXT)
			if err != nil || !serves(zone, msg, value) {
				answers[i].Wrong = []string{"it does not serve the value yet"}
			}
		})
	}
	wg.Wait()
	var amiss []string
	for _, a := range reachable(servers, answers, noRoute) {
		if a.Err != "" {
			amiss = append(amiss, a.Server+": "+a.Err)
		} else if len(a.Wrong) > 0 {
			amiss = append(amiss, a.Server+": "+a.Wrong[0])
		}
	}
	return strings.Join(amiss, "; ")
}

func serves(zone portfolio.Name, msg *dns.Msg, value string) bool {
	sets, err := portfolio.RRsetsOf(zone, msg.Answer)
	return err == nil && slices.ContainsFunc(sets, func(s portfolio.RRset) bool {
		return s.Type == "TXT" && slices.Contains(s.Data, value)
	})
}

// find gives where a challenge for fqdn goes, following aliases from zone to
// zone.
func (s *Set) find(ctx context.Context, fqdn string) (place, error) {
	name := strings.TrimSuffix(dns.CanonicalName(fqdn), ".")
	for range aliasHops {
		at, now, err := s.holder(ctx, name)
		if err != nil {
			if start := strings.TrimSuffix(dns.CanonicalName(fqdn), "."); start != name {
				err = fmt.Errorf("%s is an alias of %s: %w", start, name, err)
			}
			return place{}, err
		}
		alias, ok := now.Find(portfolio.Key{Name: at.owner, Type: "CNAME"})
		if !ok {
			return at, nil
		}
		name = strings.TrimSuffix(alias.Data[0], ".")
	}
	return place{}, fmt.Errorf("%s leads from alias to alias without an end; remove its CNAME", fqdn)
}
