package portfolio

import (
	"errors"
	"strings"
	"testing"
)

func TestParseHost(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"www.duavgör.se":           "www.xn--duavgr-0xa.se",
		"WWW.DUAVGÖR.SE.":          "www.xn--duavgr-0xa.se",
		"ns1.example.":             "ns1.example",
		"www.XN--duavgr-0xa.se":    "www.xn--duavgr-0xa.se",
		"a.b.c.d.example":          "a.b.c.d.example",
		"localhost":                "localhost",
		"www.xn--duavgr-0xa.co.uk": "www.xn--duavgr-0xa.co.uk",
	} {
		if got, err := ParseHost(in); err != nil || got != want {
			t.Errorf("ParseHost(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestParseHostRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, reason, hint string }{
		{"", "is empty", hintExample},
		{"ns1", "has no dot", "write the whole name, such as ns1.kopasex.se"},
		{"192.0.2.53", "is an IP address", hintExample},
		{"2001:db8::53", "is an IP address", hintExample},
		{"192.0.2.53:53", "is an IP address", hintExample},
		{"ns1.example:53", "has a port", "write ns1.example"},
		{"https://www.duavgör.se/", "is a URL", "write duavgör.se"},
		{"_x.kopasex.se", "contains an underscore", hintLetters},
		{"wwｗ.kopasex.se", `contains "ｗ" (U+FF57), which only looks like "w"`, `write "w"`},
	} {
		got, err := ParseHost(c.in)
		var refused *NameError
		if !errors.As(err, &refused) || got != "" {
			t.Errorf("ParseHost(%q) = %q, %v; want it refused", c.in, got, err)
			continue
		}
		if refused.Reason != c.reason || refused.Hint != c.hint {
			t.Errorf("ParseHost(%q)\n got %q, %q\nwant %q, %q", c.in, refused.Reason, refused.Hint, c.reason, c.hint)
		}
	}
}

func TestParseOwner(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"@":                  "@",
		"www":                "www",
		"WWW":                "www",
		"*":                  "*",
		"*.Lab":              "*.lab",
		"_dmarc":             "_dmarc",
		"*._domainkey":       "*._domainkey",
		"_443._tcp.www":      "_443._tcp.www",
		"a_b":                "a_b",
		"ö":                  "xn--nda",
		"Ö.lab":              "xn--nda.lab",
		"xn--nda":            "xn--nda",
		"_acme-challenge.åä": "_acme-challenge.xn--4cab",
	} {
		if got, err := ParseOwner(in); err != nil || got != want {
			t.Errorf("ParseOwner(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestParseOwnerRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, reason, hint string }{
		{"", "is empty", `write "@" for the domain itself`},
		{"www.", "ends in a dot", `write it relative to the domain, such as "www"`},
		{"a..b", "has an empty label", "write one dot between labels, none before or behind them"},
		{"www*", `contains "*" where it is no wildcard`, `write "*" as the whole first label, such as "*" or "*.lab"`},
		{"www.*", `contains "*" where it is no wildcard`, `write "*" as the whole first label, such as "*" or "*.lab"`},
		{"_ö", `has a label with an underscore and "ö" (U+00F6)`, "write a to z, digits and hyphens beside an underscore"},
		{"_a b", "contains a space (U+0020)", "write the name without spaces"},
		{`a\.b`, `contains "\" (U+005C), which is no letter, digit or hyphen`, hintLetters},
		{"💩", `contains "💩" (U+1F4A9), which is no letter, digit or hyphen`, hintLetters},
		{"-a", "has a label that starts with a hyphen", "remove the hyphen"},
		{strings.Repeat("_", 64), "has a label of more than 63 characters in its A-label form", "shorten it"},
		{strings.Repeat("a.", 127) + "a", "has 255 characters in its A-label form, more than 253", "shorten it"},
	} {
		got, err := ParseOwner(c.in)
		var refused *NameError
		if !errors.As(err, &refused) || got != "" {
			t.Errorf("ParseOwner(%q) = %q, %v; want it refused", c.in, got, err)
			continue
		}
		if refused.Reason != c.reason || refused.Hint != c.hint {
			t.Errorf("ParseOwner(%q)\n got %q, %q\nwant %q, %q", c.in, refused.Reason, refused.Hint, c.reason, c.hint)
		}
	}
}

func FuzzParseHost(f *testing.F) {
	for _, s := range []string{"www.duavgör.se", "ns1.example.", "192.0.2.1", "a..b", "localhost", "xn--a.example", "[::1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, err := ParseHost(s)
		if err != nil {
			return
		}
		if !isPlainHost(host) {
			t.Fatalf("ParseHost(%q) = %q", s, host)
		}
		if again, err := ParseHost(host); err != nil || again != host {
			t.Fatalf("ParseHost(%q) = %q, which gives %q, %v", s, host, again, err)
		}
	})
}

// An owner name that ParseOwner takes is the one that NewRRset makes of it.
func FuzzParseOwner(f *testing.F) {
	for _, s := range []string{"@", "www", "*.Lab", "_dmarc", "ö", "a_b", "xn--nda", `a\.b`, "www*"} {
		f.Add(s)
	}
	zone, err := ParseName("kopasex.se")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		owner, err := ParseOwner(s)
		if err != nil {
			return
		}
		if again, err := ParseOwner(owner); err != nil || again != owner {
			t.Fatalf("ParseOwner(%q) = %q, which gives %q, %v", s, owner, again, err)
		}
		set, err := NewRRset(zone, s, "A", 300, []string{"192.0.2.10"})
		if len(owner) > 200 && err != nil {
			return // too long below this zone
		}
		if err != nil || set.Name != owner {
			t.Fatalf("ParseOwner(%q) = %q, but NewRRset names it %q, %v", s, owner, set.Name, err)
		}
	})
}
