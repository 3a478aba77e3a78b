package web

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"domherre/check"
)

// broken makes a domain that somebody has to act on.
func broken(domain string) check.DomainStatus {
	d := live(domain, domain)
	d.Live, d.State = false, check.StateBroken
	d.Checks[0] = check.Result{Check: check.CheckDelegation, State: check.StateBroken, Since: noon,
		Finding: "delegated to <b>ns1.parking.example</b>", Advice: "ask the registrar"}
	return d
}

func withState(domain, state string) check.DomainStatus {
	d := live(domain, domain)
	d.Live, d.State = false, state
	return d
}

func TestSummary(t *testing.T) {
	t.Parallel()
	warned := live("b.example", "b.example")
	warned.Checks[3].State, warned.Checks[3].Advice = check.StateWarning, "renew it"
	for _, c := range []struct {
		domains []check.DomainStatus
		sv, en  string
	}{
		{nil, "", ""},
		{[]check.DomainStatus{live("a.example", "a.example")}, "Domänen fungerar.", "The domain works."},
		{[]check.DomainStatus{live("a.example", "a.example"), live("b.example", "b.example")}, "Alla 2 domäner fungerar.", "All 2 domains work."},
		{
			[]check.DomainStatus{live("a.example", "a.example"), broken("b.example"), broken("c.example")},
			"1 av 3 domäner fungerar. 2 behöver något från dig.", "1 of 3 domains work. 2 need something from you.",
		},
		{
			[]check.DomainStatus{live("a.example", "a.example"), warned},
			"Alla 2 domäner fungerar. 1 behöver något från dig.", "All 2 domains work. 1 needs something from you.",
		},
		{
			[]check.DomainStatus{withState("a.example", check.StateWaiting), withState("b.example", check.StateUnknown), withState("c.example", check.StatePaused), withState("d.example", check.StatePlanned)},
			"0 av 2 domäner fungerar. 1 väntar och blir klar av sig själv. 1 kan inte bedömas just nu. 1 är pausad. 1 är planerad.",
			"0 of 2 domains work. 1 is waiting and will finish by itself. 1 cannot be judged right now. 1 is paused. 1 is planned.",
		},
		{[]check.DomainStatus{withState("a.example", check.StateWaiting)}, "Domänen fungerar inte ännu. 1 väntar och blir klar av sig själv.", "The domain does not work yet. 1 is waiting and will finish by itself."},
		{[]check.DomainStatus{withState("a.example", check.StatePaused), withState("b.example", check.StatePaused)}, "2 är pausade.", "2 are paused."},
	} {
		for lang, want := range map[string]string{"sv": c.sv, "en": c.en} {
			s := &server{text: textIn(lang), now: from(check.Report{}).Now}
			if got := s.newView(check.Report{Domains: c.domains}).Summary; got != want {
				t.Errorf("%s: got %q, want %q", lang, got, want)
			}
		}
	}
}

// TestLanguagesAreWhole finds a text that one language lacks.
func TestLanguagesAreWhole(t *testing.T) {
	t.Parallel()
	sv, en := swedish(), english()
	for name, pair := range map[string][2]map[string]string{
		"Overall": {sv.Overall, en.Overall}, "States": {sv.States, en.States}, "Checks": {sv.Checks, en.Checks},
	} {
		if len(pair[0]) != len(pair[1]) {
			t.Errorf("%s: %d words in Swedish, %d in English", name, len(pair[0]), len(pair[1]))
		}
		for key := range pair[1] {
			if pair[0][key] == "" {
				t.Errorf("%s: %q isn't in Swedish", name, key)
			}
		}
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	down := check.Result{Check: check.CheckFrontend, State: check.StateBroken, Finding: "the frontend does not answer"}
	idn := live("köpasex.example", "xn--kpasex-wxa.example")
	idn.Certificate = &check.Certificate{Names: []string{"xn--kpasex-wxa.example"}, Issuer: "Testutfärdaren", NotAfter: noon}
	o := from(check.Report{Campaign: "Du avgör!", Frontend: &down, Domains: []check.DomainStatus{idn, broken("kopasex.se")}})
	o.Language = "sv"
	h := New(o)

	all := ask(h, "GET", "/").Body.String()
	for _, want := range []string{
		`<html lang="sv">`, "<title>1 av 2 domäner fungerar. 1 behöver något från dig. – Du avgör!</title>",
		"the frontend does not answer", "&lt;b&gt;ns1.parking.example&lt;/b&gt;", "ask the registrar",
		`href="/domains/xn--kpasex-wxa.example">köpasex.example</a><span class="ascii">xn--kpasex-wxa.example</span>`,
		"Fungerar inte", "trasig",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, path := range []string{"/domains/xn--kpasex-wxa.example", "/domains/k%C3%B6pasex.example", "/domains/XN--KPASEX-WXA.example."} {
		w := ask(h, "GET", path)
		if w.Code != 200 || !strings.Contains(w.Body.String(), "<h1>köpasex.example</h1>") || !strings.Contains(w.Body.String(), "Testutfärdaren") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := ask(h, "GET", "/domains/%3Cscript%3E"); w.Code != 404 || strings.Contains(w.Body.String(), "script") {
		t.Errorf("an unknown domain: %d %s", w.Code, w.Body)
	}
	if w := ask(New(from(check.Report{})), "GET", "/"); !strings.Contains(w.Body.String(), "No domains yet.") {
		t.Errorf("an empty list: %s", w.Body)
	}
}

func TestPageWithoutReport(t *testing.T) {
	t.Parallel()
	o := Options{Status: func(context.Context) (check.Report, error) { return check.Report{}, errors.New("secret reason") }}
	for _, path := range []string{"/", "/domains/kopasex.se"} {
		w := ask(New(o), "GET", path)
		if w.Code != 503 || strings.Contains(w.Body.String(), "secret reason") || !strings.Contains(w.Body.String(), "cannot be read") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestMarkup checks by machine what WCAG 2.2 wants of the markup: a language,
// one h1 and no skipped level, landmarks, header cells with a scope, a caption,
// names for all links, unique ids that are all there, no scripts, no inline
// style, and nothing from elsewhere.
func TestMarkup(t *testing.T) {
	t.Parallel()
	o := from(check.Report{Campaign: "Du avgör!", Domains: []check.DomainStatus{live("köpasex.example", "xn--kpasex-wxa.example"), broken("kopasex.se")}})
	for _, lang := range []string{"sv", "en"} {
		o.Language = lang
		h := New(o)
		for _, path := range []string{"/", "/domains/kopasex.se", "/domains/none.example"} {
			doc, err := html.Parse(ask(h, "GET", path).Body)
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range markupFaults(doc) {
				t.Errorf("%s in %s: %s", path, lang, fault)
			}
		}
	}
}

func markupFaults(doc *html.Node) (faults []string) {
	count, ids, wanted, level := map[string]int{}, map[string]bool{}, []string{}, 0
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		if id := attr["id"]; id != "" {
			if ids[id] {
				faults = append(faults, "id twice: "+id)
			}
			ids[id] = true
		}
		for _, key := range []string{"aria-labelledby", "aria-describedby"} {
			wanted = append(wanted, strings.Fields(attr[key])...)
		}
		if attr["style"] != "" || n.Data == "script" || n.Data == "style" {
			faults = append(faults, "inline style or script: "+n.Data)
		}
		if href := attr["href"] + attr["src"]; strings.Contains(href, "//") {
			faults = append(faults, "leads elsewhere: "+href)
		}
		switch {
		case n.Data == "html" && attr["lang"] == "":
			faults = append(faults, "no lang")
		case n.Data == "th" && attr["scope"] == "":
			faults = append(faults, "th without scope")
		case n.Data == "a" && strings.TrimSpace(content(n)) == "":
			faults = append(faults, "a link without a name")
		case regexp.MustCompile(`^h[1-6]$`).MatchString(n.Data):
			if next := int(n.Data[1] - '0'); next > level+1 {
				faults = append(faults, "a heading level is skipped before "+content(n))
			}
			level = int(n.Data[1] - '0')
		}
	}
	for _, tag := range []string{"h1", "main", "header", "footer", "title"} {
		if count[tag] != 1 {
			faults = append(faults, "not exactly one "+tag)
		}
	}
	if count["table"] != count["caption"] {
		faults = append(faults, "a table without a caption")
	}
	for _, id := range wanted {
		if !ids[id] {
			faults = append(faults, "no element has the id "+id)
		}
	}
	return faults
}

func content(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}
