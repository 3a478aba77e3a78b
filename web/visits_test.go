package web

import (
	"strings"
	"testing"

	"domherre/check"
)

func TestPageShowsVisits(t *testing.T) {
	t.Parallel()
	d := live("köpasex.example", "xn--kpasex-wxa.example")
	d.Hits = check.Hits{Today: 15, Total: 412, PeopleToday: 9, PeopleTotal: 360}
	o := from(check.Report{Domains: []check.DomainStatus{d}})
	o.Language = "sv"
	h := New(o)
	for path, want := range map[string][]string{
		"/":                               {">15</td>", ">412</td>"},
		"/domains/xn--kpasex-wxa.example": {"<p>15 i dag, 412 totalt</p>", "<p>Därav människor, ungefär: 9 i dag, 360 totalt</p>"},
	} {
		page := ask(h, "GET", path).Body.String()
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s lacks %s", path, text)
			}
		}
	}
}
