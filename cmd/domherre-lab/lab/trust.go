package lab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// bogusError is a failed DNSSEC check of a zone.
type bogusError struct{ zone string }

func (e *bogusError) Error() string {
	return fmt.Sprintf("no DNSKEY of %s fits its DS records", e.zone)
}

// trust checks that one of a signed zone's keys fits its DS records, the step
// of DNSSEC validation that a wrong delegation breaks. Signatures aren't
// checked, so the resolver never claims that data are authentic.
func (it *iteration) trust(ctx context.Context, zone string, authority []dns.RR, servers []netip.AddrPort) error {
	var wanted []*dns.DS
	for _, rr := range authority {
		if ds, ok := rr.(*dns.DS); ok && strings.EqualFold(ds.Hdr.Name, zone) {
			wanted = append(wanted, ds)
		}
	}
	if len(wanted) == 0 || it.unchecked {
		return nil
	}
	msg, err := askAny(ctx, servers, zone, dns.TypeDNSKEY)
	if err != nil {
		return fmt.Errorf("%s: keys: %w", zone, err)
	}
	for _, rr := range msg.Answer {
		key, ok := rr.(*dns.DNSKEY)
		if ok && slices.ContainsFunc(wanted, func(ds *dns.DS) bool { return fits(key, ds) }) {
			return nil
		}
	}
	return &bogusError{zone}
}

func fits(key *dns.DNSKEY, ds *dns.DS) bool {
	made := key.ToDS(ds.DigestType)
	return made != nil && made.KeyTag == ds.KeyTag && made.Algorithm == ds.Algorithm &&
		strings.EqualFold(made.Digest, ds.Digest)
}
