package azure

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/byset"
)

// A machine's managed identity is asked for by the metadata service, once for as
// long as its token lives, and anew once it was refused.
func TestManagedIdentity(t *testing.T) {
	t.Parallel()
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if q := r.URL.Query(); r.Header.Get("Metadata") != "true" || q.Get("resource") != management+"/" || q.Get("client_id") != "one" {
			t.Errorf("asked %s with %v", r.URL, r.Header)
		}
		_, _ = io.WriteString(w, `{"access_token":"secret","expires_in":"86399","token_type":"Bearer"}`)
	}))
	t.Cleanup(s.Close)
	tokens := newTokens(Settings{ClientID: "one"})
	tokens.instance = s.URL
	for range 3 {
		if err := tokens.renew(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r := httptest.NewRequest(http.MethodGet, management, nil)
	tokens.authorize(r)
	if got := r.Header.Get("Authorization"); got != "Bearer secret" || asked != 1 || time.Until(tokens.until) < 23*time.Hour {
		t.Errorf("%q after %d requests, until %s", got, asked, tokens.until)
	}
	tokens.forget()
	if err := tokens.renew(t.Context()); err != nil || asked != 2 {
		t.Errorf("asked %d times, %v", asked, err)
	}
}

// answers stands in for Azure's management, with a token at hand.
func answers(t *testing.T, text string) *Provider {
	t.Helper()
	p := New(Settings{SubscriptionID: "s", ResourceGroupName: "g"})
	p.api.tokens.until = time.Now().Add(time.Hour)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			t.Errorf("%s is written", r.URL)
		}
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	p.api.zones = s.URL
	return p
}

// An alias of one of Azure's resources isn't seen, nor written over.
func TestAlias(t *testing.T) {
	t.Parallel()
	p := answers(t, `{"value": [{"name": "@", "type": "Microsoft.Network/dnszones/A", "properties": {"TTL": 300, "targetResource": {"id": "/subscriptions/s/…"}}}]}`)
	rr, err := dns.NewRR("kopasex.se. 300 IN A 192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	sets, err := p.api.Sets(t.Context(), "kopasex.se")
	if err != nil || len(sets) != 0 {
		t.Errorf("%v, %v", sets, err)
	}
	if err := p.api.Put(t.Context(), "kopasex.se", byset.Set{rr}); err == nil || !strings.Contains(err.Error(), "alias") {
		t.Errorf("writing over it gives %v", err)
	}
}

// A token goes to Azure alone, wherever a list says that it goes on.
func TestListLeadsElsewhere(t *testing.T) {
	t.Parallel()
	p := answers(t, `{"value": [], "nextLink": "https://management.azure.com.example/next"}`)
	if _, err := p.ListZones(t.Context()); err == nil || !strings.Contains(err.Error(), "leads elsewhere") {
		t.Errorf("%v", err)
	}
}
