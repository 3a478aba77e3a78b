package powerdns

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"domherre/dnsprovider/zoneio"
)

// content gives RDATA in the one form that the server takes: of SVCB and HTTPS
// records, its API refuses any but its own spelling.
func content(rr dns.RR) string {
	var svcb *dns.SVCB
	switch rr := rr.(type) {
	case *dns.SVCB:
		svcb = rr
	case *dns.HTTPS:
		svcb = &rr.SVCB
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
