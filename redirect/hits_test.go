package redirect

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
)

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
	chrome  = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)

func TestClasses(t *testing.T) {
	t.Parallel()
	var a agents
	a.init()
	for agent, want := range map[string]Class{
		chrome: Person, firefox: Person,
		chrome + " Edg/142.0.0.0": Person,
		chrome + " OPR/125.0.0.0": Person,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1":      Person,
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15":                        Person,
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":          Person,
		"Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36":                  Person, // a telephone
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)":                                                                     Bot,
		"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/142.0.0.0 Safari/537.36": Bot,
		"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)":                                       Bot,
		"Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)":                                                                       Bot,
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36":                                Bot,
		"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)":                                                                    Bot,
		"curl/8.14.1": Bot, "Wget/1.25": Bot, "python-requests/2.32": Bot, "Go-http-client/1.1": Bot, "Java/21": Bot, "": Bot,
	} {
		for range 2 { // from the list, then from what is remembered
			if got := a.class(agent); got != want {
				t.Errorf("%q: got %s, want %s", agent, got, want)
			}
		}
	}
}

// What is over the budget counts as bots, and takes no other's place.
func TestNewAgentsAreBounded(t *testing.T) {
	t.Parallel()
	var a agents
	a.init()
	a.class(firefox)
	a.budget.SetBurst(0)
	if got := a.class(chrome); got != Bot {
		t.Errorf("over the budget: got %s", got)
	}
	if got := a.class(firefox); got != Person {
		t.Errorf("known before: got %s", got)
	}
	a.budget.SetBurst(1000)
	a.budget.SetLimit(1e9)
	for a.class(chrome) != Person { // as soon as there is room again
	}
	if got := a.class(strings.Repeat("a", agentLength) + "bot"); got != Person {
		t.Errorf("past the length that is looked at: got %s", got)
	}
}

func TestHits(t *testing.T) {
	t.Parallel()
	h := NewHits("domherre-check")
	h.Domains([]string{"kopasex.se", "xn--kpasex-wxa.example"})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				h.Visited("kopasex.se", 302, firefox)
				h.Visited("kopasex.se", 302, "curl/8.14.1")
				h.Visited("kopasex.se", 410, chrome)
				h.Visited("xn--kpasex-wxa.example", 302, "")
				h.Visited("kopasex.se", 302, "domherre-check")
				h.Visited("kopasex.se", 200, firefox)
				h.Visited("another.example", 302, firefox)
			}
		})
		h.Domains([]string{"later.example"})
	}
	all.Wait()
	got := map[string]int64{}
	for hit := range h.All() {
		got[fmt.Sprintf("%s %d %s", hit.Domain, hit.Code, hit.Class)] = hit.N
	}
	want := map[string]int64{
		"kopasex.se 302 person": 400, "kopasex.se 302 bot": 400, "kopasex.se 410 person": 400, "xn--kpasex-wxa.example 302 bot": 400,
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestVisitedDoesNotAllocate(t *testing.T) {
	h := NewHits("domherre-check")
	h.Domains([]string{"kopasex.se"})
	h.Visited("kopasex.se", 302, firefox)
	if n := testing.AllocsPerRun(100, func() { h.Visited("kopasex.se", 302, firefox) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkVisited(b *testing.B) {
	h := NewHits("domherre-check")
	h.Domains([]string{"kopasex.se"})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			h.Visited("kopasex.se", 302, chrome)
		}
	})
}

// BenchmarkNewAgent is what a User-Agent costs that wasn't seen before.
func BenchmarkNewAgent(b *testing.B) {
	var a agents
	a.init()
	a.budget.SetLimit(1e9)
	for i := 0; b.Loop(); i++ {
		a.class(fmt.Sprint(chrome, " ", i))
	}
}
