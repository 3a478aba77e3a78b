package config

import (
	"fmt"
	"slices"
	"strings"

	"domherre/portfolio"
)

// finish checks what the main file says as a whole, and fills in what follows
// from other keys.
func (l *loader) finish() {
	c := l.config
	l.need("campaign", "campaign: and a name that people know")
	if !l.isSet("domains") {
		l.need("domains", "domains: [domains.yaml]")
	} else if len(l.files) == 0 && l.at("domains").isEmptyList() {
		l.at("domains").fault("names no file", "write domains: [domains.yaml]")
	}
	if c.Portfolio.ID == "" && c.Campaign != "" {
		if c.Portfolio.ID = slug(c.Campaign); c.Portfolio.ID == "" && !l.isSet("portfolio") {
			l.at("portfolio").fault("is missing, and campaign has no letters to make it of", "write portfolio: and a word of a–z, 0–9 and hyphens")
		}
	}
	c.Portfolio.Campaign = c.Campaign
	c.Portfolio.MaxDelete = c.Reconcile.MaxDelete
	if len(c.Providers) == 0 && !l.isSet("providers") {
		c.Providers = []Provider{{Name: Embedded, Type: Embedded, Settings: Settings{}}}
		c.Providers[0].checkNameservers(l.at("providers"))
	} else if len(c.Providers) == 0 {
		l.at("providers").fault("names no provider", "write one, or leave providers: out for the embedded name server")
	}
	l.checkIssuers()
	if c.Listen.Admin != "" && !isLoopback(c.Listen.Admin) && c.Admin.Token.IsZero() {
		l.at("listen.admin").fault("listens beyond this machine without admin.token", "write admin: {token: ${env:ADMIN_TOKEN}}, or listen on 127.0.0.1")
	}
	if v, ok := l.written["listen.http3"]; ok && l.isSet("listen.http3") && c.Listen.HTTP3 && c.Listen.HTTPS == "" {
		v.fault("HTTP/3 needs listen.https", "")
	}
	c.DNS = l.dns.DNSSettings
}

func (v value) isEmptyList() bool { return len(v.node.Content) == 0 && (v.node.Kind != 0) }

// build makes the portfolio of the entries, with the defaults merged in.
func (l *loader) build() {
	l.config.Portfolio.Domains = make([]portfolio.Domain, 0, len(l.entries))
	var astray []*entry
	for _, e := range l.entries {
		d := l.domain(e)
		if _, own := e.says("frontend"); d.Frontend == "" && !own && !l.isSet("frontend") {
			astray = append(astray, e)
		}
		l.config.Portfolio.Domains = append(l.config.Portfolio.Domains, d)
	}
	if len(astray) > 0 {
		l.at("frontend").fault(fmt.Sprintf("is missing, and %s no own", andOthers(astray)), "write frontend: https://…, here for all or at each domain")
	}
	l.checkLoops()
	l.checkFit()
}

// domain checks one entry against the rest of the configuration.
func (l *loader) domain(e *entry) portfolio.Domain {
	c := l.config
	d := portfolio.Domain{
		Name: e.parsed, Provider: e.provider, Frontend: e.frontend, Redirect: e.redirect,
		Paused: e.paused, Launch: e.launch, Note: e.note, Owner: e.owner, Tags: e.tags,
		Added: e.added, Registrar: e.registrar, Expires: e.expires,
		Source: portfolio.Source{File: e.at.doc.file, Line: e.at.node.Line, Column: e.at.node.Column},
	}
	if d.Frontend == "" {
		d.Frontend = c.Frontend
	}
	if d.Provider == "" && len(c.Providers) > 0 {
		d.Provider = c.Providers[0].Name
	} else if v, ok := e.says("provider"); ok && !slices.Contains(providerNames(c.Providers), d.Provider) {
		v.fault(fmt.Sprintf("there is no provider %s", d.Provider), didYouMean(d.Provider, providerNames(c.Providers)))
	}
	d.DNS = l.zone(e)
	l.checkRecords(e, &d)
	return d
}

func providerNames(ps []Provider) []string {
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = p.Name
	}
	return out
}

// andOthers gives "kopasex.se has" or "kopasex.se and 49 others have".
func andOthers(es []*entry) string {
	switch n := len(es) - 1; n {
	case 0:
		return es[0].parsed.String() + " has"
	case 1:
		return fmt.Sprintf("%s and one other have", es[0].parsed)
	default:
		return fmt.Sprintf("%s and %d others have", es[0].parsed, n)
	}
}

// zone gives the entry's dns settings: its records added to the common ones,
// its hosts and addresses in their place.
func (l *loader) zone(e *entry) portfolio.DNSSettings {
	d := e.dns.DNSSettings
	_, d.MailExplicit = e.says("dns.mail")
	if _, own := e.says("dns.ignore"); own {
		d.Ignore = append(slices.Clone(l.dns.Ignore), d.Ignore...)
		slices.Sort(d.Ignore)
		d.Ignore = slices.Compact(d.Ignore)
	}
	l.checkAddresses(e, d)
	d.Records = l.records(e)
	if _, own := e.says("dns.caa"); own || len(e.dns.caa) > 0 {
		e.dns.checkCAA(e.parsed)
		d.CAAValues = e.dns.CAAValues
	}
	l.checkHosts(e, d.Hosts)
	return d
}

// checkAddresses tells where hosts would have none.
func (l *loader) checkAddresses(e *entry, d portfolio.DNSSettings) {
	if len(d.Hosts) == 0 || len(d.Addresses) > 0 {
		return
	}
	at, own := e.says("dns.addresses")
	if !own {
		at = l.at("dns.addresses")
	}
	const hint = "write the addresses where visitors reach the redirector: dns: {addresses: [192.0.2.10]}"
	switch {
	case !own && !l.isSet("dns.addresses"):
		at.fault("is missing", hint)
	case at.isEmptyList():
		at.fault("names none, and hosts lead there", hint)
	}
}

// checkRecords tells of declared records that no zone can hold together.
func (l *loader) checkRecords(e *entry, d *portfolio.Domain) {
	if len(d.DNS.Records) == 0 {
		return
	}
	alone := *d
	alone.DNS.CAA = portfolio.CAANone // its own faults are told elsewhere
	err := portfolio.Desire(&alone, portfolio.Facts{}, d.Launch).Err
	if err == nil {
		return
	}
	at, own := e.says("dns.records")
	switch {
	case own:
		at.fault(err.Error(), "")
	case !l.clash: // one domain tells of all
		l.at("dns.records").fault(err.Error(), "")
		l.clash = true
	}
}

// records are the entry's own and those of the main file, unless the entry
// has the same name and type.
func (l *loader) records(e *entry) []portfolio.RRset {
	common := l.dns
	common.TTL = e.dns.TTL
	sets := common.rrsets(e.parsed)
	if _, own := e.says("dns.records"); own {
		mine := e.dns.rrsets(e.parsed)
		sets = slices.DeleteFunc(sets, func(s portfolio.RRset) bool {
			return slices.ContainsFunc(mine, func(m portfolio.RRset) bool { return m.Key() == s.Key() })
		})
		sets = append(sets, mine...)
	}
	portfolio.SortRRsets(sets)
	return sets
}

// checkHosts checks the hosts of one domain.
func (l *loader) checkHosts(e *entry, hosts []string) {
	at := e.at
	if v, own := e.says("dns.hosts"); own {
		at = v
	}
	for _, h := range hosts {
		if _, below := e.parsed.Relative(h); below {
			at.fault(fmt.Sprintf("%s is written with its domain", h), "write names relative to the domain")
		} else if len(e.parsed.Host(h)) > 253 {
			at.fault(fmt.Sprintf("%s is longer than a name can be", e.parsed.Host(h)), "")
		}
		if strings.HasPrefix(h, "*") && !l.config.TLS.canWildcard() {
			at.fault(fmt.Sprintf("%s of %s needs a wildcard certificate, which no issuer can give", h, e.parsed), "write challenge: dns-01 at an issuer in domherre.yaml, or leave the star out")
		}
	}
}
