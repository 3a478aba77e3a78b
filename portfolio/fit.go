package portfolio

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Unfit says what of d's zone the provider can't hold because of its shape, and
// what to do; empty where all fits. What it can't hold by its type is left out,
// with a note, instead.
func Unfit(d *Domain, f Facts, now time.Time) string {
	return f.unfit(d, Desire(d, f, now).Wants)
}

// shaped reports whether the provider holds RRsets of some shapes alone.
func (f Facts) shaped() bool { return f.OneValue || f.NoApex || f.LongestText > 0 }

func (f Facts) unfit(d *Domain, wants []Want) string {
	if !f.shaped() {
		return ""
	}
	var several, apex, long []string
	owned := Marker{Portfolio: MarkerID("")}
	for _, w := range wants {
		what := w.Name + " " + w.Type
		owned.Owned = append(owned.Owned, Owned{Key: w.Key()})
		if f.OneValue && len(w.Data) > 1 {
			several = append(several, fmt.Sprintf("%s (%d)", what, len(w.Data)))
		}
		if f.NoApex && w.Name == "@" {
			apex = append(apex, what)
		}
		if f.tooLong(w.RRset) {
			long = append(long, what)
		}
	}
	var reasons []string
	if len(several) > 0 {
		reasons = append(reasons, "it holds one value of a name and type: "+strings.Join(several, ", "))
	}
	if len(apex) > 0 {
		reasons = append(reasons, "it holds nothing at the domain itself: "+strings.Join(apex, ", "))
	}
	if len(long) > 0 {
		reasons = append(reasons, fmt.Sprintf("it holds texts of up to %d octets: %s", f.LongestText, strings.Join(long, ", ")))
	}
	if f.OneValue && d.DNS.Ownership == OwnMarker && len(wants) > 0 {
		if n := len(owned.RRset().Data); n > 1 {
			reasons = append(reasons, fmt.Sprintf("it holds one value of a name and type, and the marker of %d RRsets has %d or more: write dns: {ownership: none}, or fewer hosts", len(wants), n))
		}
	}
	if len(reasons) == 0 {
		return ""
	}
	return fmt.Sprintf("provider %s can't hold what is wanted: %s", d.Provider, strings.Join(reasons, "; "))
}

func (f Facts) tooLong(s RRset) bool {
	return f.LongestText > 0 && s.Type == "TXT" && slices.ContainsFunc(s.Data, func(text string) bool { return len(text) > f.LongestText })
}
