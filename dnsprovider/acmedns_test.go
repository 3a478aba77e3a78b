package dnsprovider

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libdns/acmedns"
	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
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

// A challenge goes where the domain's own zone says by a CNAME, and is forgotten
// afterwards.
func TestChallengeAtAcmeDNS(t *testing.T) {
	t.Parallel()
	var got atomic.Pointer[string]
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if body := string(text); err == nil && r.URL.Path == "/update" && r.Header.Get("X-Api-User") == "u" {
			got.Store(&body)
		}
	}))
	defer server.Close()
	f := &fake{now: time.Now, recs: []libdns.RR{rr("_acme-challenge", "CNAME", "sub.auth.acme-dns.example.")}}
	own := row{
		Type:     Type{Name: "fake", Limits: Limits{Concurrency: 1, Timeout: time.Minute, Retries: 1}},
		settings: func() any { return new(struct{}) },
		open:     func(any, Config, Deps) (any, error) { return f, nil },
	}
	s, err := open([]Config{
		{Name: "acme", Type: "acmedns", Settings: map[string]any{"server_url": server.URL + "/", "username": "u", "password": "p", "subdomain": "sub"}},
		{Name: "main", Type: "fake"},
	}, Deps{Provider: func(n portfolio.Name) (string, bool) { return "main", n.ASCII() == "kopasex.se" }}, append(rows(), own))
	if err != nil {
		t.Fatal(err)
	}
	account := s.providers[0].impl.(*challenges)
	account.zone = "acme-dns.example." // which the server's address doesn't tell here
	if err := s.Present(t.Context(), "_acme-challenge.kopasex.se.", "value"); err != nil {
		t.Fatal(err)
	}
	if body := got.Load(); body == nil || !strings.Contains(*body, `"txt":"value"`) || len(account.held) != 1 {
		t.Errorf("the server was told %v; held: %v", body, account.held)
	}
	if err := s.CleanUp(t.Context(), "_acme-challenge.kopasex.se.", "value"); err != nil || len(account.held) != 0 {
		t.Errorf("%v; still held: %v", err, account.held)
	}
	if n := f.count("append") + f.count("set") + f.count("delete"); n != 0 {
		t.Errorf("the domain's own zone was written %d times", n)
	}
}
