package dnsprovider

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"domherre/portfolio"
)

// cutsOf gives the names below zone that want delegates.
func cutsOf(zone portfolio.Name, want []portfolio.RRset) map[string]bool {
	cuts := map[string]bool{}
	for _, s := range want {
		if s.Type == "NS" && s.Name != "@" {
			cuts[dns.CanonicalName(zone.Host(s.Name)+".")] = true
		}
	}
	return cuts
}

// cutOf gives the name below zone that a referral (RFC 1034, section 4.3.1)
// leads away from; empty where msg is none.
func cutOf(zone portfolio.Name, msg *dns.Msg) string {
	if msg.Rcode != dns.RcodeSuccess || len(msg.Answer) > 0 {
		return ""
	}
	for _, rr := range msg.Ns {
		owner := dns.CanonicalName(rr.Header().Name)
		if rr.Header().Rrtype == dns.TypeNS && strings.HasSuffix(owner, "."+zone.FQDN()) {
			return owner
		}
	}
	return ""
}

// compareCut compares what is wanted with a referral. Where the cut is wanted
// itself, its NS RRset is what the referral names, and what is wanted below, as
// addresses of name servers are, isn't for this server to answer.
func (a *asker) compareCut(msg *dns.Msg, want portfolio.RRset, about string) string {
	cut := cutOf(a.zone, msg)
	host := dns.CanonicalName(a.zone.Host(want.Name) + ".")
	switch {
	case !a.cuts[cut]:
		return fmt.Sprintf("%s is out of reach: %s is delegated to others", about, strings.TrimSuffix(cut, "."))
	case want.Type == "NS" && host == cut:
		return a.compareAnswer(msg.Ns, host, want, about)
	}
	return ""
}
