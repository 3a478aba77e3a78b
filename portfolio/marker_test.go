package portfolio

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestMarkerIsCompact(t *testing.T) {
	t.Parallel()
	d := entry(t, "kopasex.se")
	p := Diff(Desire(&d, facts(d), now), zoneOf(t, "kopasex.se"), "duavgor")
	s := p.Marker.After.RRset()
	want := "v=domherre1 p=8c72586877a70342 @:A,AAAA,CAA,HTTPS,MX,TXT+f90139dd9ab3 *:TXT+f90139dd9ab3 *._domainkey:TXT+18247cb0900a _dmarc:TXT+a75a2b15aa16 www:A,AAAA,HTTPS,MX,TXT+f90139dd9ab3"
	if len(s.Data) != 1 || s.Data[0] != want {
		t.Errorf("got %q", s.Data)
	}
	canonical, err := NewRRset(d.Name, s.Name, s.Type, s.TTL, s.Data)
	if err != nil || !slices.Equal(canonical.Data, s.Data) {
		t.Errorf("not canonical: %q, %v", canonical.Data, err)
	}
}

func TestMarkerRoundTrip(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 63) + "." + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + "." + strings.Repeat("d", 50)
	many := Marker{Portfolio: MarkerID("x")}
	for i := range 200 {
		many.Owned = append(many.Owned,
			Owned{Key: Key{fmt.Sprintf("host%03d", i), "AAAA"}},
			Owned{Key: Key{fmt.Sprintf("host%03d", i), "TXT"}, Values: []string{hashValue("a"), hashValue("b")}})
		slices.Sort(many.Owned[len(many.Owned)-1].Values)
	}
	for name, m := range map[string]Marker{
		"nothing owned": {Portfolio: MarkerID("x")},
		"odd names": {Portfolio: MarkerID("x"), Owned: []Owned{
			{Key: Key{"@", "A"}}, {Key: Key{"*", "A"}}, {Key: Key{`a\.b c`, "A"}}, {Key: Key{`a\032b`, "TYPE65280"}}, {Key: Key{"a%b", "NSAP-PTR"}},
		}},
		"many":      many,
		"long name": {Portfolio: MarkerID("x"), Owned: []Owned{{Key: Key{long, "A"}}, {Key: Key{long, "TXT"}, Values: []string{hashValue("a")}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m.Owned = tidyOwned(m.Owned)
			s := m.RRset()
			if strings.Join(s.Data, "\n") != strings.Join(m.RRset().Data, "\n") {
				t.Error("not deterministic")
			}
			for _, v := range s.Data {
				if len(v) > 255 && name != "long name" {
					t.Errorf("%d octets: %q", len(v), v)
				}
			}
			got, err := ParseMarker(s.Data)
			if err != nil || !got.Equal(m) {
				t.Errorf("got %v, %v\nwant %v", got, err, m)
			}
			slices.Reverse(s.Data)
			if got, err := ParseMarker(s.Data); err != nil || !got.Equal(m) {
				t.Errorf("in another order: %v, %v", got, err)
			}
		})
	}
}

func TestParseMarkerRefuses(t *testing.T) {
	t.Parallel()
	id := MarkerID("x")
	for value, reason := range map[string]string{
		"":                                    "it is not from domherre",
		"v=spf1 -all":                         "it is not from domherre",
		"v=domherre2 p=" + id:                 "it is from another version of domherre",
		"v=domherre1":                         "it names no portfolio",
		"v=domherre1 p=":                      "it names no portfolio",
		"v=domherre1 p=0123":                  "it names no portfolio",
		"v=domherre1 p=" + id + " www":        `"www" is no entry of a marker`,
		"v=domherre1 p=" + id + " :A":         `":A" is no entry of a marker`,
		"v=domherre1 p=" + id + " www:":       `"www:" is no entry of a marker`,
		"v=domherre1 p=" + id + " www:a":      `"www:a" is no entry of a marker`,
		"v=domherre1 p=" + id + " WWW:A":      `"WWW:A" is no entry of a marker`,
		"v=domherre1 p=" + id + " w%77w:A":    `"w%77w:A" is no entry of a marker`,
		"v=domherre1 p=" + id + " w%2:A":      `"w%2:A" is no entry of a marker`,
		"v=domherre1 p=" + id + " www:TXT":    `"www:TXT" is no entry of a marker`,
		"v=domherre1 p=" + id + " www:TXT+0":  `"www:TXT+0" is no entry of a marker`,
		"v=domherre1 p=" + id + " www:A+0123": `"www:A+0123" is no entry of a marker`,
	} {
		_, err := ParseMarker([]string{value})
		if e := (*MarkerError)(nil); !errors.As(err, &e) || e.Reason != reason {
			t.Errorf("%q: %v", value, err)
		}
	}
	_, err := ParseMarker([]string{"v=domherre1 p=" + id, "v=domherre1 p=" + MarkerID("y")})
	if err == nil || !strings.Contains(err.Error(), "beside the marker of another portfolio, "+id) {
		t.Error(err)
	}
}

func FuzzParseMarker(f *testing.F) {
	f.Add("v=domherre1 p=8c72586877a70342 @:A,AAAA,CAA,HTTPS,MX,TXT+f90139dd9ab3 *:TXT+f90139dd9ab3 www:A", "")
	f.Add("v=domherre1 p=8c72586877a70342 @:A", "v=domherre1 p=8c72586877a70342 @:A,TXT+f90139dd9ab3 a%20b:MX")
	f.Add("v=domherre2 p=8c72586877a70342", "v=domherre1 p=8c72586877a70342  @:A")
	f.Fuzz(func(t *testing.T, a, b string) {
		m, err := ParseMarker([]string{a, b})
		if err != nil {
			return
		}
		s := m.RRset()
		again, err := ParseMarker(s.Data)
		if err != nil || !again.Equal(m) {
			t.Fatalf("%q, %q: %v became %v (%v)", a, b, m, again, err)
		}
	})
}
