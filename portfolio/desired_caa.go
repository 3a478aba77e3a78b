package portfolio

import (
	"fmt"
	"slices"
	"strings"
)

// caa derives the CAA RRset (RFC 8659) of the apex. It names every identity of
// every issuer; where one issuer's is unknown there is no CAA at all, since it
// would lock that issuer out.
func (b *builder) caa() {
	switch b.d.DNS.CAA {
	case CAAList:
		b.caaList()
	case CAAAuto:
		if !b.f.Holder {
			b.keep = append(b.keep, Key{"@", "CAA"}) // who holds the state may know the account
		}
		b.caaAuto()
	}
}

func (b *builder) caaList() {
	set, err := NewRRset(b.d.Name, "@", "CAA", b.ttl, b.d.DNS.CAAValues)
	if err != nil {
		b.fail("dns.caa: %w", err)
		return
	}
	b.add(ClassDeclared, set.Name, set.Type, set.Data...)
}

func (b *builder) caaAuto() {
	if len(b.f.CAA) == 0 {
		return
	}
	data := []string{`0 issuemail ";"`} // RFC 9495
	wildcards := slices.Contains(b.d.DNS.Hosts, "*")
	for _, issuer := range b.f.CAA {
		if !issuer.known() {
			b.note("caa: auto leaves CAA as it is: an issuer doesn't say by which name CAA records know it, and could be locked out")
			b.keep = append(b.keep, Key{"@", "CAA"}) // it may only be out of reach just now
			return
		}
		for _, domain := range issuer.Domains {
			data = append(data, `0 issue "`+domain+issuer.parameters()+`"`)
		}
		wildcards = wildcards || slices.Contains(issuer.Methods, "dns-01")
	}
	if !wildcards {
		data = append(data, `0 issuewild ";"`)
	}
	b.add(ClassCAA, "@", "CAA", sortedSet(data)...)
}

// known reports whether the issuer's identities are there, in letters that
// stand for themselves within the quotes of a CAA value.
func (i IssuerCAA) known() bool {
	odd := func(s string) bool {
		return s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"\;`, r) })
	}
	uri := i.AccountURI != "" && odd(i.AccountURI)
	return len(i.Domains) > 0 && !slices.ContainsFunc(i.Domains, odd) && !uri && !slices.ContainsFunc(i.Methods, odd)
}

// parameters are those of RFC 8657, as far as they are known; without spaces,
// which some vendors (Loopia) refuse.
func (i IssuerCAA) parameters() string {
	var s string
	if i.AccountURI != "" {
		s += ";accounturi=" + i.AccountURI
	}
	if len(i.Methods) > 0 {
		s += fmt.Sprintf(";validationmethods=%s", strings.Join(sortedSet(slices.Clone(i.Methods)), ","))
	}
	return s
}
