package dnsprovider

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/libdns/acmedns"
	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
)

// An account at acme-dns holds two challenges, at its subdomain, and nothing else.
func TestAcmeDNS(t *testing.T) {
	t.Parallel()
	c := acmeAccount(t)
	if _, err := c.GetRecords(t.Context(), zone); zoneio.KindOf(err) != zoneio.NoZone {
		t.Errorf("another's zone: %v", err)
	}
	add := func(rec libdns.Record) error {
		_, err := c.AppendRecords(t.Context(), c.zone, []libdns.Record{rec})
		return err
	}
	if err := add(txt("other.auth", "x")); zoneio.KindOf(err) != zoneio.Unsupported {
		t.Errorf("elsewhere: %v", err)
	}
	for _, value := range []string{"one", "two"} {
		if err := add(txt("sub.auth", value)); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(txt("sub.auth", "three")); zoneio.KindOf(err) != zoneio.Temporary {
		t.Errorf("a third: %v", err)
	}
	if _, err := c.DeleteRecords(t.Context(), c.zone, []libdns.Record{txt("sub.auth", "one")}); err != nil {
		t.Fatal(err)
	}
	if err := add(txt("sub.auth", "three")); err != nil {
		t.Errorf("once there is room: %v", err)
	}
	if recs, err := c.GetRecords(t.Context(), c.zone); err != nil || len(recs) != 2 {
		t.Errorf("it holds %v, %v", recs, err)
	}
}

// acmeAccount is an account at a server that takes whatever it is told.
func acmeAccount(t *testing.T) *challenges {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	c := acmeDNS(&acmedns.Provider{ServerURL: "https://auth.acme-dns.example", Username: "u", Password: "p", Subdomain: "sub"}).(*challenges)
	if c.zone != "acme-dns.example." {
		t.Errorf("its zone is %s", c.zone)
	}
	c.ServerURL = s.URL
	return c
}
