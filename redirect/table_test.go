package redirect

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func TestNewTableRefuses(t *testing.T) {
	t.Parallel()
	ok := Site{Domain: "kopasex.se", Hosts: []string{"kopasex.se"}, Target: frontend}
	for want, change := range map[string]func(*Site){
		"redirect status 200":      func(s *Site) { s.Status = 200 },
		"target is no URL":         func(s *Site) { s.Target = "https://%zz/" },
		"is no web address":        func(s *Site) { s.Target = "/relative" },
		`"javascript:alert(1)"`:    func(s *Site) { s.Target = "javascript:alert(1)" },
		"user name or password":    func(s *Site) { s.Target = "https://user:hunter2@f.example/" },
		"needs a host in A-labels": func(s *Site) { s.Target = "https://duavgör.se/" },
		`target "https:///x"`:      func(s *Site) { s.Target = "https:///x" },
		`host "KOPASEX.se"`:        func(s *Site) { s.Hosts = []string{"KOPASEX.se"} },
		`host "a.se."`:             func(s *Site) { s.Hosts = []string{"a.se."} },
		`host "*"`:                 func(s *Site) { s.Hosts = []string{"*"} },
		`host "a.*.se"`:            func(s *Site) { s.Hosts = []string{"a.*.se"} },
		"belongs to kopasex.se":    func(s *Site) { s.Hosts = []string{"a.se", "a.se"} },
	} {
		s := ok
		change(&s)
		_, err := NewTable([]Site{s})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "kopasex.se: ") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	table := mustTable(t,
		Site{Domain: "one", Hosts: []string{"a.example", "*.a.example", "x.y.a.example"}, Target: frontend},
		Site{Domain: "two", Hosts: []string{"*.b.a.example"}, Target: frontend})
	for host, want := range map[string]string{
		"a.example": "one", "x.a.example": "one", "x.y.a.example": "one", "z.y.a.example": "one",
		"b.a.example": "one", "x.b.a.example": "two", "x.y.b.a.example": "two",
		"example": "", "": "", "aa.example": "", "xa.example": "",
	} {
		got := ""
		if e := table.find(host); e != nil {
			got = e.site.domain
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", host, got, want)
		}
	}
}

// manySites are n domains with two hosts each.
func manySites(n int) []Site {
	sites := make([]Site, n)
	for i := range sites {
		d := fmt.Sprintf("domain-%d.example", i)
		sites[i] = Site{Domain: d, Hosts: []string{d, "www." + d}, Target: frontend, HSTS: "max-age=31536000"}
	}
	return sites
}

func TestTableMemory(t *testing.T) {
	sites := manySites(5000)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	table := mustTable(t, sites...)
	runtime.GC()
	runtime.ReadMemStats(&after)
	perHost := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / 10000
	runtime.KeepAlive(table)
	if perHost > 1024 {
		t.Errorf("%d bytes per host, want at most 1024", perHost)
	}
}

func BenchmarkNewTable10000(b *testing.B) {
	sites := manySites(10000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewTable(sites); err != nil {
			b.Fatal(err)
		}
	}
}
