package dnsprovider

import (
	"context"
	"fmt"
	"net/http"

	"github.com/libdns/gandi"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// zoneMaker creates zones by one request to a vendor's API, for modules that
// create none.
type zoneMaker struct {
	vendor string
	url    string
	rest   *zoneio.REST
	body   func(name portfolio.Name, sets []madeSet) any
}

// madeSet is an RRset with its data as zone files have it.
type madeSet struct {
	portfolio.RRset
	values []string
}

// CreateZone makes the zone with all its records; without them where the vendor
// doesn't take that.
func (m zoneMaker) CreateZone(ctx context.Context, name portfolio.Name, sets []portfolio.RRset) error {
	made := make([]madeSet, len(sets))
	for i, set := range sets {
		rrs, err := set.Records(name)
		if err != nil {
			return err
		}
		made[i].RRset = set
		for _, rr := range rrs {
			made[i].values = append(made[i].values, zoneio.Presentation(rr))
		}
	}
	answer, err := m.rest.Call(ctx, http.MethodPost, m.url, m.body(name, made))
	if err == nil && (answer.Status == http.StatusBadRequest || answer.Status == http.StatusUnprocessableEntity) {
		answer, err = m.rest.Call(ctx, http.MethodPost, m.url, m.body(name, nil))
	}
	if err != nil {
		return err
	}
	if answer.Status >= http.StatusMultipleChoices {
		return fmt.Errorf("%s answers %d: %s", m.vendor, answer.Status, answer.Text())
	}
	return nil
}

// bearer authorizes requests by a token.
func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// gandiZones creates zones at Gandi (https://api.gandi.net/docs/livedns/).
func gandiZones(p *gandi.Provider) zoneio.Creator {
	type set struct {
		Name   string   `json:"rrset_name"`
		Type   string   `json:"rrset_type"`
		TTL    uint32   `json:"rrset_ttl"`
		Values []string `json:"rrset_values"`
	}
	type zone struct {
		Items []set `json:"items,omitempty"`
	}
	return zoneMaker{"Gandi", "https://api.gandi.net/v5/livedns/domains", zoneio.NewREST(bearer(p.BearerToken)), func(name portfolio.Name, sets []madeSet) any {
		body := struct {
			FQDN string `json:"fqdn"`
			Zone zone   `json:"zone,omitzero"`
		}{FQDN: name.ASCII()}
		for _, s := range sets {
			body.Zone.Items = append(body.Zone.Items, set{s.Name, s.Type, s.TTL, s.values})
		}
		return body
	}}
}
