package dnsprovider

import (
	"domherre/dnsprovider/azure"
	"domherre/dnsprovider/bunny"
	"domherre/dnsprovider/clouddns"
	"domherre/dnsprovider/cloudflare"
	"domherre/dnsprovider/desec"
	"domherre/dnsprovider/digitalocean"
	"domherre/dnsprovider/domeneshop"
	"domherre/dnsprovider/glesys"
	"domherre/dnsprovider/loopia"
	"domherre/dnsprovider/ovh"
	"domherre/dnsprovider/simply"
)

// ownVendors are vendors' types that no libdns module makes: those that there
// are can't keep a zone, each in a way that its package tells.
func ownVendors() []row {
	return []row{
		typed(Type{
			Name: "azure", Home: "https://learn.microsoft.com/azure/dns/", Limits: api(2, 4),
			CreatesBy: "create_zones", Unsupported: []string{"HTTPS", "SVCB", "TLSA", "SSHFP", "MX 0 ."}, Longest: 4096,
			Summary: "Azure DNS",
			Cannot: []string{"it can't hold HTTPS, TLSA and SSHFP records, null MX, and texts of over 4,096 octets or that are no UTF-8",
				"an alias of one of Azure's resources is not seen, and is refused where it stands in the way", "metadata of a record set goes when it is written"},
		}, func(s azure.Settings, _ Config, _ Deps) (any, error) { return azure.New(s), nil }, azure.Settings.Check).routed().weighs(weights{read: 1, record: 1}),
		typed(Type{
			Name: "bunny", Home: "https://docs.bunny.net/api-reference/core/dns-zone/", Limits: api(2, 4), Creates: true,
			Unsupported: []string{"SSHFP"},
			Summary:     "bunny.net DNS",
			Cannot:      []string{"it can't hold SSHFP records, empty texts, and those that are no UTF-8", "NS records at the apex are bunny.net's own"},
		}, func(s bunny.Settings, _ Config, _ Deps) (any, error) { return bunny.New(s), nil }, nil).routed(),
		typed(Type{
			Name: "cloudflare", Home: "https://developers.cloudflare.com/dns/", Limits: api(4, 4), MinTTL: 60,
			CreatesBy: "account_id",
			Summary:   "Cloudflare",
			Cannot:    []string{"a proxied record stops being proxied where it is written", "NS records at the apex are Cloudflare's own"},
		}, func(s cloudflare.Settings, _ Config, _ Deps) (any, error) { return cloudflare.New(s), nil }, nil).routed(),
		typed(Type{
			Name: "desec", Home: "https://desec.readthedocs.io/", Limits: api(1, 1), MinTTL: 3600, Creates: true,
			Summary: "deSEC",
			Cannot:  []string{"it takes no TTL below 3600 unless deSEC allows it for the domain"},
		}, func(s desec.Settings, _ Config, _ Deps) (any, error) { return desec.New(s), nil }, nil).routed().weighs(weights{read: 1, zone: 1}),
		typed(Type{
			Name: "digitalocean", Home: "https://docs.digitalocean.com/reference/api/", Limits: api(2, 4), MinTTL: 30, Creates: true,
			Unsupported: []string{"CAA", "HTTPS", "SVCB", "TLSA", "SSHFP", "MX 0 ."}, Longest: 500,
			Summary: "DigitalOcean DNS",
			Cannot: []string{"it can't hold HTTPS, TLSA and SSHFP records, null MX, and texts that are empty, have backslashes, more than some 500 octets or are no UTF-8",
				"CAA records are seen and left alone: DigitalOcean takes none with spaces, as those for an ACME account have them"},
		}, func(s digitalocean.Settings, _ Config, _ Deps) (any, error) { return digitalocean.New(s), nil }, nil).routed(),
		typed(Type{
			Name: "domainnameshop", Home: "https://api.domeneshop.no/docs/", Limits: api(1, 2), MinTTL: 60,
			Unsupported: []string{"HTTPS", "SVCB", "SSHFP", "MX 0 ."},
			Summary:     "Domeneshop, Domainnameshop",
			Cannot: []string{"it can't hold HTTPS and SSHFP records, null MX, empty texts and those that are no UTF-8",
				"TTLs must be whole minutes", "NS records at the apex and DS records are not seen"},
		}, func(s domeneshop.Settings, _ Config, _ Deps) (any, error) { return domeneshop.New(s), nil }, nil).routed(),
		typed(Type{
			Name: "googleclouddns", Home: "https://cloud.google.com/dns/docs", Limits: api(2, 4), CreatesBy: "create_zones",
			Summary: "Google Cloud DNS",
			Cannot:  []string{"RRsets with a routing policy are not seen, and are refused where they stand in the way"},
		}, func(s clouddns.Settings, _ Config, _ Deps) (any, error) { return clouddns.New(s), nil }, nil).routed().weighs(weights{read: 1, zone: 2}),
		typed(Type{
			Name: "loopia", Home: "https://www.loopia.se/api/", Limits: api(1, 1), MinTTL: 300,
			Unsupported: []string{"HTTPS", "SVCB", "MX 0 ."}, Longest: 450,
			Summary: "Loopia",
			Cannot: []string{"it is read name by name, and takes 60 requests a minute: a domain of six names takes seven seconds, but where its serial still stands",
				"it can't hold HTTPS records, null MX, and texts of over 450 octets or that are no UTF-8", "a name stays in Loopia's list of subdomains when its records are gone"},
		}, func(s loopia.Settings, _ Config, _ Deps) (any, error) { return loopia.New(s), nil }, loopia.Settings.Check).routed().weighs(weights{read: 7, record: 2}),
		typed(Type{
			Name: "glesys", Home: "https://github.com/glesys/api-docs/wiki", Limits: api(2, 4), MinTTL: 60,
			Unsupported: []string{"HTTPS", "SVCB", "TLSA", "SSHFP"},
			CreatesBy:   "create_zones",
			Summary:     "GleSYS",
			Cannot:      []string{"it can't hold HTTPS, TLSA and SSHFP records, and texts that are no UTF-8"},
		}, func(s glesys.Settings, _ Config, _ Deps) (any, error) { return glesys.New(s), nil }, nil).routed(),
		typed(Type{
			Name: "ovh", Home: "https://help.ovhcloud.com/csm/en-dns-zone", Limits: api(2, 4), MinTTL: 60,
			Summary: "OVHcloud",
			Cannot: []string{"it is read record by record: a request for each",
				"OVH serves changes once it is told to: where Domherre is killed in that moment, the zone's next change tells it"},
		}, func(s ovh.Settings, _ Config, _ Deps) (any, error) { return ovh.New(s), nil }, ovh.Settings.Check).routed().weighs(weights{read: 14, call: 1, record: 1}),
		typed(Type{
			Name: "simplydotcom", Home: "https://www.simply.com/docs/api/", Limits: api(1, 2), MinTTL: 60,
			Summary: "Simply.com",
			Cannot:  []string{"it can't hold empty texts, and those that are no UTF-8"},
		}, func(s simply.Settings, _ Config, _ Deps) (any, error) { return simply.New(s), nil }, simply.Settings.Check).routed(),
	}
}

// routed marks a type whose requests go through http.DefaultTransport: see Routed.
func (r row) routed() row {
	r.module = true
	return r
}
