package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// catalog is the catalog zone (RFC 9432): a list of all zones, by which
// secondaries set themselves up. It is served to them alone, since it tells of
// domains that nobody has heard of yet.
type catalog struct {
	apex string // "" where none is wanted
	slot slot   // its place among the zones

	mu      sync.Mutex
	serial  uint32
	members map[string]bool // zones' names, absolute
}

// catalogName gives the name of a catalog zone, absolute; it need not exist in
// the world.
func catalogName(text string) (string, error) {
	if _, ok := dns.IsDomainName(text); !ok || !ascii(text) || dns.CountLabel(text) == 0 {
		return "", fmt.Errorf("%q is no name of a zone; write one like catalog.example.net", text)
	}
	return dns.CanonicalName(text), nil
}

// set enters or takes out a zone, and reports whether that changed anything.
func (c *catalog) set(apex string, there bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.members[apex] == there {
		return false
	}
	if there {
		c.members[apex] = true
	} else {
		delete(c.members, apex)
	}
	c.publish()
	return true
}

// publish makes the zone anew; the caller holds the lock.
func (c *catalog) publish() {
	c.serial = nextSerial(c.serial, time.Now())
	c.slot.zone.Store(c.zone())
	c.slot.state.Store(served)
}

// zone is the catalog as it is served.
func (c *catalog) zone() *zone {
	const nobody = "invalid." // it is never asked for by its name servers
	z := &zone{apex: c.apex, labels: dns.CountLabel(c.apex), serial: c.serial, nodes: map[string]*node{}}
	header := func(owner string, rrtype uint16) dns.RR_Header {
		return dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: soaTTL}
	}
	z.soa = &dns.SOA{
		Hdr: header(c.apex, dns.TypeSOA), Ns: nobody, Mbox: nobody, Serial: c.serial,
		Refresh: soaRefresh, Retry: soaRetry, Expire: soaExpire, Minttl: soaMinimum,
	}
	z.negative = dns.Copy(z.soa).(*dns.SOA)
	z.negative.Hdr.Ttl = soaMinimum
	z.add([]dns.RR{&dns.NS{Hdr: header(c.apex, dns.TypeNS), Ns: nobody}})
	z.add([]dns.RR{&dns.TXT{Hdr: header("version."+c.apex, dns.TypeTXT), Txt: []string{"2"}}})
	for _, member := range slices.Sorted(maps.Keys(c.members)) {
		id := sha256.Sum256([]byte(member))
		owner := hex.EncodeToString(id[:10]) + ".zones." + c.apex
		z.add([]dns.RR{&dns.PTR{Hdr: header(owner, dns.TypePTR), Ptr: member}})
	}
	z.add([]dns.RR{z.soa})
	z.rrs = z.rrs[:len(z.rrs)-1] // transfers put the SOA around the rest
	return z
}

// startCatalog lists the zones that there are.
func (s *Server) startCatalog() {
	s.catalog.apex = s.secondaries.Catalog
	if s.catalog.apex == "" {
		return
	}
	s.catalog.members = map[string]bool{}
	s.zones.Range(func(apex, _ any) bool {
		s.catalog.members[apex.(string)] = true
		return true
	})
	s.catalog.publish()
	s.zones.Store(s.catalog.apex, &s.catalog.slot)
	s.announce(s.catalog.apex)
}

// list brings the catalog in line with a zone that came or went.
func (s *Server) list(apex string, sl *slot) {
	if s.catalog.apex != "" && s.catalog.set(apex, sl.state.Load() != gone) {
		s.announce(s.catalog.apex)
	}
}
