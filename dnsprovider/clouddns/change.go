package clouddns

import (
	"fmt"
	"strings"
	"time"

	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// change is what is taken away and what comes, at once.
type change struct {
	Additions []rrset `json:"additions,omitempty"`
	Deletions []rrset `json:"deletions,omitempty"`
}

func (c change) empty() bool { return len(c.Additions)+len(c.Deletions) == 0 }

// parse gives what is DNS of a zone as it was read.
func parse(name portfolio.Name, sets []rrset) (portfolio.Zone, error) {
	var recs []libdns.Record
	for _, set := range sets {
		for _, data := range set.Data {
			if set.Type == "TXT" {
				text, err := zoneio.Unquote(data)
				if err != nil {
					return portfolio.Zone{}, fmt.Errorf("%s TXT: %w", set.Name, err)
				}
				data = text
			}
			recs = append(recs, libdns.RR{Name: strings.ToLower(set.Name), Type: set.Type, TTL: time.Duration(set.TTL) * time.Second, Data: data})
		}
	}
	read, err := zoneio.RRsets(name, recs)
	return portfolio.Zone{Name: name, RRsets: read}, err
}

// plan gives the change of an API call, or ErrStale where what it touches is no
// longer as it was before.
func plan(before portfolio.Zone, sets []rrset, changes []zoneio.Change) (change, error) {
	now, err := parse(before.Name, sets)
	if err != nil {
		return change{}, err
	}
	raw := make(map[portfolio.Key]rrset)
	for _, set := range sets {
		owner, _ := zoneio.RelativeName(strings.ToLower(set.Name), before.Name.FQDN())
		raw[portfolio.Key{Name: owner, Type: set.Type}] = set
	}
	was, is := zoneio.ContentsOf(before), zoneio.ContentsOf(now)
	var out change
	for _, c := range changes {
		old, held := was[c.Key]
		_, present := is[c.Key]
		own := before.Missing && c.Key == portfolio.Key{Name: "@", Type: "NS"} // came with the zone
		if !own && (held != present || held && !is.Has(old)) {
			return change{}, portfolio.ErrStale
		}
		if is.Met(c) {
			continue
		}
		set, there := raw[c.Key]
		if there && set.Routing != nil {
			return change{}, zoneio.As(zoneio.Unsupported, fmt.Errorf("%s %s has a routing policy, which is no DNS record; remove it at Google first", c.Key.Name, c.Key.Type))
		}
		if there {
			out.Deletions = append(out.Deletions, set) // as it is: it must match exactly
		}
		if c.Set != nil {
			made, err := form(before.Name, *c.Set)
			if err != nil {
				return change{}, err
			}
			out.Additions = append(out.Additions, made)
		}
	}
	return out, nil
}

// form gives an RRset as the API takes it.
func form(zone portfolio.Name, set portfolio.RRset) (rrset, error) {
	rrs, err := set.Records(zone)
	out := rrset{Name: zoneio.AbsoluteName(set.Name, zone.FQDN()), Type: set.Type, TTL: set.TTL}
	for _, rr := range rrs {
		out.Data = append(out.Data, zoneio.Presentation(rr))
	}
	return out, err
}
