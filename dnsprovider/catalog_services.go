package dnsprovider

import (
	"github.com/libdns/acmedns"
	"github.com/libdns/cloudns"
	"github.com/libdns/dnsimple"
	"github.com/libdns/duckdns"
	"github.com/libdns/gcore"
	"github.com/libdns/he"
	"github.com/libdns/mailinabox"
	"github.com/libdns/scaleway"
)

// dnsServices are vendors of DNS itself.
func dnsServices() []row {
	return []row{
		module[cloudns.Provider](Type{
			Name: "cloudns", Home: "https://www.cloudns.net/wiki/article/41/", Limits: api(2, 4),
			TTLs:    []uint32{60, 300, 900, 1800, 3600, 21600, 43200, 86400, 172800, 259200, 604800, 1209600, 2592000},
			Summary: "ClouDNS",
		}, bySet,
			may("auth_id", "the API user's id; or give one of the next two", "12345"),
			may("sub_auth_id", "a sub-user's id", "12345"),
			may("sub_auth_user", "a sub-user's name", "domherre"),
			need("auth_password", "the user's password", "${env:CLOUDNS_AUTH_PASSWORD}").secret(),
			may("operation_retries", "tries of the module itself", "5"),
			may("initial_backoff", "its first pause between tries", "1s"),
			may("max_backoff", "its longest", "30s"),
		).weighs(weights{read: 1, call: 1, record: 1}),
		module[dnsimple.Provider](Type{
			Name: "dnsimple", Home: "https://developer.dnsimple.com/v2/", Limits: api(1, 0.6),
			Summary:     "DNSimple",
			Unsupported: []string{"MX", "SRV", "HTTPS", "SVCB", "TLSA"},
			Cannot: []string{noList, "MX and SRV records are not seen; they and HTTPS records can't be written", "its module reads the first 30 records of a zone: larger zones are refused",
				"its module deletes by a part of the name: what isn't the only such record is not deleted, so changes of the apex are often refused", "DNSimple takes 2,400 requests an hour"},
		}, byDifference,
			need("api_access_token", "an API token of the account", "${env:DNSIMPLE_TOKEN}").secret(),
			need("account_id", "the account's number", `"12345"`),
			may("api_url", "another address of the API", "https://api.sandbox.dnsimple.com"),
		).weighs(weights{read: 1, call: 1, record: 1}).
			mendedBy(quirks{mayQuote: true, blind: []string{"MX", "SRV"}, page: 30, loose: true}),
		module[gcore.Provider](Type{
			Name: "gcore", Home: "https://api.gcore.com/docs/dns", Limits: api(2, 4), MinTTL: 120, OneValue: true,
			Summary:     "Gcore DNS",
			Unsupported: []string{"MX", "CAA", "SRV", "HTTPS", "SVCB", "TLSA"},
			Cannot: []string{noList, oneValue, "of several values it sees the last alone: keep zones with others' records elsewhere",
				"MX, CAA, SRV and HTTPS records can't be written", "it reads RRset by RRset: a request for each"},
		}, byDifference,
			need("api_key", "a permanent API token", "${env:GCORE_API_KEY}").secret(),
		).weighs(weights{read: 14, record: 2}).mendedBy(quirks{mayQuote: true, blind: []string{"MX", "CAA", "SRV", "HTTPS", "SVCB"}}),
		module[scaleway.Provider](Type{
			Name: "scaleway", Home: "https://www.scaleway.com/en/developers/api/domains-and-dns/", Limits: api(1, 2), MinTTL: 60,
			Summary:     "Scaleway Domains and DNS",
			Unsupported: []string{"HTTPS", "SVCB"},
			Cannot:      []string{noList, noHTTPS, "its module reads the first page of a zone: zones of 20 records or more are refused"},
		}, byDifference,
			need("secret_key", "an API key's secret", "${env:SCALEWAY_SECRET_KEY}").secret(),
			may("organization_id", "the organization", "00000000-0000-0000-0000-000000000000"),
		).callByCall().mendedBy(quirks{mayQuote: true, page: 20, byRecord: true}),
	}
}

const (
	oneName = "it holds one A, one AAAA and one TXT, at the domain itself: use hosts [\"@\"], mail keep, caa none and ownership none"
	oneBox  = "its module remembers one login for all: name one such provider in a config"
)

// small are those that hold but a part of a zone.
func small() []row {
	others := []string{"CNAME", "NS", "MX", "CAA", "SRV", "HTTPS", "SVCB", "TLSA"}
	return []row{
		module[acmedns.Provider](Type{
			Name: "acmedns", Home: "https://github.com/acme-dns/acme-dns", Limits: api(1, 4),
			Summary: "acme-dns: challenges alone",
			Cannot: []string{"it keeps no zones: make _acme-challenge of each domain a CNAME that leads to the account's subdomain at acme-dns, where the domain's own provider has its zone",
				"it holds two challenges at a time: a third waits"},
		}, byDifference,
			need("server_url", "the server's API", "https://auth.acme-dns.example"),
			need("username", "the account's user name", "00000000-0000-0000-0000-000000000000"),
			need("password", "the account's password", "${env:ACMEDNS_PASSWORD}").secret(),
			need("subdomain", "the account's subdomain: the first label of its full domain", "11111111-1111-1111-1111-111111111111"),
		).callByCall().through(acmeDNS),
		module[duckdns.Provider](Type{
			Name: "duckdns", Home: "https://www.duckdns.org/spec.jsp", Limits: api(1, 1), TTLs: []uint32{60}, OneValue: true,
			Summary: "Duck DNS", Unsupported: others,
			Cannot: []string{noList, oneName, "it is read by asking the DNS, so changes show late"},
		}, bySet,
			need("api_token", "the account's token", "${env:DUCKDNS_API_TOKEN}").secret(),
			may("override_domain", "the name to update, whatever is asked for", "domherre"),
			may("resolver", "the resolver to read by", "192.0.2.53:53"),
		).weighs(weights{record: 1}).mendedBy(quirks{ttl: 60}),
		module[he.Provider](Type{
			Name: "he", Home: "https://dns.he.net/", Limits: api(1, 0.125), TTLs: []uint32{300}, OneValue: true,
			Summary: "Hurricane Electric, its dynamic records", Unsupported: others,
			Cannot: []string{noList, oneName, "it changes dynamic records that are there already: make them first", "it can't delete", "it is read by asking the DNS, so changes show late"},
		}, bySet,
			need("api_key", "the key of the dynamic records", "${env:HE_API_KEY}").secret(),
		).weighs(weights{record: 1}).mendedBy(quirks{ttl: 300, keeps: "the module would set an address of loopback instead of deleting; delete at dns.he.net"}),
		module[mailinabox.Provider](Type{
			Name: "mailinabox", Home: "https://mailinabox.email/api-docs.html", Limits: api(1, 4), TTLs: []uint32{86400}, NoApex: true,
			Summary:     "Mail-in-a-Box",
			Unsupported: []string{"MX", "CAA", "SRV", "HTTPS", "SVCB", "TLSA"},
			Cannot: []string{noList, "records at the domain itself can't be written", "MX, CAA and SRV records are not seen; they and HTTPS records can't be written",
				"custom records of the box's other zones show up as names in every zone", oneBox},
		}, byDifference,
			need("api_url", "the box's API", "https://box.example.se/admin"),
			need("email_address", "an administrator's address", "admin@example.se"),
			need("password", "the administrator's password", "${env:MAILINABOX_PASSWORD}").secret(),
			may("totp_secret", "the secret of the second factor, where there is one", "${env:MAILINABOX_TOTP_SECRET}").secret(),
		).callByCall().mendedBy(quirks{blind: []string{"MX", "CAA", "SRV"}, ttl: 86400, alone: true}),
	}
}
