package portfolio

import (
	"fmt"
	"strings"
)

// readMarker gives the zone's marker, if it is ours.
func readMarker(name Name, obs Zone, id string) (Marker, error) {
	set, found := obs.Find(MarkerKey)
	if !found {
		return Marker{}, nil
	}
	m, err := ParseMarker(set.Data)
	if err != nil {
		return Marker{}, fmt.Errorf("%s: %w; update domherre, or delete the TXT RRset at %s: nothing else is lost, what already stands as wanted is taken over",
			name, err, name.Host(MarkerName))
	}
	if m.Portfolio != id {
		return Marker{}, &ForeignMarkerError{Zone: name, Portfolio: m.Portfolio}
	}
	return m, nil
}

// ForeignMarkerError says that another portfolio manages a zone.
type ForeignMarkerError struct {
	Zone      Name
	Portfolio string // the other's MarkerID
}

func (e *ForeignMarkerError) Error() string {
	return fmt.Sprintf("%s: the zone is managed by another portfolio (%s): take the domain out of one of the two lists; if the other has given it up, delete the TXT RRset at %s",
		e.Zone, e.Portfolio, e.Zone.Host(MarkerName))
}

// finishMarker settles what the marker says afterwards: nothing where nothing
// is ours any more, and never anything with ownership none.
func (d *differ) finishMarker(id string) {
	if d.mode == OwnNone {
		d.after = d.before
		return
	}
	d.after.Portfolio = id
	if len(d.after.Owned) == 0 {
		d.after = Marker{}
	}
	switch {
	case d.before.IsZero() && !d.after.IsZero():
		d.note("marks the zone as managed by this portfolio")
	case !d.before.IsZero() && d.after.IsZero():
		d.note("takes this portfolio's mark off the zone")
	}
	if n := len(d.adopted); n > 0 {
		d.note("takes over %s that already %s as wanted: %s", plural(n, "RRset"), verb(n, "stands", "stand"), strings.Join(d.adopted, ", "))
	}
}
