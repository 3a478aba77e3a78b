package wire

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"domherre/check"
	"domherre/config"
	"domherre/dnsprovider"
	"domherre/dnsprovider/dnsclient"
	"domherre/portfolio"
	"domherre/tls"
)

// Evidence looks for what would make an order for a certificate fail. What
// can't be told is no evidence.
type Evidence struct {
	Config *config.Config
	Zones  *dnsprovider.Set
	Now    func() time.Time
}

// Hooks make a command's certificates wait as a daemon's do.
func (e Evidence) Hooks() CertHooks {
	checker := &check.Checker{Resolver: resolver(e.Config), Language: e.Config.Language}
	list := e.Config.Portfolio.Domains
	domains := make(map[string]*portfolio.Domain, len(list))
	for i := range list {
		domains[list[i].Name.ASCII()] = &list[i]
	}
	return CertHooks{
		Ready: func(ctx context.Context, s tls.Subject) error {
			d, ok := domains[s.Domain]
			if !ok {
				return nil
			}
			status := checker.Delegation(ctx, check.Subject{Domain: *d, Nameservers: nameserverNames(e.Config, d.Provider)})
			if err := e.Undelegated(status); err != nil {
				return err
			}
			return e.NotServed(ctx, *d)
		},
		Permits: func(ctx context.Context, s tls.Subject, id tls.CAAIdentity) error {
			if d, ok := domains[s.Domain]; ok {
				return e.Forbidden(ctx, *d, s.Names, id)
			}
			return nil
		},
	}
}

// reasons hold an order back, in the languages of the page.
var reasons = map[string]struct{ delegation, dnssec, notServed, caa string }{
	"sv": {"ingen beställning medan delegeringen är fel: ", "ingen beställning medan domänens signaturer inte stämmer: ",
		"adresserna syns inte som de ska än hos ", "%s: CAA-posterna för %s tillåter inte %s"},
	"en": {"no order while the delegation is broken: ", "no order while the domain's signatures don't hold: ",
		"the addresses are not served as wanted yet by ", "%s: the CAA records of %s don't permit %s"},
}

// Undelegated tells what the checks of a domain say against ordering.
func (e Evidence) Undelegated(status check.DomainStatus) error {
	if e.askNobody() {
		return nil
	}
	say := reasons[e.Config.Language]
	if c, ok := status.Check(check.CheckDelegation); ok && c.State == check.StateBroken {
		return errors.New(say.delegation + strings.TrimSuffix(c.Finding, "."))
	}
	if c, ok := status.Check(check.CheckDNSSEC); ok && c.State == check.StateBroken {
		return errors.New(say.dnssec + strings.TrimSuffix(c.Finding, "."))
	}
	return nil
}

// askNobody reports whether our own CA issues, which takes our word.
func (e Evidence) askNobody() bool { return e.Config.TLS.Issuers[0].Internal }

// NotServed asks each name server of a domain for the addresses of its hosts,
// and names one that answers with others. TTLs don't matter.
func (e Evidence) NotServed(ctx context.Context, d portfolio.Domain) error {
	if e.askNobody() {
		return nil
	}
	servers, err := e.Zones.Nameservers(ctx, d)
	if err != nil {
		return nil
	}
	want := HostAddresses(e.Config, d, e.Now())
	otherwise := make([]bool, len(servers))
	var asked sync.WaitGroup
	for i, ns := range servers {
		asked.Go(func() {
			otherwise[i] = slices.ContainsFunc(want, func(set portfolio.RRset) bool { return answersOtherwise(ctx, ns, d.Name, set) })
		})
	}
	asked.Wait()
	if i := slices.Index(otherwise, true); i >= 0 {
		return errors.New(reasons[e.Config.Language].notServed + servers[i].String())
	}
	return nil
}

// answersOtherwise reports whether a server answers with authority, and with
// other addresses. An alias may lead to the right ones.
func answersOtherwise(ctx context.Context, ns dnsprovider.Nameserver, zone portfolio.Name, want portfolio.RRset) bool {
	msg := authoritative(ctx, ns, zone.Host(want.Name)+".", dns.StringToType[want.Type])
	if msg == nil {
		return false
	}
	var got []string
	for _, rr := range msg.Answer {
		switch rr := rr.(type) {
		case *dns.CNAME:
			return false
		case *dns.A:
			got = append(got, rr.A.String())
		case *dns.AAAA:
			got = append(got, rr.AAAA.String())
		}
	}
	return !sameAddresses(got, want.Data)
}

func sameAddresses(a, b []string) bool {
	canonical := func(texts []string) []netip.Addr {
		addrs := make([]netip.Addr, 0, len(texts))
		for _, t := range texts {
			if addr, err := netip.ParseAddr(t); err == nil {
				addrs = append(addrs, addr.Unmap())
			}
		}
		slices.SortFunc(addrs, netip.Addr.Compare)
		return addrs
	}
	return slices.Equal(canonical(a), canonical(b))
}

// authoritative gives a server's answer, nil where it has none with authority.
func authoritative(ctx context.Context, ns dnsprovider.Nameserver, name string, qtype uint16) *dns.Msg {
	if !ns.Addr.IsValid() {
		return nil
	}
	client := dnsclient.Client{Timeout: 2 * time.Second}
	msg, err := client.Exchange(ctx, ns.Addr.String(), dnsclient.Question(name, qtype, false))
	if err != nil || !msg.Authoritative || msg.Rcode != dns.RcodeSuccess && msg.Rcode != dns.RcodeNameError {
		return nil
	}
	return msg
}

// Forbidden tells which name's CAA records keep an issuer from issuing (RFC
// 8659, sections 3 and 5). Above the domain nothing is ours to ask.
func (e Evidence) Forbidden(ctx context.Context, d portfolio.Domain, names []string, id tls.CAAIdentity) error {
	if len(id.Domains) == 0 {
		return nil
	}
	servers, err := e.Zones.Nameservers(ctx, d)
	if err != nil {
		return nil
	}
	for _, name := range names {
		host, wildcard := strings.CutPrefix(name, "*.")
		if at, set := relevantCAA(ctx, servers, host, d.Name.ASCII()); !caaPermits(set, wildcard, id) {
			return fmt.Errorf(reasons[e.Config.Language].caa, id.Issuer, unicodeOf(at), strings.Join(id.Domains, ", "))
		}
	}
	return nil
}

// relevantCAA climbs from host to the domain, until there are CAA records. An
// alias, whose target decides, or a server that doesn't tell, ends it without.
func relevantCAA(ctx context.Context, servers []dnsprovider.Nameserver, host, domain string) (at string, set []*dns.CAA) {
	for at = host; ; {
		var msg *dns.Msg
		for _, ns := range servers {
			if msg = authoritative(ctx, ns, at+".", dns.TypeCAA); msg != nil {
				break
			}
		}
		if msg == nil {
			return at, nil
		}
		for _, rr := range msg.Answer {
			if caa, ok := rr.(*dns.CAA); ok {
				set = append(set, caa)
			} else if rr.Header().Rrtype == dns.TypeCNAME {
				return at, nil
			}
		}
		_, parent, ok := strings.Cut(at, ".")
		if len(set) > 0 || at == domain || !ok {
			return at, set
		}
		at = parent
	}
}

// caaPermits reports whether a set of CAA records permits an issuer. issue
// counts for wildcards too, unless there is an issuewild.
func caaPermits(set []*dns.CAA, wildcard bool, id tls.CAAIdentity) bool {
	tag := "issue"
	if wildcard && slices.ContainsFunc(set, func(r *dns.CAA) bool { return strings.EqualFold(r.Tag, "issuewild") }) {
		tag = "issuewild"
	}
	restricted := false
	for _, r := range set {
		if !strings.EqualFold(r.Tag, tag) {
			continue
		}
		restricted = true
		if caaNames(r.Value, id) {
			return true
		}
	}
	return !restricted
}

// caaNames reports whether the value of one record means an issuer: its name,
// and if given our account and one of our methods (RFC 8657).
func caaNames(value string, id tls.CAAIdentity) bool {
	parts := strings.Split(value, ";")
	if !slices.ContainsFunc(id.Domains, func(n string) bool { return strings.EqualFold(n, strings.TrimSpace(parts[0])) }) {
		return false
	}
	for _, p := range parts[1:] {
		key, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "accounturi":
			if id.AccountURI != "" && strings.TrimSpace(v) != id.AccountURI {
				return false
			}
		case "validationmethods":
			if !slices.ContainsFunc(strings.Split(v, ","), func(m string) bool { return slices.Contains(id.Methods, strings.TrimSpace(m)) }) {
				return false
			}
		}
	}
	return true
}
