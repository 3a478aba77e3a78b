package wire

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/config"
	"domherre/portfolio"
	"domherre/state"
	"domherre/tls"
)

// nameServer answers with authority from the records of a zone file.
func nameServer(t *testing.T, zone string) (address string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all []dns.RR
	for line := range strings.Lines(zone) {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		if rr != nil {
			all = append(all, rr)
		}
	}
	srv := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		m.Authoritative = true
		for _, rr := range all {
			if h := rr.Header(); strings.EqualFold(h.Name, q.Question[0].Name) && (h.Rrtype == q.Question[0].Qtype || h.Rrtype == dns.TypeCNAME) {
				m.Answer = append(m.Answer, rr)
			}
		}
		w.WriteMsg(m)
	})}
	go srv.ActivateAndServe()
	t.Cleanup(func() { srv.Shutdown() })
	return conn.LocalAddr().String()
}

// evidenceAgainst gives the evidence over a zone as served, and its domain.
func evidenceAgainst(t *testing.T, zone string) (Evidence, portfolio.Domain) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "domherre.yaml")
	text := `
campaign: Du avgör!
frontend: https://www.duavgör.se/
domains: [domains.txt]
providers: {main: {type: embedded, nameservers: ["ns1.example.net=` + nameServer(t, zone) + `", "ns2.example.net=127.0.0.1:1"]}}
dns: {addresses: [192.0.2.10]}
tls: {issuers: [{acme: "https://ca.example/dir", challenge: dns-01}]}
`
	for name, content := range map[string]string{path: text, filepath.Join(dir, "domains.txt"): "kopasex.se\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, problems := config.Load(path, config.Options{})
	if cfg == nil {
		t.Fatal(problems)
	}
	store, err := state.Open(t.Context(), filepath.Join(dir, "state"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	zones, err := Providers(cfg, store, ProviderHooks{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return Evidence{Config: cfg, Zones: zones, Now: time.Now}, cfg.Portfolio.Domains[0]
}

func TestNotServed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		zone string
		held bool
	}{
		"as wanted, with another TTL": {"kopasex.se. 60 A 192.0.2.10\nwww.kopasex.se. 60 A 192.0.2.10", false},
		"elsewhere":                   {"kopasex.se. 60 A 198.51.100.7\nwww.kopasex.se. 60 A 192.0.2.10", true},
		"one host missing":            {"kopasex.se. 60 A 192.0.2.10", true},
		"an alias":                    {"kopasex.se. 60 A 192.0.2.10\nwww.kopasex.se. 60 CNAME kopasex.se.", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, d := evidenceAgainst(t, c.zone)
			if err := e.NotServed(t.Context(), d); (err != nil) != c.held {
				t.Errorf("%v", err)
			} else if err != nil && !strings.Contains(err.Error(), "ns1.example.net") {
				t.Errorf("doesn't say who: %v", err)
			}
		})
	}
}

func TestForbidden(t *testing.T) {
	t.Parallel()
	const ours = "https://ca.example/acct/1"
	id := tls.CAAIdentity{Issuer: "ca.example", Domains: []string{"ca.example"}, AccountURI: ours, Methods: []string{"dns-01"}}
	for name, c := range map[string]struct {
		zone      string
		forbidden bool
	}{
		"no CAA":                      {"", false},
		"ours":                        {`kopasex.se. CAA 0 issue "ca.example"`, false},
		"ours in full":                {`kopasex.se. CAA 0 issue "CA.example; accounturi=` + ours + `; validationmethods=http-01,dns-01"`, false},
		"another beside ours":         {"kopasex.se. CAA 0 issue \"other.example\"\nkopasex.se. CAA 0 issue \"ca.example\"", false},
		"another":                     {`kopasex.se. CAA 0 issue "other.example"`, true},
		"nobody":                      {`kopasex.se. CAA 0 issue ";"`, true},
		"another account":             {`kopasex.se. CAA 0 issue "ca.example; accounturi=https://ca.example/acct/2"`, true},
		"another method":              {`kopasex.se. CAA 0 issue "ca.example; validationmethods=tls-alpn-01"`, true},
		"nearer than the domain's":    {"kopasex.se. CAA 0 issue \"ca.example\"\nwww.kopasex.se. CAA 0 issue \"other.example\"", true},
		"no word on issuing":          {`kopasex.se. CAA 0 iodef "mailto:ops@kopasex.se"`, false},
		"wildcards by issue":          {`kopasex.se. CAA 0 issue "other.example"`, true},
		"no wildcards":                {"kopasex.se. CAA 0 issue \"ca.example\"\nkopasex.se. CAA 0 issuewild \";\"", true},
		"an alias decides, untold":    {"www.kopasex.se. CNAME elsewhere.example.\nkopasex.se. CAA 0 issue \"ca.example\"", false},
		"wildcards by their own word": {"kopasex.se. CAA 0 issue \"ca.example\"\nkopasex.se. CAA 0 issuewild \"ca.example\"", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, d := evidenceAgainst(t, c.zone)
			err := e.Forbidden(t.Context(), d, []string{"kopasex.se", "www.kopasex.se", "*.kopasex.se"}, id)
			if (err != nil) != c.forbidden {
				t.Errorf("%v", err)
			}
		})
	}
	e, d := evidenceAgainst(t, `kopasex.se. CAA 0 issue "other.example"`)
	if err := e.Forbidden(t.Context(), d, []string{"kopasex.se"}, tls.CAAIdentity{Issuer: "ca.example"}); err != nil {
		t.Errorf("an issuer whose name isn't known: %v", err)
	}
}
