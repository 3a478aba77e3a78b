package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"domherre/portfolio"
)

// lagging is how long some servers may serve an older zone before it counts as
// a fault: secondaries usually follow within the SOA's refresh time.
const lagging = time.Hour

// dns checks the delegation and DNSSEC, which share their look-ups.
func (r run) dns(ctx context.Context) []verdict {
	answer, err := r.c.Resolver.Lookup(ctx, r.s.Domain.Name.FQDN(), dns.TypeNS)
	if err != nil {
		return []verdict{
			{CheckDelegation, StateUnknown, resolversSilent, words{"reason": err}},
			{CheckDNSSEC, StateUnknown, resolversSilent, words{"reason": err}},
		}
	}
	if answer.Rcode == dns.RcodeServerFailure {
		return r.servfail(ctx, answer)
	}
	return []verdict{r.delegation(answer), r.dnssec(ctx, answer)}
}

// servfail tells a zone that fails DNSSEC from one that nobody serves.
func (r run) servfail(ctx context.Context, failed Answer) []verdict {
	answer, err := r.c.Resolver.LookupUnchecked(ctx, r.s.Domain.Name.FQDN(), dns.TypeNS)
	if err == nil && answer.Rcode == dns.RcodeSuccess && len(answer.Records) > 0 {
		return []verdict{
			r.delegation(answer),
			{CheckDNSSEC, StateBroken, bogus, words{"reason": because(failed.Extended)}},
		}
	}
	return []verdict{
		{CheckDelegation, StateBroken, lame, words{"reason": because(failed.Extended)}},
		{CheckDNSSEC, StateUnknown, dnssecUnseen, nil},
	}
}

// delegation compares the name servers that the world sees with ours.
func (r run) delegation(answer Answer) verdict {
	if answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError {
		return verdict{CheckDelegation, StateUnknown, resolversSilent, words{"reason": dns.RcodeToString[answer.Rcode]}}
	}
	var seen []string
	for _, rr := range answer.Records {
		if ns, ok := rr.(*dns.NS); ok {
			seen = append(seen, bare(ns.Ns))
		}
	}
	slices.Sort(seen)
	if len(seen) == 0 {
		return verdict{CheckDelegation, StateBroken, notDelegated, nil}
	}
	with := words{"seen": listNames(seen)}
	if len(r.s.Nameservers) == 0 {
		return verdict{CheckDelegation, StateOK, delegated, with}
	}
	missing, foreign := compare(r.s.Nameservers, seen)
	switch {
	case len(missing) == len(r.s.Nameservers):
		return verdict{CheckDelegation, StateBroken, delegatedElsewhere, with}
	case len(foreign) > 0:
		with["foreign"] = listNames(foreign)
		return verdict{CheckDelegation, StateWarning, delegatedAlso, with}
	case len(missing) > 0:
		with["missing"] = listNames(missing)
		return verdict{CheckDelegation, StateWarning, delegatedPartly, with}
	}
	return verdict{CheckDelegation, StateOK, delegated, with}
}

// compare gives what is wanted and unseen, and what is seen and unwanted.
func compare(wanted, seen []string) (missing, foreign []string) {
	for _, name := range wanted {
		if !slices.Contains(seen, bare(name)) {
			missing = append(missing, bare(name))
		}
	}
	for _, name := range seen {
		if !slices.ContainsFunc(wanted, func(w string) bool { return bare(w) == name }) {
			foreign = append(foreign, name)
		}
	}
	return missing, foreign
}

// dnssec looks at a domain that resolves: signed and validated, or unsigned.
func (r run) dnssec(ctx context.Context, seen Answer) verdict {
	if seen.Rcode != dns.RcodeSuccess {
		return verdict{CheckDNSSEC, StateUnknown, dnssecUnseen, nil}
	}
	answer, err := r.c.Resolver.Lookup(ctx, r.s.Domain.Name.FQDN(), dns.TypeDS)
	switch {
	case err != nil:
		return verdict{CheckDNSSEC, StateUnknown, resolversSilent, words{"reason": err}}
	case answer.Rcode != dns.RcodeSuccess:
		return verdict{CheckDNSSEC, StateUnknown, resolversSilent, words{"reason": dns.RcodeToString[answer.Rcode]}}
	case len(answer.Records) == 0:
		return verdict{CheckDNSSEC, StateOK, unsigned, nil}
	case seen.Authentic:
		return verdict{CheckDNSSEC, StateOK, signed, nil}
	}
	return verdict{CheckDNSSEC, StateUnknown, notValidating, nil}
}

// records asks every authoritative server for what is desired.
func (r run) records(ctx context.Context) []verdict {
	if r.s.Records == nil {
		return []verdict{{CheckRecords, StateWaiting, notSeenYet, nil}}
	}
	if len(r.s.Records) == 0 {
		return []verdict{{CheckRecords, StateOK, nothingWanted, nil}}
	}
	served := r.c.Verify(ctx, r.s.Domain, r.s.Records)
	return []verdict{r.served(served)}
}

func (r run) served(served portfolio.Served) verdict {
	var right, silent, wrong []string
	firstWrong, firstSilent := "", ""
	for _, a := range served.Servers {
		switch {
		case a.Err != "":
			silent = append(silent, a.Server)
			firstSilent = orDefault(firstSilent, strings.TrimPrefix(a.Err, "it does not answer: ")) // the sentence says so
		case len(a.Wrong) > 0:
			wrong = append(wrong, a.Server)
			firstWrong = orDefault(firstWrong, a.Wrong[0])
		default:
			right = append(right, a.Server)
		}
	}
	with := words{
		"count": fmt.Sprint(len(served.Servers)), "wrong": listNames(wrong), "silent": listNames(silent),
		"reason": reported(strings.TrimSuffix(orDefault(firstWrong, firstSilent), ".")),
	}
	switch {
	case len(served.Servers) == 0:
		return verdict{CheckRecords, StateUnknown, noServers, nil}
	case len(right) == len(served.Servers):
		return verdict{CheckRecords, StateOK, servedEverywhere, with}
	case len(right) == 0 && len(wrong) == 0:
		return verdict{CheckRecords, StateBroken, serversSilent, with}
	case len(right) == 0:
		return verdict{CheckRecords, StateBroken, servedWrong, with}
	case len(wrong) == 0:
		return verdict{CheckRecords, StateWarning, servedButSilent, with}
	}
	return r.lagging(with)
}

// lagging judges servers that disagree: first it waits for the slower ones.
func (r run) lagging(with words) verdict {
	wait := verdict{CheckRecords, StateWaiting, servedPartly, with}
	if r.s.Previous != nil {
		was, ok := r.s.Previous.Check(CheckRecords)
		if ok && (was.State == StateBroken || was.State == StateWaiting && r.now.Sub(was.Since) >= lagging) {
			return verdict{CheckRecords, StateBroken, servedPartlyLong, with}
		}
	}
	return wait
}

// bare gives a host name without its final dot, in lower case.
func bare(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// listNames joins names for people.
func listNames(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = bare(n)
	}
	return strings.Join(out, ", ")
}
