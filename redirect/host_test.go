package redirect

import (
	"strings"
	"testing"
)

func FuzzSplitHost(f *testing.F) {
	for _, seed := range []string{"kopasex.se", "KOPASEX.SE.:80", "[::1]:443", "192.0.2.1", "a..b", "a:b:c", "", ".", "é.se", "x\x00.se", strings.Repeat("a", 300)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, ok := splitHost(s)
		if !ok && host != "" {
			t.Fatalf("%q: refused, yet gave %q", s, host)
		}
		if host == "" {
			return
		}
		if again, ok := splitHost(host); !ok || again != host {
			t.Fatalf("%q gave %q, which gives %q", s, host, again)
		}
		if !strings.HasPrefix(strings.ToLower(s), host) || len(host) > maxHost || strings.ContainsAny(host, ":/@[]\\ ") {
			t.Fatalf("%q gave %q", s, host)
		}
	})
}

func TestSplitHostDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { splitHost("www.xn--kpasex-wxa.example:8443") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
