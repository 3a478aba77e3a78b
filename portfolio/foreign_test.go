package portfolio

import (
	"reflect"
	"testing"
)

func TestForeign(t *testing.T) {
	t.Parallel()
	marker := Marker{Portfolio: MarkerID("p"), Owned: []Owned{
		{Key: Key{"@", "A"}}, {Key: Key{"@", "TXT"}, Values: hashes([]string{"v=spf1 -all"})},
	}}
	z := Zone{RRsets: []RRset{
		set("@", "A", 60, "192.0.2.1"), set("@", "MX", 60, "10 mail.test."), set("@", "NS", 60, "ns1.test."),
		set("@", "TXT", 60, "site=1", "v=spf1 -all"), set("_acme-challenge.www", "TXT", 60, "token"), marker.RRset(),
		set("lab", "NS", 60, "ns.lab.test."),
	}}
	SortRRsets(z.RRsets)
	want := []RRset{set("@", "MX", 60, "10 mail.test."), set("@", "TXT", 60, "site=1"), set("lab", "NS", 60, "ns.lab.test.")}
	if got := Foreign(z); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := z.RRsets[3]; len(got.Data) != 2 {
		t.Errorf("the zone was changed: %v", got)
	}
}
