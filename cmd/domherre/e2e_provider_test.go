package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"

	"domherre/check"
	"domherre/cmd/domherre-lab/lab"
	"domherre/dnsprovider/dnstest"
)

// worldOf is a world whose zones a real name server keeps. Every name is
// delegated to it. providers is the YAML below providers:.
func worldOf(t testing.TB, server *dnstest.Server, providers string, domains ...string) *world {
	t.Helper()
	w := &world{TB: t, dir: t.TempDir(), http: freePort(t), https: freePort(t), admin: freePort(t)}
	var err error
	w.Lab, err = lab.Start(t.Context(), lab.Options{
		Nameservers: []lab.Nameserver{{Name: dnstest.NameServer, Addr: netip.MustParseAddrPort(server.Addr)}},
		ACME:        lab.ACMEOptions{HTTPPort: portOf(w.http), TLSPort: portOf(w.https)},
		Dir:         w.dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Lab.Close() })
	w.write("domherre.yaml", w.configOf(providers, ""))
	w.write("domains.txt", lines(domains...))
	w.client = w.newClient()
	return w
}

// configOf is a config with other providers than the embedded one. extra goes
// between the issuer's settings.
func (w *world) configOf(providers, extra string) string {
	return fmt.Sprintf(`campaign: Du avgör!
frontend: https://www.duavgör.se/
language: sv
domains: [domains.*]
providers:
%s
dns: {addresses: [127.0.0.1], ttl: 1m}
tls:
  issuers: [{acme: "%s", roots: lab-ca.pem%s}]
reconcile: {every: 1s}
check: {every: 2s, resolvers: ["%s"], rdap: off}
listen: {http: "%s", https: "%s", http3: false, admin: "%s"}
`, providers, w.Addresses().Directory, extra, w.Addresses().Resolver, w.http, w.https, w.admin)
}

// rfc2136 is the YAML of a provider at a server, reached at address.
func rfc2136(name string, s *dnstest.Server, address, key string) string {
	return fmt.Sprintf("  %s: {type: rfc2136, server: %q, key_name: %q, key_alg: %q, key: %q, nameservers: [\"%s=%s\"], limits: {timeout: 5s, retries: 1}}",
		name, address, s.KeyName, s.KeyAlg, key, strings.TrimSuffix(dnstest.NameServer, "."), s.Addr)
}

// servers are the real servers that the whole main job is done with.
var servers = map[string]func(testing.TB, ...string) *dnstest.Server{"knot": dnstest.StartKnot, "bind": dnstest.StartBIND}

// The whole main job with a provider that isn't ours, and what goes wrong with
// it: drift, an outage.
func TestRealProvider(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "kopasex.se", "xn--kpasex-wxa.example", "xn--kpa-tid-90a.test")
			front := newRelay(t, s.Addr)
			w := worldOf(t, s, rfc2136("main", s, front.address, s.Key), "kopasex.se", "köpasex.example")
			if out, errs, code := w.domherre("plan", "--detailed-exitcode"); code != 2 || !strings.Contains(out, "köpasex.example") {
				t.Fatalf("plan: exit %d\n%s%s", code, out, errs)
			}
			if out, errs, code := w.domherre("apply", "--yes", "--wait"); code != 0 {
				t.Fatalf("apply: exit %d\n%s%s", code, out, errs)
			}
			if out, errs, code := w.domherre("plan", "--detailed-exitcode"); code != 0 {
				t.Fatalf("a plan after apply: exit %d\n%s%s", code, out, errs)
			}
			d := w.start()
			w.until("both domains are live", w.live("kopasex.se", "xn--kpasex-wxa.example"))
			w.leads("https://www.kopasex.se/path", frontend)

			w.write("domains.txt", lines("kopasex.se", "köpasex.example", "köpa-tid.test"))
			w.until("the new domain is live", w.live("xn--kpa-tid-90a.test"))

			w.drift(s)
			w.until("what others changed is put right", w.serves(s, "www.kopasex.se.", "127.0.0.1"))
			if got := lookup(t, s, "theirs.kopasex.se."); got != "198.51.100.7" {
				t.Errorf("a foreign record became %q", got)
			}
			w.until("it is live still", w.live("kopasex.se"))
			w.outage(s, front, d)
			w.until("nothing is pending", w.settled)
		})
	}
}

// drift changes a record of ours, and adds one that isn't.
func (w *world) drift(s *dnstest.Server) {
	w.Helper()
	m := new(dns.Msg)
	m.SetUpdate("kopasex.se.")
	m.RemoveRRset([]dns.RR{record(w, "www.kopasex.se. 0 A 192.0.2.1")})
	m.Insert([]dns.RR{record(w, "www.kopasex.se. 60 A 192.0.2.1"), record(w, "theirs.kopasex.se. 60 A 198.51.100.7")})
	m.SetTsig(s.KeyName, dns.HmacSHA256, 300, 0)
	m.Extra = m.Extra[:1]
	client := &dns.Client{Net: "tcp", TsigSecret: map[string]string{s.KeyName: s.Key}}
	m.Extra[0].(*dns.TSIG).TimeSigned = uint64(nowUnix())
	answer, _, err := client.Exchange(m, s.Addr)
	if err != nil || answer.Rcode != dns.RcodeSuccess {
		w.Fatalf("the update by others: %v %v", err, answer)
	}
}

// outage takes the provider away and gives it back: what works goes on working,
// one alarm is raised, and what was asked for meanwhile is done afterwards.
func (w *world) outage(s *dnstest.Server, front *relay, d *daemon) {
	w.Helper()
	front.down()
	w.until("the outage is told", w.notice("provider"))
	w.write("domherre.yaml", strings.ReplaceAll(w.configOf(rfc2136("main", s, front.address, s.Key), ""), "ttl: 1m", "ttl: 2m"))
	w.until("the config is reloaded", func() error {
		if !strings.Contains(d.output(w), "config reloaded") {
			return errors.New("not yet")
		}
		return nil
	})
	w.leads("https://kopasex.se/", frontend)
	if err := w.live("kopasex.se")(); err != nil {
		w.Errorf("an outage of the provider: %v", err)
	}
	front.up()
	w.until("the new TTL is served", func() error {
		if ttl := ask(w, s, "www.kopasex.se.").Header().Ttl; ttl != 120 {
			return fmt.Errorf("TTL %d", ttl)
		}
		return nil
	})
	w.until("the outage is over", func() error {
		if w.notice("provider")() == nil {
			return errors.New("the notice still stands")
		}
		return nil
	})
}

func record(t testing.TB, text string) dns.RR {
	t.Helper()
	rr, err := dns.NewRR(text)
	if err != nil {
		t.Fatal(err)
	}
	return rr
}

// ask asks a server for the A record of a name; nil where there is none.
func ask(t testing.TB, s *dnstest.Server, name string) dns.RR {
	t.Helper()
	m := new(dns.Msg)
	m.SetQuestion(name, dns.TypeA)
	answer, _, err := new(dns.Client).Exchange(m, s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Answer) == 0 {
		return nil
	}
	return answer.Answer[0]
}

func lookup(t testing.TB, s *dnstest.Server, name string) string {
	t.Helper()
	if a, ok := ask(t, s, name).(*dns.A); ok {
		return a.A.String()
	}
	return ""
}

// serves reports how a name differs from what a server should answer.
func (w *world) serves(s *dnstest.Server, name, want string) func() error {
	return func() error {
		if got := lookup(w, s, name); got != want {
			return fmt.Errorf("%s is at %q", name, got)
		}
		return nil
	}
}

// report asks the daemon for its status.
func (w *world) report() (r check.Report, err error) {
	return r, w.get("http://"+w.admin+"/api/v1/status", &r)
}

// notice reports that a kind of notice doesn't stand.
func (w *world) notice(kind string) func() error {
	return func() error {
		r, err := w.report()
		if err != nil {
			return err
		}
		for _, n := range r.Notices {
			if n.Check == kind {
				return nil
			}
		}
		return fmt.Errorf("notices: %+v", r.Notices)
	}
}

// settled reports what is left to do for the daemon.
func (w *world) settled() error {
	var plan struct {
		Summary struct{ Changed, Failed int }
	}
	if err := w.get("http://"+w.admin+"/api/v1/plan", &plan); err != nil {
		return err
	}
	if plan.Summary.Changed+plan.Summary.Failed > 0 {
		return fmt.Errorf("%+v", plan.Summary)
	}
	return nil
}

// planned reports what a plan by another process finds left to do.
func (w *world) planned(flags ...string) func() error {
	return func() error {
		if out, errs, code := w.domherre(append([]string{"plan", "--detailed-exitcode"}, flags...)...); code != 0 {
			return fmt.Errorf("exit %d\n%s%s", code, out, errs)
		}
		return nil
	}
}

// Wrong credentials are one alarm, not one for each domain and run, and the
// provider isn't asked again and again.
func TestWrongKey(t *testing.T) {
	t.Parallel()
	zones := []string{"a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example", "h.example"}
	s := dnstest.StartKnot(t, zones...)
	w := worldOf(t, s, rfc2136("main", s, s.Addr, "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmc="), zones...)
	d := w.start()
	w.until("the alarm is raised", w.notice("provider"))
	if _, page := w.page("/"); !strings.Contains(page, "Domäner vars zoner inte kan hållas i ordning: 8 (servern godtar inte signaturen") {
		t.Errorf("the page tells it otherwise:\n%s", page)
	}
	w.until("five runs are over", w.metric(`domherre_reconcile_total{outcome="failed"}`, func(v float64) bool { return v >= 5 }))
	if n := strings.Count(d.output(t), "level=ERROR"); n != 1 {
		t.Errorf("%d errors in the log, want 1", n)
	}
	if values, err := w.metrics(); err != nil || values[`domherre_certificate_errors_total{name="a.example"}`] > 0 {
		t.Error("certificates were ordered for names that nobody serves")
	}
	if n := w.sum("domherre_provider_requests_total"); n > float64(len(zones)) {
		t.Errorf("%v requests with credentials that are refused", n)
	}
	out, errs, code := w.domherre("apply", "--yes")
	if code != 1 || !strings.Contains(out, "refuses the signature") || strings.Contains(out+errs, "d3Jvbmcg") {
		t.Errorf("apply: exit %d\n%s%s", code, out, errs)
	}
	w.write("domherre.yaml", w.configOf(rfc2136("main", s, s.Addr, s.Key), ""))
	w.until("the right key mends it", w.live("a.example", "h.example"))
}

// One zone that isn't there is said plainly, and the others converge.
func TestZoneMissing(t *testing.T) {
	t.Parallel()
	s := dnstest.StartBIND(t, "kopasex.se")
	w := worldOf(t, s, rfc2136("main", s, s.Addr, s.Key), "kopasex.se", "saknas.example")
	out, errs, code := w.domherre("apply", "--yes")
	if code != 3 || !strings.Contains(out+errs, "saknas.example") || !strings.Contains(out+errs, "zone") {
		t.Errorf("apply: exit %d\n%s%s", code, out, errs)
	}
	out, errs, code = w.domherre("zones", "list") // which RFC 2136 has no way to ask for
	if code != 0 || !regexp.MustCompile(`kopasex\.se +yes +ours(?s:.*)saknas\.example +yes +missing`).MatchString(out) || !strings.Contains(errs, "can't list its zones") {
		t.Errorf("zones list: exit %d\n%s%s", code, out, errs)
	}
	d := w.start()
	w.until("the other is live", w.live("kopasex.se"))
	w.until("the missing zone is told", w.notice("provider"))
	if strings.Count(d.output(t), "msg=reconcile domain=saknas.example") != 1 {
		t.Error("the missing zone isn't told once in the log")
	}
}

// A provider that hangs holds up no domain of another one.
func TestHangingProvider(t *testing.T) {
	t.Parallel()
	s := dnstest.StartKnot(t, "kopasex.se", "kopa-tid.test", "fast.example")
	slow := newRelay(t, s.Addr)
	slow.hang(true)
	w := worldOf(t, s, rfc2136("slow", s, slow.address, s.Key)+"\n"+rfc2136("fast", s, s.Addr, s.Key))
	list := func(names ...string) {
		text := "domains:\n  - {name: kopasex.se, provider: slow}\n"
		for _, n := range names {
			text += "  - {name: " + n + ", provider: fast}\n"
		}
		w.write("domains.yaml", text)
	}
	os.Remove(w.path("domains.txt"))
	list("kopa-tid.test")
	w.start()
	w.until("the other provider's domain is live", w.live("kopa-tid.test"))
	list("kopa-tid.test", "fast.example")
	w.until("a new one of the other provider is live", w.live("fast.example"))
	slow.hang(false)
	w.until("the slow one comes too", w.live("kopasex.se"))
}

// A daemon that is killed in the midst of 20 domains goes on where it was.
func TestKilledMidway(t *testing.T) {
	t.Parallel()
	var zones []string
	for i := range 20 {
		zones = append(zones, fmt.Sprintf("kopa-%d.example", i))
	}
	s := dnstest.StartKnot(t, zones...)
	w := worldOf(t, s, rfc2136("main", s, s.Addr, s.Key), zones...)
	d := w.start()
	w.until("some are live", func() error {
		r, err := w.report()
		for _, dom := range r.Domains {
			if dom.Live {
				return nil
			}
		}
		return errors.Join(err, errors.New("none is"))
	})
	if err := d.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-d.ended
	w.start()
	w.until("all are live", w.live(zones...))
	w.until("nothing is pending", w.planned("--full"))
	for _, zone := range zones {
		w.leads("https://www."+zone+"/", frontend)
	}
}

// dns-01 through the provider, for names that the other challenges can't prove.
func TestWildcardByDNS(t *testing.T) {
	t.Parallel()
	s := dnstest.StartKnot(t, "kopasex.se")
	w := worldOf(t, s, rfc2136("main", s, s.Addr, s.Key))
	w.write("domherre.yaml", w.configOf(rfc2136("main", s, s.Addr, s.Key), ", challenge: dns-01"))
	os.Remove(w.path("domains.txt"))
	w.write("domains.yaml", "domains:\n  - name: kopasex.se\n    dns: {hosts: [\"@\", www, \"*\"]}\n")
	w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	w.leads("https://anything.kopasex.se/", frontend)
	w.leads("https://kopasex.se/", frontend)
	m := new(dns.Msg)
	m.SetQuestion("_acme-challenge.kopasex.se.", dns.TypeTXT)
	w.until("the challenge is taken away", func() error {
		answer, _, err := new(dns.Client).Exchange(m, s.Addr)
		if err != nil {
			return err
		}
		for _, rr := range answer.Answer { // the wildcard's SPF is found there too
			if txt, ok := rr.(*dns.TXT); !ok || txt.Txt[0] != "v=spf1 -all" {
				return fmt.Errorf("%v", answer.Answer)
			}
		}
		return nil
	})
}

// tls-alpn-01 alone is enough.
func TestALPNOnly(t *testing.T) {
	t.Parallel()
	s := dnstest.StartKnot(t, "kopasex.se")
	w := worldOf(t, s, rfc2136("main", s, s.Addr, s.Key), "kopasex.se")
	w.write("domherre.yaml", w.configOf(rfc2136("main", s, s.Addr, s.Key), ", challenge: tls-alpn-01"))
	w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	w.leads("https://kopasex.se/", frontend)
}
