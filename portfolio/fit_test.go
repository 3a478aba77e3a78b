package portfolio

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// What a provider of some shape can't hold is told before anything is written,
// with all its reasons, and the domain's plan fails by it.
func TestUnfit(t *testing.T) {
	t.Parallel()
	two := func(d *Domain) {
		d.DNS.Addresses = append(d.DNS.Addresses[:1:1], netip.MustParseAddr("192.0.2.11"))
	}
	for name, c := range map[string]struct {
		facts  Facts
		change func(*Domain)
		want   []string // parts of the reason; none: it fits
	}{
		"any shape":          {Facts{}, two, nil},
		"one value, no mail": {Facts{OneValue: true}, func(d *Domain) { d.DNS.Mail, d.DNS.Hosts = MailKeep, []string{"@"} }, nil},
		"two addresses":      {Facts{OneValue: true}, two, []string{"it holds one value of a name and type: @ A (2)"}},
		"marker": {Facts{OneValue: true}, func(d *Domain) {
			d.DNS.Hosts = append(d.DNS.Hosts, strings.Fields("stockholm goteborg malmo uppsala vasteras orebro linkoping helsingborg jonkoping norrkoping lund umea gavle boras")...)
		}, []string{"the marker of", "write dns: {ownership: none}"}},
		"no marker": {Facts{OneValue: true}, func(d *Domain) { d.DNS.Ownership = OwnNone }, nil},
		"no apex":   {Facts{NoApex: true}, func(*Domain) {}, []string{"nothing at the domain itself: @ A"}},
		"long text": {Facts{LongestText: 20}, func(*Domain) {}, []string{"texts of up to 20 octets: _dmarc TXT"}},
	} {
		d := entry(t, "kopasex.se")
		d.Provider = "main"
		c.change(&d)
		got := Unfit(&d, c.facts, time.Now())
		if (got == "") != (len(c.want) == 0) {
			t.Errorf("%s: %q", name, got)
		}
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q lacks %q", name, got, want)
			}
		}
		if err := Desire(&d, c.facts, time.Now()).Err; (err == nil) != (len(c.want) == 0) || err != nil && !strings.HasPrefix(err.Error(), "kopasex.se: provider main can't hold") {
			t.Errorf("%s: the domain is wanted with %v", name, err)
		}
	}
}
