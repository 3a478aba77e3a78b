package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// maxMessage leaves room below the 64 KiB of a TCP message for the signature.
const maxMessage = 64<<10 - 512

// WriteZone carries out all steps by one message, or by several in their order
// where 64 KiB don't hold them; each is refused as stale where an RRset that
// it touches isn't what it was.
func (p *Provider) WriteZone(ctx context.Context, zone string, before portfolio.Zone, steps []portfolio.Step) error {
	if before.Missing {
		return p.explain("update", zone, &dnsclient.RcodeError{Rcode: dns.RcodeNotAuth})
	}
	p.Forget(before.Name) // whatever comes of this
	return p.write(ctx, before.Name, zoneio.ContentsOf(before), zoneio.Changes(steps))
}

func (p *Provider) write(ctx context.Context, zone portfolio.Name, has zoneio.Contents, changes []zoneio.Change) error {
	m, err := update(zone, has, changes)
	if err != nil {
		return err
	}
	m.Compress = true
	if m.Len() > maxMessage && len(changes) > 1 {
		half := len(changes) / 2
		if err := p.write(ctx, zone, has, changes[:half]); err != nil {
			return err
		}
		err := p.write(ctx, zone, has, changes[half:])
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
	has.Apply(changes)
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

// update gives the message that carries out the changes, provided that the
// server has what it is thought to have.
func update(zone portfolio.Name, has zoneio.Contents, changes []zoneio.Change) (*dns.Msg, error) {
	b := &builder{zone: zone, m: new(dns.Msg)}
	b.m.SetUpdate(zone.FQDN())
	after := maps.Clone(has)
	after.Apply(changes)
	for _, change := range zoneio.Fold(changes) {
		if err := b.require(has, change.Key); err != nil {
			return nil, err
		}
		if has.Met(change) {
			continue
		}
		if _, alias := after[portfolio.Key{Name: change.Key.Name, Type: "CNAME"}]; change.Set != nil && !alias {
			b.requireNoAlias(has, change.Key)
		}
		if err := b.replace(has, change); err != nil {
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

func (b *builder) replace(has zoneio.Contents, change zoneio.Change) error {
	if change.Key == (portfolio.Key{Name: "@", Type: "NS"}) {
		return b.replaceApexNS(has[change.Key], change.Set)
	}
	if _, held := has[change.Key]; held {
		b.m.RemoveRRset([]dns.RR{b.stub(change.Key)})
	}
	if change.Set == nil {
		return nil
	}
	rrs, err := change.Set.Records(b.zone)
	b.adds = append(b.adds, rrs...)
	return err
}

// replaceApexNS adds before it removes: a server keeps the last NS of a zone,
// and ignores the deletion of all of them (RFC 2136, section 3.4.2.4).
func (b *builder) replaceApexNS(old portfolio.RRset, set *portfolio.RRset) error {
	if set == nil {
		return errors.New("a zone can't be without NS records; name the new ones instead")
	}
	rrs, err := set.Records(b.zone)
	if err != nil {
		return err
	}
	b.m.Insert(rrs)
	old.Data = slices.DeleteFunc(slices.Clone(old.Data), func(d string) bool { return slices.Contains(set.Data, d) })
	if len(old.Data) == 0 {
		return nil
	}
	gone, err := old.Records(b.zone)
	if err == nil {
		b.m.Remove(gone)
	}
	return err
}

// require makes the message depend on an RRset being as it was read.
func (b *builder) require(has zoneio.Contents, key portfolio.Key) error {
	old, held := has[key]
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
func (b *builder) requireNoAlias(has zoneio.Contents, key portfolio.Key) {
	alias := portfolio.Key{Name: key.Name, Type: "CNAME"}
	if _, held := has[alias]; !held {
		b.m.RRsetNotUsed([]dns.RR{b.stub(alias)})
	}
}

// stub names an RRset without its data.
func (b *builder) stub(key portfolio.Key) dns.RR {
	code, _ := zoneio.TypeCode(key.Type) // keys come from RRsets, whose types are known
	return &dns.ANY{Hdr: dns.RR_Header{Name: b.zone.Host(key.Name) + ".", Rrtype: code, Class: dns.ClassINET}}
}
