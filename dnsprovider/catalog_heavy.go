//go:build !lean

package dnsprovider

import (
	hetzner "github.com/libdns/hetzner/v2"
	"github.com/libdns/linode"
)

// heavy are the types whose modules bring a vendor's library of half a megabyte
// or more.
func heavy() []row {
	return []row{
		route53Row(),
		creating(module[hetzner.Provider](Type{
			Name: "hetzner", Home: "https://docs.hetzner.cloud/reference/cloud#zones", Limits: api(4, 1), MinTTL: 60,
			Summary: "Hetzner DNS, in the Hetzner Console",
			Cannot:  []string{"a zone that holds SVCB records at a plain name is unreadable to its module"},
		}, byDifference,
			need("api_token", "an API token of the project, read and write", "${env:HETZNER_API_TOKEN}").secret(),
		).weighs(weights{read: 2, call: 1, record: 2}).mendedBy(quirks{bared: true}), hetznerZones),
		module[linode.Provider](Type{
			Name: "linode", Home: "https://techdocs.akamai.com/linode-api/reference/get-domains", Limits: api(1, 4), Unsupported: []string{"SRV", "HTTPS", "SVCB", "TLSA"},
			TTLs:    []uint32{300, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 345600, 604800, 1209600, 2419200},
			Summary: "Akamai Linode DNS Manager",
			Cannot:  []string{noHTTPS, "SRV records can't be written", "a zone that holds PTR records is unreadable to its module"},
		}, byDifference,
			need("api_token", "a personal access token with read and write access to domains", "${env:LINODE_TOKEN}").secret(),
			may("api_url", "another host of the API", "api.linode.com"),
			may("api_version", "another version of the API", "v4"),
		).weighs(weights{read: 2, call: 2, record: 1}).through(quietLinode).mendedBy(quirks{byRecord: true, swallows: true}),
	}
}
