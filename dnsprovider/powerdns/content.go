package powerdns

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"domherre/dnsprovider/zoneio"
)

// content gives RDATA in the one form that the server takes: of SVCB, HTTPS and
// LOC records, its API refuses any but its own spelling.
func content(rr dns.RR) string {
	var svcb *dns.SVCB
	switch rr := rr.(type) {
	case *dns.SVCB:
		svcb = rr
	case *dns.HTTPS:
		svcb = &rr.SVCB
	case *dns.LOC:
		return location(rr)
	default:
		return zoneio.Presentation(rr)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", svcb.Priority, svcb.Target)
	for _, kv := range svcb.Value {
		b.WriteString(" " + parameter(kv))
	}
	return b.String()
}

func parameter(kv dns.SVCBKeyValue) string {
	switch kv.Key() {
	case dns.SVCB_NO_DEFAULT_ALPN:
		return kv.Key().String()
	case dns.SVCB_MANDATORY, dns.SVCB_ALPN, dns.SVCB_PORT, dns.SVCB_IPV4HINT, dns.SVCB_IPV6HINT:
		return kv.Key().String() + "=" + kv.String()
	case dns.SVCB_ECHCONFIG:
		return kv.Key().String() + `="` + kv.String() + `"`
	}
	// PowerDNS 4.7 knows no later keys by name.
	return fmt.Sprintf(`key%d="%s"`, kv.Key(), kv.String())
}

// location spells a LOC record (RFC 1876) as the server does.
func location(rr *dns.LOC) string {
	return fmt.Sprintf("%s %s %s %s %s %s", angle(rr.Latitude, 'N', 'S'), angle(rr.Longitude, 'E', 'W'),
		metres(int64(rr.Altitude)-100_000_00), span(rr.Size), span(rr.HorizPre), span(rr.VertPre))
}

// angle spells thousandths of a second of arc, counted from 2^31.
func angle(v uint32, above, below rune) string {
	towards, n := above, int64(v)-dns.LOC_EQUATOR
	if n <= 0 { // the equator is south to it, Greenwich west
		towards, n = below, -n
	}
	return fmt.Sprintf("%d %d %d.%03d %c", n/dns.LOC_DEGREES, n%dns.LOC_DEGREES/dns.LOC_HOURS, n%dns.LOC_HOURS/1000, n%1000, towards)
}

// span spells a length that is written as a digit and a power of ten, in
// centimetres.
func span(v uint8) string {
	n := int64(v >> 4)
	for range v & 0x0f {
		n *= 10
	}
	return metres(n)
}

func metres(centimetres int64) string { return fmt.Sprintf("%.2fm", float64(centimetres)/100) }
