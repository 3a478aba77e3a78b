package check

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/miekg/dns"

	"domherre/portfolio"
)

// mail checks that a domain without mail says so, as resolvers see it: a null
// MX (RFC 7505), SPF that allows nobody (RFC 7208), DMARC that rejects.
func (r run) mail(ctx context.Context) []verdict {
	if r.s.Domain.DNS.Mail == portfolio.MailKeep {
		return []verdict{{CheckMail, StateOK, mailKept, nil}}
	}
	domain := r.s.Domain.Name.FQDN()
	mx, noMX := r.ask(ctx, domain, dns.TypeMX)
	spf, noSPF := r.ask(ctx, domain, dns.TypeTXT)
	dmarc, noDMARC := r.ask(ctx, "_dmarc."+domain, dns.TypeTXT)
	if err := cmp.Or(noMX, noSPF, noDMARC); err != nil {
		return []verdict{{CheckMail, StateUnknown, mailUnseen, words{"reason": err}}}
	}
	return []verdict{lock(mx, spf, dmarc)}
}

// ask looks records up; that there are none is no error.
func (r run) ask(ctx context.Context, name string, qtype uint16) ([]dns.RR, error) {
	answer, err := r.c.Resolver.Lookup(ctx, name, qtype)
	switch {
	case err != nil:
		return nil, err
	case answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError:
		return nil, errors.New(dns.RcodeToString[answer.Rcode])
	}
	return answer.Records, nil
}

// lock judges the three records that keep a domain from being used for mail.
func lock(mx, spf, dmarc []dns.RR) verdict {
	var missing, servers []string
	null := false
	for _, rr := range mx {
		if m, ok := rr.(*dns.MX); ok && m.Mx == "." {
			null = true
		} else if ok {
			servers = append(servers, bare(m.Mx))
		}
	}
	if len(servers) > 0 {
		return verdict{CheckMail, StateWarning, mailElsewhere, words{"seen": listNames(servers)}}
	}
	if !null {
		missing = append(missing, "MX")
	}
	if !hasPolicy(spf, "v=spf1", "-all") {
		missing = append(missing, "SPF")
	}
	if !hasPolicy(dmarc, "v=dmarc1", "p=reject") {
		missing = append(missing, "DMARC")
	}
	if len(missing) > 0 {
		return verdict{CheckMail, StateWarning, mailOpen, words{"missing": strings.Join(missing, ", ")}}
	}
	return verdict{CheckMail, StateOK, mailLocked, nil}
}

// afterDelegation takes the blame from a lock that our name servers hold but
// nobody is sent to: there is nothing to do about it but the delegation.
func afterDelegation(mail, delegation verdict) verdict {
	if mail.say == mailOpen && delegation.state == StateBroken {
		return verdict{CheckMail, StateWaiting, mailWaits, nil}
	}
	return mail
}

// hasPolicy looks for a TXT record of a version that holds a term.
func hasPolicy(txt []dns.RR, version, term string) bool {
	for _, rr := range txt {
		t, ok := rr.(*dns.TXT)
		if !ok {
			continue
		}
		fields := strings.FieldsFunc(strings.ToLower(strings.Join(t.Txt, "")), func(c rune) bool {
			return c == ' ' || c == ';'
		})
		if len(fields) > 0 && fields[0] == version {
			for _, f := range fields[1:] {
				if f == term {
					return true
				}
			}
		}
	}
	return false
}
