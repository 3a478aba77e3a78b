//go:build !lean

package dnsprovider

import (
	hetzner "github.com/libdns/hetzner/v2"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// hetznerZones creates zones at Hetzner (https://docs.hetzner.cloud/reference/cloud#zones).
func hetznerZones(p *hetzner.Provider) zoneio.Creator {
	type value struct {
		Value string `json:"value"`
	}
	type set struct {
		Name    string  `json:"name"`
		Type    string  `json:"type"`
		TTL     uint32  `json:"ttl"`
		Records []value `json:"records"`
	}
	return zoneMaker{"Hetzner", "https://api.hetzner.cloud/v1/zones", zoneio.NewREST(bearer(p.APIToken)), func(name portfolio.Name, sets []madeSet) any {
		body := struct {
			Name   string `json:"name"`
			Mode   string `json:"mode"`
			RRSets []set  `json:"rrsets,omitempty"`
		}{Name: name.ASCII(), Mode: "primary"}
		for _, s := range sets {
			made := set{Name: s.Name, Type: s.Type, TTL: s.TTL}
			for _, v := range s.values {
				made.Records = append(made.Records, value{v})
			}
			body.RRSets = append(body.RRSets, made)
		}
		return body
	}}
}
