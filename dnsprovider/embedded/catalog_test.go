package embedded_test

import (
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
	"domherre/dnsprovider/dnstest"
)

// TestCatalog has a real secondary set itself up by the catalog: zones that come
// and go at the primary come and go there.
func TestCatalog(t *testing.T) {
	t.Parallel()
	const catalog = "catalog.domherre.example."
	ear, hear := relay(t)
	store := openState(t, t.TempDir())
	settings := signed(ear)
	settings.Catalog = "Catalog.domherre.example"
	s, addr := serveTo(t, store, settings)
	p := newProvider(t, s.Store())
	write(t, p, "kopasex.example", "@ A 192.0.2.1")
	secondary := dnstest.StartKnotCatalog(t, addr, catalog)
	hear(secondary.Addr)
	caughtUp(t, secondary.Addr, "kopasex.example.", "192.0.2.1")
	write(t, p, "xn--kpasex-wxa.example", "@ A 192.0.2.2")
	caughtUp(t, secondary.Addr, "xn--kpasex-wxa.example.", "192.0.2.2")
	must(t, s.Store().Delete(t.Context(), "dns/zones/kopasex.example.json"))
	client := dnsclient.Client{Timeout: 500 * time.Millisecond, Tries: 1}
	gone := func() bool {
		answer, err := client.Exchange(t.Context(), secondary.Addr, dnsclient.Question("kopasex.example.", dns.TypeA, false))
		return err == nil && answer.Rcode == dns.RcodeRefused
	}
	for deadline := time.Now().Add(20 * time.Second); !gone(); {
		if time.Now().After(deadline) {
			t.Fatalf("a zone that is gone is still served\n%s", secondary.Log())
		}
	}
	caughtUp(t, secondary.Addr, "xn--kpasex-wxa.example.", "192.0.2.2")

	// It names domains that nobody may know of yet: only secondaries see it.
	for _, q := range []*dns.Msg{question(catalog, "SOA"), question("version."+catalog, "TXT"), new(dns.Msg).SetAxfr(catalog)} {
		if a := exchangeRaw(t, addr, "tcp", q); a.Rcode != dns.RcodeRefused || len(a.Answer)+len(a.Ns) > 0 {
			t.Errorf("%v", a)
		}
	}
	keyed := dnsclient.Client{Key: key(t, dnstest.KeyName, "", dnstest.Secret)}
	if rrs, err := keyed.Transfer(t.Context(), addr, catalog); err != nil || len(rrs) != 4 { // SOA, NS, version, one zone
		t.Errorf("%v, %v", rrs, err)
	}
	settings.Catalog = "ö"
	if faults := settings.Check(); faults["catalog"] == nil {
		t.Errorf("%v", faults)
	}
}
