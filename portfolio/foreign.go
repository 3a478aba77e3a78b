package portfolio

import (
	"slices"
	"strings"
)

// Foreign gives what a zone holds that no portfolio's marker claims and that
// an entry may declare under records: all but the NS RRset of the apex, the
// marker and challenges. Of a TXT RRset that a marker claims in part, it gives
// the other values. A marker that can't be read claims nothing.
func Foreign(z Zone) []RRset {
	var marker Marker
	if set, found := z.Find(MarkerKey); found {
		marker, _ = ParseMarker(set.Data)
	}
	var out []RRset
	for _, s := range z.RRsets {
		if s.Key() == apexNS || notForRecords(s.Key()) != "" || strings.HasPrefix(s.Name, "_acme-challenge") {
			continue
		}
		if own, claimed := marker.Find(s.Key()); claimed {
			s.Data = slices.DeleteFunc(slices.Clone(s.Data), func(v string) bool { return s.Type != "TXT" || own.ours(v) })
		}
		if len(s.Data) > 0 {
			out = append(out, s)
		}
	}
	return out
}
