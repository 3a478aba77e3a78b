package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// maxMessage leaves room below the 64 KiB of a TCP message for the signature.
const maxMessage = 64<<10 - 512

// operation sets one RRset, or deletes it where set is nil.
type operation struct {
	key portfolio.Key
	set *portfolio.RRset
}

// operations gives the steps' content in their order.
func operations(steps []portfolio.Step) []operation {
	var ops []operation
	for _, step := range steps {
		for _, s := range step.Delete {
			ops = append(ops, operation{key: s.Key()})
		}
		for _, s := range step.Set {
			ops = append(ops, operation{key: s.Key(), set: &s})
		}
	}
	return ops
}

// state is the RRsets that the server is believed to have.
type state map[portfolio.Key]portfolio.RRset

func (s state) apply(ops []operation) {
	for _, op := range ops {
		if op.set == nil {
			delete(s, op.key)
		} else {
			s[op.key] = *op.set
		}
	}
}

// WriteZone carries out all steps by one message, or by several in their order
// where 64 KiB don't hold them; each is refused as stale where an RRset that
// it touches isn't what it was.
func (p *Provider) WriteZone(ctx context.Context, zone string, before portfolio.Zone, steps []portfolio.Step) error {
	if before.Missing {
		return p.explain("update", zone, &dnsclient.RcodeError{Rcode: dns.RcodeNotAuth})
	}
	p.Forget(before.Name) // whatever comes of this
	has := make(state, len(before.RRsets))
	for _, s := range before.RRsets {
		has[s.Key()] = s
	}
	return p.write(ctx, before.Name, has, operations(steps))
}

func (p *Provider) write(ctx context.Context, zone portfolio.Name, has state, ops []operation) error {
	m, err := update(zone, has, ops)
	if err != nil {
		return err
	}
	m.Compress = true
	if m.Len() > maxMessage && len(ops) > 1 {
		half := len(ops) / 2
		if err := p.write(ctx, zone, has, ops[:half]); err != nil {
			return err
		}
		err := p.write(ctx, zone, has, ops[half:])
		if errors.Is(err, portfolio.ErrStale) { // which promises that nothing was written
			err = zoneio.As(zoneio.Temporary, fmt.Errorf("the zone %s was changed by others between two messages", zone))
		}
		return err
	}
	if len(m.Ns) > 0 {
		if err := p.send(ctx, m); err != nil {
			return err
		}
	}
	has.apply(ops)
	return nil
}

// send sends an UPDATE over TCP, once: whether one that got no answer was
// carried out, only reading the zone tells.
func (p *Provider) send(ctx context.Context, m *dns.Msg) error {
	zone := m.Question[0].Name
	answer, err := p.client.ExchangeTCP(ctx, p.server, m)
	if err == nil && answer.Rcode != dns.RcodeSuccess {
		err = &dnsclient.RcodeError{Rcode: answer.Rcode, Signed: answer.IsTsig() != nil}
	}
	return p.explain("update", zone, err)
}

// update gives the message that turns what the server has into what the
// operations ask, provided that it has that.
func update(zone portfolio.Name, has state, ops []operation) (*dns.Msg, error) {
	after := make(state)
	after.apply(ops) // the last word on each RRset
	b := &builder{zone: zone, m: new(dns.Msg)}
	b.m.SetUpdate(zone.FQDN())
	done := make(map[portfolio.Key]bool)
	for _, op := range ops {
		if done[op.key] {
			continue
		}
		done[op.key] = true
		old, held := has[op.key]
		set, wanted := after[op.key]
		if err := b.require(op.key, old, held); err != nil {
			return nil, err
		}
		if held == wanted && old.TTL == set.TTL && slices.Equal(old.Data, set.Data) {
			continue
		}
		if wanted {
			b.requireNoAlias(has, after, op.key)
		}
		if err := b.replace(op.key, old, held, set, wanted); err != nil {
			return nil, err
		}
	}
	// Deletes first: a server ignores an A that stands beside a CNAME, without
	// a word (RFC 2136, section 3.4.2.2).
	b.m.Insert(b.adds)
	return b.m, nil
}

// builder collects an UPDATE.
type builder struct {
	zone portfolio.Name
	m    *dns.Msg
	adds []dns.RR // go behind all deletes
}

func (b *builder) replace(key portfolio.Key, old portfolio.RRset, held bool, set portfolio.RRset, wanted bool) error {
	if key == (portfolio.Key{Name: "@", Type: "NS"}) {
		return b.replaceApexNS(old, held, set, wanted)
	}
	if held {
		b.m.RemoveRRset([]dns.RR{b.stub(key)})
	}
	if !wanted {
		return nil
	}
	rrs, err := set.Records(b.zone)
	b.adds = append(b.adds, rrs...)
	return err
}

// replaceApexNS adds before it removes: a server keeps the last NS of a zone,
// and ignores the deletion of all of them (RFC 2136, section 3.4.2.4).
func (b *builder) replaceApexNS(old portfolio.RRset, held bool, set portfolio.RRset, wanted bool) error {
	if !wanted {
		return errors.New("a zone can't be without NS records; name the new ones instead")
	}
	rrs, err := set.Records(b.zone)
	if err != nil {
		return err
	}
	b.m.Insert(rrs)
	if !held {
		return nil
	}
	gone, err := old.Records(b.zone)
	if err != nil {
		return err
	}
	for _, rr := range gone {
		stays := slices.ContainsFunc(rrs, func(kept dns.RR) bool { return dns.IsDuplicate(kept, rr) })
		if !stays {
			b.m.Remove([]dns.RR{rr})
		}
	}
	return nil
}

// require makes the message depend on an RRset being as it was read.
func (b *builder) require(key portfolio.Key, old portfolio.RRset, held bool) error {
	if !held {
		b.m.RRsetNotUsed([]dns.RR{b.stub(key)})
		return nil
	}
	rrs, err := old.Records(b.zone)
	if err == nil {
		b.m.Used(rrs)
	}
	return err
}

// requireNoAlias makes the message fail rather than be ignored in part, where
// a CNAME has come to a name since it was read.
func (b *builder) requireNoAlias(has, after state, key portfolio.Key) {
	alias := portfolio.Key{Name: key.Name, Type: "CNAME"}
	_, held := has[alias]
	_, wanted := after[alias]
	if !held && !wanted {
		b.m.RRsetNotUsed([]dns.RR{b.stub(alias)})
	}
}

// stub names an RRset without its data.
func (b *builder) stub(key portfolio.Key) dns.RR {
	code, _ := zoneio.TypeCode(key.Type) // keys come from RRsets, whose types are known
	return &dns.ANY{Hdr: dns.RR_Header{Name: b.zone.Host(key.Name) + ".", Rrtype: code, Class: dns.ClassINET}}
}
