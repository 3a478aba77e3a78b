package main

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"domherre/cmd/domherre-lab/lab"
	"domherre/dnsprovider/dnstest"
)

// The main job with the daemon as a hidden primary: the world asks a real
// secondary alone, which hears of every change at once.
func TestHiddenPrimary(t *testing.T) {
	t.Parallel()
	w := &world{TB: t, dir: t.TempDir(), http: freePort(t), https: freePort(t), admin: freePort(t), dns: freePort(t)}
	s := dnstest.StartKnotSecondary(t, w.dns, "kopasex.se", "xn--kpasex-wxa.example")
	var err error
	w.Lab, err = lab.Start(t.Context(), lab.Options{
		Nameservers: []lab.Nameserver{{Name: "ns1.domherre.example", Addr: netip.MustParseAddrPort(s.Addr)}},
		ACME:        lab.ACMEOptions{HTTPPort: portOf(w.http), TLSPort: portOf(w.https)},
		Dir:         w.dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Lab.Close() })
	hidden := fmt.Sprintf("nameservers: [ns1.domherre.example=%[1]s]\n    notify: [\"%[1]s\"]\n    key_name: %[2]s\n    key: %[3]q", s.Addr, s.KeyName, s.Key)
	config := strings.Replace(w.config(), fmt.Sprintf("nameservers: [ns1.domherre.example=%s]", w.dns), hidden, 1)
	w.write("domherre.yaml", config)
	w.write("domains.txt", lines("kopasex.se", "köpasex.example"))
	w.client = w.newClient()
	w.start()
	w.until("both domains are live", w.live("kopasex.se", "xn--kpasex-wxa.example"))
	w.leads("https://www.kopasex.se/path", frontend)

	// A command beside the daemon changes what the secondary serves.
	w.write("domherre.yaml", strings.Replace(config, "ttl: 1m", "ttl: 2m", 1))
	if out, errs, code := w.domherre("apply", "--yes", "--wait"); code != 0 {
		t.Fatalf("apply: exit %d\n%s%s", code, out, errs)
	}
	if ttl := ask(t, s, "www.kopasex.se.").Header().Ttl; ttl != 120 {
		t.Errorf("TTL %d", ttl)
	}
	if log := s.Log(); !strings.Contains(log, "[kopasex.se.] notify, incoming") || !strings.Contains(log, "[kopasex.se.] IXFR, incoming") {
		t.Errorf("the secondary's log:\n%s", log)
	}
}
