package check

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"domherre/portfolio"
)

// situation is one fault and the word that it must be given.
type situation struct {
	name, check, state string
	spoil              func(*world)
}

func situations() []situation {
	return slices.Concat(dnsSituations(), certificateSituations(), redirectSituations(), mailSituations(), registrationSituations())
}

func dnsSituations() []situation {
	lost := Answer{Rcode: dns.RcodeServerFailure}
	return []situation{
		{"all well", CheckDelegation, StateOK, func(*world) {}},
		{"resolver silent", CheckDelegation, StateUnknown, func(w *world) { w.dns.err = context.DeadlineExceeded }},
		{"resolver refuses", CheckDelegation, StateUnknown, func(w *world) { w.dns.answers[w.zone("NS")] = Answer{Rcode: dns.RcodeRefused} }},
		{"nobody to compare with", CheckDelegation, StateOK, func(w *world) { w.subject.Nameservers = nil }},
		{"moved away", CheckDelegation, StateBroken, func(w *world) { w.dns.answers[w.zone("NS")] = w.ns("ns.parking.example") }},
		{"half moved", CheckDelegation, StateWarning, func(w *world) {
			w.dns.answers[w.zone("NS")] = w.ns("ns.parking.example", "ns1.domherre.example", "ns2.domherre.example")
		}},
		{"one missing", CheckDelegation, StateWarning, func(w *world) { w.dns.answers[w.zone("NS")] = w.ns("ns1.domherre.example") }},
		{"on hold or lapsed", CheckDelegation, StateBroken, func(w *world) {
			w.dns.answers[w.zone("NS")] = Answer{Rcode: dns.RcodeNameError}
		}},
		{"named registrar", CheckDelegation, StateBroken, func(w *world) {
			w.subject.Domain.Registrar = "Registrar AB"
			w.subject.Nameservers = nil
			delete(w.dns.answers, w.zone("NS"))
		}},
		{"lame", CheckDelegation, StateBroken, func(w *world) {
			w.dns.answers[w.zone("NS")] = Answer{Rcode: dns.RcodeServerFailure, Extended: []string{"22 No Reachable Authority."}}
		}},
		{"lame, DNSSEC", CheckDNSSEC, StateUnknown, func(w *world) { w.dns.answers[w.zone("NS")] = lost }},
		{"bogus", CheckDNSSEC, StateBroken, func(w *world) {
			w.dns.unchecked = map[string]Answer{w.zone("NS"): w.dns.answers[w.zone("NS")]}
			w.dns.answers[w.zone("NS")] = Answer{Rcode: dns.RcodeServerFailure, Extended: []string{"9 DNSKEY Missing"}}
		}},
		{"unsigned", CheckDNSSEC, StateOK, func(*world) {}},
		{"DNSSEC of nothing", CheckDNSSEC, StateUnknown, func(w *world) { w.dns.answers[w.zone("NS")] = Answer{Rcode: dns.RcodeNameError} }},
		{"signed", CheckDNSSEC, StateOK, func(w *world) {
			w.sign()
			a := w.dns.answers[w.zone("NS")]
			a.Authentic = true
			w.dns.answers[w.zone("NS")] = a
		}},
		{"signed, not validated", CheckDNSSEC, StateUnknown, func(w *world) { w.sign() }},
		{"DS refused", CheckDNSSEC, StateUnknown, func(w *world) { w.dns.answers[w.zone("DS")] = lost }},

		{"served", CheckRecords, StateOK, func(*world) {}},
		{"served wrong", CheckRecords, StateBroken, func(w *world) {
			for i := range w.served.Servers {
				w.served.Servers[i].Wrong = []string{"A @ is 198.51.100.7, not 127.0.0.1."}
			}
		}},
		{"served by one so far", CheckRecords, StateWaiting, func(w *world) { w.served.Servers[1].Wrong = []string{"A @ is missing"} }},
		{"served by one for long", CheckRecords, StateBroken, func(w *world) {
			w.served.Servers[1].Wrong = []string{"A @ is missing"}
			w.before(Result{Check: CheckRecords, State: StateWaiting, Since: today.Add(-2 * time.Hour)})
		}},
		{"served by one, still", CheckRecords, StateBroken, func(w *world) {
			w.served.Servers[1].Wrong = []string{"A @ is missing"}
			w.before(Result{Check: CheckRecords, State: StateBroken, Since: today.Add(-time.Minute)})
		}},
		{"one server silent", CheckRecords, StateWarning, func(w *world) { w.served.Servers[1].Err = "no answer" }},
		{"all servers silent", CheckRecords, StateBroken, func(w *world) {
			w.served.Servers[0].Err = "no answer"
			w.served.Servers[1].Err = "no answer"
		}},
		{"no servers", CheckRecords, StateUnknown, func(w *world) { w.served = portfolio.Served{} }},
		{"nothing wanted", CheckRecords, StateOK, func(w *world) { w.subject.Records = []portfolio.RRset{} }},
		{"not known what is wanted", CheckRecords, StateWaiting, func(w *world) { w.subject.Records = nil }},
	}
}

func (w *world) ns(names ...string) Answer {
	var lines []string
	for _, n := range names {
		lines = append(lines, "xn--kpasex-wxa.example. 60 IN NS "+n+".")
	}
	return records(w.t, lines...)
}

func (w *world) sign() {
	w.dns.answers[w.zone("DS")] = records(w.t, "xn--kpasex-wxa.example. 60 IN DS 1 13 2 "+strings.Repeat("00", 32))
}

func (w *world) before(r Result) { w.subject.Previous = &DomainStatus{Checks: []Result{r}} }

func certificateSituations() []situation {
	none := func(w *world) { w.noCert, w.subject.Certificate = true, CertificateState{} }
	return []situation{
		{"certified", CheckCertificate, StateOK, func(*world) {}},
		{"internal", CheckCertificate, StateWarning, func(w *world) { w.subject.Certificate.Internal = true }},
		{"renewal late", CheckCertificate, StateWarning, func(w *world) {
			w.leaf.notBefore, w.leaf.notAfter = today.AddDate(0, 0, -75), today.AddDate(0, 0, 15)
		}},
		{"nearly over", CheckCertificate, StateBroken, func(w *world) {
			w.leaf.notBefore, w.leaf.notAfter = today.AddDate(0, 0, -85), today.AddDate(0, 0, 5)
			w.subject.Certificate.Certificate.LastError = "429 rateLimited"
		}},
		{"expired", CheckCertificate, StateBroken, func(w *world) { w.leaf.notAfter = today.AddDate(0, 0, -1) }},
		{"another's certificate", CheckCertificate, StateBroken, func(w *world) { w.leaf.names = []string{"parking.example"} }},
		{"one name missing", CheckCertificate, StateBroken, func(w *world) { w.leaf.names = w.leaf.names[:1] }},
		{"untrusted", CheckCertificate, StateBroken, func(w *world) { w.untrusted = true }},
		{"handshake fails", CheckCertificate, StateBroken, func(w *world) { w.noCert = true }},
		{"refused by the CA", CheckCertificate, StateBroken, func(w *world) {
			none(w)
			w.subject.Certificate.LastError = "CAA forbids it"
		}},
		{"held back", CheckCertificate, StateWaiting, func(w *world) {
			none(w)
			w.subject.Certificate.Waiting = "domänen är inte delegerad än"
		}},
		{"forbidden by CAA", CheckCertificate, StateBroken, func(w *world) {
			none(w)
			w.subject.Certificate.Waiting, w.subject.Certificate.Barred = "CAA-posterna tillåter inte ca.example", true
		}},
		{"being issued", CheckCertificate, StateWaiting, none},
		{"nothing listens", CheckCertificate, StateUnknown, func(w *world) { w.closed = true }},
		{"not launched", CheckCertificate, StateWaiting, func(w *world) { w.subject.Domain.Launch = today.AddDate(0, 1, 0) }},
		{"no addresses", CheckCertificate, StateUnknown, func(w *world) { w.subject.Domain.DNS.Addresses = nil }},
		{"no hosts", CheckRedirect, StateUnknown, func(w *world) { w.subject.Hosts = nil }},
	}
}

func redirectSituations() []situation {
	return []situation{
		{"leads", CheckRedirect, StateOK, func(*world) {}},
		{"HTTP straight to the target", CheckRedirect, StateOK, func(w *world) { w.plain = redirectTo(target) }},
		{"a wildcard", CheckRedirect, StateOK, func(w *world) {
			w.subject.Hosts = append(w.subject.Hosts, Host{Name: "*.xn--kpasex-wxa.example", Target: target, Status: 302})
		}},
		{"parameters in another order", CheckRedirect, StateOK, func(w *world) {
			w.secure = redirectTo("https://WWW.xn--duavgr-0xa.se?b=2&a=1")
			w.aim("https://www.xn--duavgr-0xa.se/?a=1&b=2")
		}},
		{"nobody there", CheckRedirect, StateBroken, func(w *world) { w.closed = true }},
		{"cut off", CheckRedirect, StateBroken, func(w *world) {
			w.secure = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		}},
		{"a page instead", CheckRedirect, StateBroken, func(w *world) { w.secure = func(http.ResponseWriter, *http.Request) {} }},
		{"astray", CheckRedirect, StateBroken, func(w *world) { w.secure = redirectTo("https://parking.example/") }},
		{"another status", CheckRedirect, StateWarning, func(w *world) {
			for i := range w.subject.Hosts {
				w.subject.Hosts[i].Status = 307
			}
		}},
		{"HTTP astray", CheckRedirect, StateBroken, func(w *world) { w.plain = redirectTo("https://parking.example/") }},
		{"HTTP to HTTP", CheckRedirect, StateBroken, func(w *world) { w.plain = redirectTo("http://www.kopasex.se/") }},
		{"no certificate yet", CheckRedirect, StateWaiting, func(w *world) { w.noCert, w.subject.Certificate = true, CertificateState{} }},
		{"no handshake", CheckRedirect, StateBroken, func(w *world) { w.noCert = true }},
		{"not launched", CheckRedirect, StateWaiting, func(w *world) { w.subject.Domain.Launch = today.AddDate(0, 1, 0) }},
		{"paused", CheckRedirect, StateOK, func(w *world) {
			w.subject.Domain.Paused = true
			w.secure = func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusGone) }
		}},
		{"paused, yet leads", CheckRedirect, StateBroken, func(w *world) { w.subject.Domain.Paused = true }},
	}
}

func (w *world) aim(to string) {
	for i := range w.subject.Hosts {
		w.subject.Hosts[i].Target = to
	}
}

func mailSituations() []situation {
	return []situation{
		{"locked", CheckMail, StateOK, func(*world) {}},
		{"kept", CheckMail, StateOK, func(w *world) { w.subject.Domain.DNS.Mail = portfolio.MailKeep }},
		{"all open", CheckMail, StateWarning, func(w *world) {
			delete(w.dns.answers, w.zone("MX"))
			w.dns.answers[w.zone("TXT")] = records(w.t, `xn--kpasex-wxa.example. 60 IN TXT "v=spf1 ~all"`)
			w.dns.answers["_dmarc."+w.zone("TXT")] = Answer{Rcode: dns.RcodeNameError}
		}},
		{"no lock where nobody is sent to us", CheckMail, StateWaiting, func(w *world) {
			w.dns.answers[w.zone("NS")] = w.ns("ns.parking.example")
			delete(w.dns.answers, w.zone("MX"))
		}},
		{"somebody's mail", CheckMail, StateWarning, func(w *world) {
			w.dns.answers[w.zone("MX")] = records(w.t, "xn--kpasex-wxa.example. 60 IN MX 10 mx.parking.example.")
		}},
		{"unseen", CheckMail, StateUnknown, func(w *world) { w.dns.answers[w.zone("MX")] = Answer{Rcode: dns.RcodeServerFailure} }},
	}
}

func registrationSituations() []situation {
	status := func(s string) func(*world) { return func(w *world) { w.reg.Status = []string{s} } }
	return []situation{
		{"registered", CheckRegistration, StateOK, func(*world) {}},
		{"date hidden", CheckRegistration, StateOK, func(w *world) { w.reg.Expires = time.Time{} }},
		{"date hidden, ours near", CheckRegistration, StateWarning, func(w *world) {
			w.reg.Expires, w.subject.Domain.Expires = time.Time{}, today.AddDate(0, 0, 9)
		}},
		{"ends soon", CheckRegistration, StateWarning, func(w *world) { w.reg.Expires = today.AddDate(0, 0, 20) }},
		{"over", CheckRegistration, StateBroken, func(w *world) { w.reg.Expires = today.AddDate(0, 0, -2) }},
		{"server hold", CheckRegistration, StateBroken, status("server hold")},
		{"clientHold", CheckRegistration, StateBroken, status("clientHold")},
		{"pending delete", CheckRegistration, StateBroken, status("pending delete")},
		{"redemptionPeriod", CheckRegistration, StateBroken, status("redemptionPeriod")},
		{"gone", CheckRegistration, StateBroken, func(w *world) { w.reg = Registration{Asked: today} }},
		{"registry silent", CheckRegistration, StateUnknown, func(w *world) { w.regErr = errors.New("429 Too Many Requests") }},
		{"registry silent, our date near", CheckRegistration, StateWarning, func(w *world) {
			w.regErr, w.subject.Domain.Expires = errors.New("429 Too Many Requests"), today.AddDate(0, 0, 9)
		}},
		{"registry off", CheckRegistration, StateUnknown, func(w *world) { w.noRDAP = true }},
	}
}
