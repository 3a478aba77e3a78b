package dnsprovider

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"domherre/dnsprovider/dnstest"
	"domherre/portfolio"
)

// counted counts HTTP requests by method and the last part of their path.
type counted struct {
	mu  sync.Mutex
	all map[string]int
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	kind := r.Method + " zone"
	if strings.HasSuffix(r.URL.Path, "/zones") {
		kind = r.Method + " zones"
	}
	c.mu.Lock()
	c.all[kind]++
	c.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

// since gives the requests since the last call.
func (c *counted) since() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := fmt.Sprint(c.all)
	c.all = map[string]int{}
	return text
}

// TestPowerDNSRequests holds the number of requests down: a new zone is one,
// and zones that nobody has changed are one list for all, also for the next
// process.
func TestPowerDNSRequests(t *testing.T) {
	t.Parallel()
	server := dnstest.StartPowerDNS(t, "quiet.example")
	server.Call(t, http.MethodPut, "zones/quiet.example.", map[string]any{"soa_edit_api": ""})
	now := time.Now() // stands still: the list of zones stays fresh
	store, requests := dnstest.NewStore(), &counted{all: map[string]int{}}
	open := func() *Set {
		t.Helper()
		s, err := Open([]Config{{Name: "main", Type: "powerdns", Settings: map[string]any{"server_url": server.API, "api_token": server.Token},
			Nameservers: []Nameserver{{Name: dnstest.NameServer}}}}, Deps{Store: store, HTTP: &http.Client{Transport: requests}, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var domains []portfolio.Domain
	for i := range 20 {
		domains = append(domains, domain(t, fmt.Sprintf("n%d.example", i)))
	}
	observe := func(s *Set) (zones []portfolio.Zone) {
		t.Helper()
		for _, d := range domains {
			z, err := s.Observe(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			zones = append(zones, z)
		}
		return zones
	}
	want := func(what, want string) {
		t.Helper()
		if got := requests.since(); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	s := open()
	for i, z := range observe(s) {
		if !z.Missing {
			t.Errorf("%s is there", z.Name)
		}
		step := portfolio.Step{Set: []portfolio.RRset{rrset(t, domains[i], "@", "A", 300, "192.0.2.1")}}
		after, err := s.WriteAndRead(t.Context(), portfolio.Write{Domain: domains[i], Observed: z, Steps: []portfolio.Step{step}})
		if set, found := after.Find(step.Set[0].Key()); err != nil || !found || set.Data[0] != "192.0.2.1" || after.Serial == 0 {
			t.Errorf("%v, %v", after, err)
		}
	}
	want("new zones", "map[GET zone:4 GET zones:1 POST zones:20]")
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open()
	observe(s)
	want("unchanged zones", "map[GET zone:4 GET zones:1]")

	// What others change is seen, and one that is gone.
	server.Call(t, http.MethodPatch, "zones/n19.example.", map[string]any{"rrsets": []any{map[string]any{
		"name": "www.n19.example.", "type": "A", "ttl": 60, "changetype": "REPLACE", "records": []any{map[string]any{"content": "192.0.2.9"}}}}})
	server.Call(t, http.MethodDelete, "zones/n18.example.", nil)
	requests.since()
	zones := observe(open())
	if _, found := zones[19].Find(portfolio.Key{Name: "www", Type: "A"}); !found || !zones[18].Missing {
		t.Errorf("%+v", zones[18:])
	}
	want("one changed, one gone", "map[GET zone:5 GET zones:1]")

	// A zone whose serial the API leaves as it is, is read each time.
	domains = append(domains[:10], domain(t, "quiet.example"))
	observe(s)
	requests.since()
	observe(s)
	want("a serial that says nothing", "map[GET zone:1]")
	// Before it is written, a zone is read whatever the list says.
	z, err := s.Observe(t.Context(), domains[9])
	if err != nil {
		t.Fatal(err)
	}
	requests.since()
	step := portfolio.Step{Set: []portfolio.RRset{rrset(t, domains[9], "www", "A", 300, "192.0.2.1")}}
	if err := s.Write(t.Context(), portfolio.Write{Domain: domains[9], Observed: z, Steps: []portfolio.Step{step}}); err != nil {
		t.Fatal(err)
	}
	want("a write", "map[GET zone:2 PATCH zone:1]")
	// A zone that came to be meanwhile is not taken for a new one.
	err = s.Write(t.Context(), portfolio.Write{Domain: domains[9], Observed: portfolio.Zone{Name: domains[9].Name, Missing: true}, Steps: []portfolio.Step{step}})
	if err == nil || !strings.Contains(err.Error(), "changed since") {
		t.Errorf("a zone that is there: %v", err)
	}
}
