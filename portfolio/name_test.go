package portfolio

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"
)

const (
	hintExample = "write a name such as kopasex.se"
	hintLetters = "write letters, digits and hyphens only"
	hintAnew    = "delete it and type the name anew"
	hintScript  = "type the name anew, in one alphabet"
	hintTable   = "see the registry's table of letters, https://dotse.github.io/IDN-tables/"
)

func TestParseName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 63)
	for _, c := range []struct{ in, ascii, shown string }{
		{"kopasex.se", "kopasex.se", "kopasex.se"},
		{"kopasex.se.", "kopasex.se", "kopasex.se"},
		{"KOPASEX.SE", "kopasex.se", "kopasex.se"},
		{"köpasex.se", "xn--kpasex-wxa.se", "köpasex.se (xn--kpasex-wxa.se)"},
		{"KÖPASEX.se.", "xn--kpasex-wxa.se", "köpasex.se (xn--kpasex-wxa.se)"},
		{"xn--kpasex-wxa.se", "xn--kpasex-wxa.se", "köpasex.se (xn--kpasex-wxa.se)"},
		{"XN--KPASEX-WXA.example", "xn--kpasex-wxa.example", "köpasex.example (xn--kpasex-wxa.example)"},
		{"ko\u0308pasex.example", "xn--kpasex-wxa.example", "köpasex.example (xn--kpasex-wxa.example)"},
		{"K\u00d6PASEX.example", "xn--kpasex-wxa.example", "köpasex.example (xn--kpasex-wxa.example)"},
		{"duavgör.se", "xn--duavgr-0xa.se", "duavgör.se (xn--duavgr-0xa.se)"},
		{"kopasex.co.uk", "kopasex.co.uk", "kopasex.co.uk"},
		{"1-2.se", "1-2.se", "1-2.se"},
		{"aa.se", "aa.se", "aa.se"},
		{long + ".se", long + ".se", long + ".se"},
		{"šđŋ.se", "xn--fea0joc.se", "šđŋ.se (xn--fea0joc.se)"},
		{"ðþæø.se", "xn--6catzw.se", "ðþæø.se (xn--6catzw.se)"},
		{"āēīōū.nu", "xn--yda0b4dqg4f.nu", "āēīōū.nu (xn--yda0b4dqg4f.nu)"},
		{"א\u05b71א.se", "xn--1-kgc8ec.se", "א\u05b71א.se (xn--1-kgc8ec.se)"},
		{"ײ\u05b7א.se", "xn--fdb4c6e.se", "ײ\u05b7א.se (xn--fdb4c6e.se)"},
		{"straße.example", "xn--strae-oqa.example", "straße.example (xn--strae-oqa.example)"},
		{"пример.example", "xn--e1afmkfd.example", "пример.example (xn--e1afmkfd.example)"},
		{"日本shop.example", "xn--shop-f79hm9d.example", "日本shop.example (xn--shop-f79hm9d.example)"},
		{"paral·lel.example", "xn--parallel-koa.example", "paral·lel.example (xn--parallel-koa.example)"},
	} {
		n, err := ParseName(c.in)
		if err != nil {
			t.Errorf("ParseName(%q): %v", c.in, err)
			continue
		}
		if n.ASCII() != c.ascii || n.String() != c.shown || n.FQDN() != c.ascii+"." {
			t.Errorf("ParseName(%q) = %q, %q; want %q, %q", c.in, n.ASCII(), n.String(), c.ascii, c.shown)
		}
	}
}

func TestParseNameRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, reason, hint string }{
		// another kind of thing
		{"", "is empty", hintExample},
		{".", "is empty", hintExample},
		{"\xffa.se", "is not valid UTF-8", "save the file as UTF-8"},
		{"192.0.2.1", "is an IP address", hintExample},
		{"192.0.2.1.", "is an IP address", hintExample},
		{"2001:db8::1", "is an IP address", hintExample},
		{"[2001:db8::1]:443", "is an IP address", hintExample},
		{"192.0.2.0/24", "is an IP address", hintExample},
		{"kopasex.123", "ends in a number, which no top-level domain does", hintExample},
		{"https://www.kopasex.se/x", "is a URL", "write kopasex.se"},
		{"https://anna:x@www.köpasex.se:443/?a=1#b", "is a URL", "write köpasex.se"},
		{"//kopasex.se", "is a URL", "write kopasex.se"},
		{"kopasex.se/x@y", "is an e-mail address", "write kopasex.se"},
		{"kopasex.se/x", "is a URL", "write kopasex.se"},
		{"http://[2001:db8::1]/x", "is a URL", hintExample},
		{"anna@kopasex.se", "is an e-mail address", "write kopasex.se"},
		{"mailto:anna@mail.kopasex.se", "is an e-mail address", "write kopasex.se"},
		{"@", "is an e-mail address", hintExample},
		{"kopasex.se:443", "has a port", "write kopasex.se"},
		{"*.kopasex.se", "is a wildcard", `write kopasex.se; "*" is added by dns.hosts`},

		// not registrable
		{"se", "is a public suffix, not a domain", "write a name below it, such as kopasex.se"},
		{"co.uk", "is a public suffix, not a domain", "write a name below it, such as kopasex.co.uk"},
		{"kopasex", "has no top-level domain", "write the whole name, such as kopasex.se"},
		{"www.kopasex.se", "is a host of kopasex.se", "write kopasex.se; www is added by dns.hosts"},
		{"www.köpasex.se", "is a host of köpasex.se", "write köpasex.se; www is added by dns.hosts"},
		{"ö.lab.köpasex.se", "is a host of köpasex.se", `write köpasex.se and list "ö.lab" in its dns.hosts`},

		// form
		{"a..se", "has an empty label", "write one dot between labels, none before or behind them"},
		{".kopasex.se", "has an empty label", "write one dot between labels, none before or behind them"},
		{"kopasex.se..", "has an empty label", "write one dot between labels, none before or behind them"},
		{"-a.se", "has a label that starts with a hyphen", "remove the hyphen"},
		{"ö-.se", "has a label that ends with a hyphen", "remove the hyphen"},
		{"ab--c.se", "has hyphens as third and fourth character of a label", "remove one; only xn-- may stand there"},
		{strings.Repeat("a", 64) + ".se", "has a label of more than 63 characters in its A-label form", "shorten it"},
		{strings.Repeat("ä", 200) + ".se", "has a label of more than 63 characters in its A-label form", "shorten it"},
		{strings.Repeat("ä", 58) + ".se", "has a label of more than 63 characters in its A-label form", "shorten it"},
		{strings.Repeat("a.", 126) + "se", "has 254 characters in its A-label form, more than 253", "shorten it"},

		// characters
		{"a_b.se", "contains an underscore", hintLetters},
		{"kop asex.se", "contains a space (U+0020)", "write the name without spaces"},
		{"kop\u00a0asex.se", "contains a space (U+00A0)", "write the name without spaces"},
		{"kop\x07asex.se", "contains the control character U+0007", hintAnew},
		{"kop\tasex.se", "contains the control character U+0009", hintAnew},
		{"k\u200dopasex.se", "contains the invisible character U+200D", hintAnew},
		{"k\u200copasex.se", "contains the invisible character U+200C", hintAnew},
		{"ko\u00adpasex.se", "contains the invisible character U+00AD", hintAnew},
		{"\ufeffkopasex.se", "contains the invisible character U+FEFF", hintAnew},
		{"\u202ekopasex.se", "contains the invisible character U+202E", hintAnew},
		{"a\ufe0f.se", "contains the invisible character U+FE0F", hintAnew},
		{"\u115fa.example", "contains the invisible character U+115F", hintAnew},
		{"kopasex。se", `contains "。" (U+3002) instead of a full stop`, `write "." between labels`},
		{"kopasex．se", `contains "．" (U+FF0E) instead of a full stop`, `write "." between labels`},
		{"ｋopasex.se", `contains "ｋ" (U+FF4B), which only looks like "k"`, `write "k"`},
		{"ﬁn.se", `contains "ﬁ" (U+FB01), which only looks like "fi"`, `write "fi"`},
		{"💩.se", `contains "💩" (U+1F4A9), which is no letter, digit or hyphen`, hintLetters},
		{"xn--ls8h.se", `contains "💩" (U+1F4A9), which is no letter, digit or hyphen`, hintLetters},
		{"kopasex–x.se", `contains "–" (U+2013), which is no letter, digit or hyphen`, hintLetters},
		{"kopasex.se, kopasex.nu", `contains "," (U+002C), which is no letter, digit or hyphen`, hintLetters},
		{"*", `contains "*" (U+002A), which is no letter, digit or hyphen`, hintLetters},
		{"a·b.example", `contains "·" (U+00B7) where it is not allowed`, hintLetters},
		{"\u0308b.example", "is not allowed by IDNA 2008 (invalid label \"\u0308b\")", hintExample},
		{"1א.example", `is not allowed by IDNA 2008 (invalid label "1א")`, hintExample},

		// scripts
		{"kоpasex.se", `mixes Latin letters with the Cyrillic "о" (U+043E)`, hintScript},
		{"оkpasex.example", `mixes Latin letters with the Cyrillic "о" (U+043E)`, hintScript},
		{"xn--kpasex-wqf.example", `mixes Latin letters with the Cyrillic "о" (U+043E)`, hintScript},
		{"αа.example", `mixes Greek letters with the Cyrillic "а" (U+0430)`, hintScript},

		// the registries' tables
		{"ааа.se", `contains "а" (U+0430), which cannot be registered below .se`, hintTable},
		{"straße.se", `contains "ß" (U+00DF), which cannot be registered below .se`, hintTable},
		{"ÿ.se", `contains "ÿ" (U+00FF), which cannot be registered below .se`, hintTable},
		{"š.nu", `contains "š" (U+0161), which cannot be registered below .nu`, hintTable},
		{"א.nu", `contains "א" (U+05D0), which cannot be registered below .nu`, hintTable},
		{"ײא.se", `contains "ײ" (U+05F2) where the registry of .se does not allow it`, "see the registry's Yiddish table, https://dotse.github.io/IDN-tables/"},
		{"א1.se", `contains "1" (U+0031) where the registry of .se does not allow it`, "see the registry's Yiddish table, https://dotse.github.io/IDN-tables/"},

		// A-labels that aren't
		{"xn--kpasex-wxa-.se", "has a label that ends with a hyphen", "remove the hyphen"},
		{"xn--99999999.se", `has the label "xn--99999999", which decodes to nothing`, "write the name with its letters"},
		{"xn--kpasex-xqa.example", `has the label "xn--kpasex-xqa", which is not the A-label of "kpÓasex"`, "write the name with its letters"},
	} {
		n, err := ParseName(c.in)
		var refused *NameError
		if !errors.As(err, &refused) {
			t.Errorf("ParseName(%q) = %q, %v; want it refused", c.in, n.ASCII(), err)
			continue
		}
		if refused.Reason != c.reason || refused.Hint != c.hint || refused.Input != c.in {
			t.Errorf("ParseName(%q)\n got %q, %q\nwant %q, %q", c.in, refused.Reason, refused.Hint, c.reason, c.hint)
		}
		if !n.IsZero() {
			t.Errorf("ParseName(%q) gives %q beside its error", c.in, n.ASCII())
		}
	}
}

func TestNameErrorNamesTheInput(t *testing.T) {
	t.Parallel()
	_, err := ParseName("k\u200dopasex.se")
	if got, want := err.Error(), `"k\u200dopasex.se" contains the invisible character U+200D`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNameRelative(t *testing.T) {
	t.Parallel()
	n := parsedName(t, "kopasex.se")
	for _, c := range []struct {
		host, owner string
		ok          bool
	}{
		{"kopasex.se", "@", true},
		{"KOPASEX.se.", "@", true},
		{"www.kopasex.se.", "www", true},
		{"_dmarc.Lab.kopasex.se", "_dmarc.lab", true},
		{"*.kopasex.se", "*", true},
		{"notkopasex.se", "", false},
		{"not.kopasex.se.example", "", false},
		{"se", "", false},
		{"", "", false},
		{".kopasex.se", "", false},
		{`a\.kopasex.se.`, "", false},
		{`a\\.kopasex.se.`, `a\\`, true},
	} {
		owner, ok := n.Relative(c.host)
		if owner != c.owner || ok != c.ok {
			t.Errorf("Relative(%q) = %q, %v; want %q, %v", c.host, owner, ok, c.owner, c.ok)
		}
	}
	if owner, ok := (Name{}).Relative("."); ok {
		t.Errorf("the zero Name holds %q", owner)
	}
	if got := n.Host("@") + " " + n.Host("www"); got != "kopasex.se www.kopasex.se" {
		t.Errorf("Host gives %q", got)
	}
}

func TestNameText(t *testing.T) {
	t.Parallel()
	type doc struct {
		Name Name          `json:"name"`
		Map  map[Name]bool `json:"map"`
	}
	in := doc{parsedName(t, "köpasex.se"), map[Name]bool{parsedName(t, "kopasex.se"): true}}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"name":"xn--kpasex-wxa.se","map":{"kopasex.se":true}}`; string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
	var out doc
	if err := json.Unmarshal(b, &out); err != nil || out.Name != in.Name || !out.Map[parsedName(t, "kopasex.se")] {
		t.Errorf("read back %v, %v", out, err)
	}
	for _, s := range []string{"", "www.kopasex.se", "se"} { // stored under other rules
		var n Name
		if err := n.UnmarshalText([]byte(s)); err != nil || n.ASCII() != s {
			t.Errorf("UnmarshalText(%q) = %q, %v", s, n.ASCII(), err)
		}
	}
	for _, s := range []string{"KOPASEX.se", "köpasex.se", "kopasex.se.", "a..se", " "} {
		var n Name
		if err := n.UnmarshalText([]byte(s)); err == nil {
			t.Errorf("UnmarshalText(%q) = %q", s, n.ASCII())
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{
		"kopasex.se", "KÖPASEX.se.", "xn--kpasex-wxa.se", "kоpasex.se", "k\u200dopasex.se", "ｋopasex。se", "a..se",
		"192.0.2.1", "https://www.kopasex.se/x", "anna@kopasex.se", "*.kopasex.se", "www.kopasex.co.uk", "שש.se",
		"paral·lel.example", "日本.example", "xn--ls8h.example", "a\xff.se", "\u0130.example", "ß.example", "ς.example",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseName(s)
		if err != nil {
			var refused *NameError
			if !errors.As(err, &refused) || refused.Reason == "" || refused.Hint == "" || !n.IsZero() {
				t.Fatalf("ParseName(%q) = %q, %#v", s, n.ASCII(), err)
			}
			return
		}
		for _, form := range []string{n.ASCII(), n.FQDN(), n.Unicode(), strings.ToUpper(n.ASCII())} {
			if again, err := ParseName(form); err != nil || again != n {
				t.Fatalf("ParseName(%q) = %q, but its form %q gives %q, %v", s, n.ASCII(), form, again.ASCII(), err)
			}
		}
		if domain, err := publicsuffix.EffectiveTLDPlusOne(n.ASCII()); err != nil || domain != n.ASCII() {
			t.Fatalf("%q is not registrable: %q, %v", n.ASCII(), domain, err)
		}
		var back Name
		if b, _ := n.MarshalText(); back.UnmarshalText(b) != nil || back != n {
			t.Fatalf("%q reads back as %q", n.ASCII(), back.ASCII())
		}
	})
}

func BenchmarkParseName(b *testing.B) {
	for _, s := range []string{"kopasex.se", "köpasex.se", "xn--kpasex-wxa.se"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseName(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNameString(b *testing.B) {
	n, err := ParseName("köpasex.se")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = n.String()
	}
}

func parsedName(t testing.TB, s string) Name {
	t.Helper()
	n, err := ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
