package dnsprovider

import (
	"github.com/libdns/godaddy"
	"github.com/libdns/inwx"
	"github.com/libdns/ionos"
	"github.com/libdns/namecheap"
	"github.com/libdns/namesilo"
	"github.com/libdns/netcup"
	"github.com/libdns/porkbun"
	"github.com/libdns/regfish"
)

// registrars are vendors of domain names above all.
func registrars() []row {
	return []row{
		module[namecheap.Provider](Type{
			Name: "namecheap", Home: "https://www.namecheap.com/support/api/methods/domains-dns/set-hosts/", Limits: api(1, 0.8), MinTTL: 60,
			Summary:     "Namecheap",
			Unsupported: []string{"MX", "CAA", "SRV", "HTTPS", "SVCB", "TLSA"},
			Cannot: []string{noList, rewrite, "such a write would lose MX records: zones that hold some are not written",
				"MX, CAA, SRV and HTTPS records can't be written", "Namecheap takes 700 requests an hour, from addresses that it was told of alone"},
		}, bySet,
			need("user", "the account's user name", "domherre"),
			need("api_key", "the account's API key", "${env:NAMECHEAP_API_KEY}").secret(),
			need("client_ip", "this machine's public IPv4 address, as Namecheap was told it", "192.0.2.10"),
			may("api_endpoint", "another address of the API", "https://api.sandbox.namecheap.com/xml.response"),
		).weighs(weights{read: 1, call: 2}).mendedBy(quirks{blind: []string{"CAA"}, byRecord: true, loses: []string{"MX"}}),
		module[godaddy.Provider](Type{
			Name: "godaddy", Home: "https://developer.godaddy.com/doc/endpoint/domains", Limits: api(1, 1), MinTTL: 600, OneValue: true,
			Summary:     "GoDaddy",
			Unsupported: []string{"MX", "CAA", "SRV", "HTTPS", "SVCB", "TLSA"},
			Cannot: []string{noList, oneValue, "MX, SRV, CAA and HTTPS records are not seen, and can't be written",
				"GoDaddy opens its API to accounts with ten domains or more alone"},
		}, bySet,
			need("api_token", "the API key and its secret, with a colon between", "${env:GODADDY_API_TOKEN}").secret(),
		).callByCall().mendedBy(quirks{blind: []string{"MX", "CAA", "SRV"}, page: 500, dropsAll: true}),
		module[porkbun.Provider](Type{
			Name: "porkbun", Home: "https://porkbun.com/api/json/v3/documentation", Limits: api(1, 1), MinTTL: 600,
			Summary:     "Porkbun",
			Unsupported: []string{"MX", "NS", "SRV", "HTTPS", "SVCB", "TLSA"},
			Cannot: []string{"MX, NS, SRV and HTTPS records are not seen, and can't be written",
				"a change takes all values of its name and type away for a moment", "it lists the first 1,000 zones alone"},
		}, byWhole,
			need("api_key", "an API key; each domain must be opened to the API", "${env:PORKBUN_API_KEY}").secret(),
			need("api_secret_key", "the key's secret", "${env:PORKBUN_API_SECRET_KEY}").secret(),
		).callByCall().mendedBy(quirks{blind: []string{"SRV"}, dropsAll: true, firstZones: true}),
		module[ionos.Provider](Type{
			Name: "ionos", Home: "https://developer.hosting.ionos.com/docs/dns", Limits: api(2, 2), MinTTL: 60, Longest: 255,
			Summary:     "IONOS",
			Unsupported: []string{"MX", "SRV", "HTTPS", "SVCB", "TLSA"},
			Cannot: []string{"MX, SRV and HTTPS records can't be written", "a zone that holds SRV records, or texts of over 255 octets, is unreadable to its module",
				"a change takes all values of its name and type away for a moment"},
		}, byWhole,
			need("auth_api_token", "the API key, its prefix and its secret with a dot between", "${env:IONOS_API_TOKEN}").secret(),
		).weighs(weights{read: 2, call: 2, record: 1}).mendedBy(quirks{dropsAll: true, missingOK: true}),
		module[inwx.Provider](Type{
			Name: "inwx", Home: "https://www.inwx.com/en/help/apidoc", Limits: api(1, 1), MinTTL: 300,
			Summary:     "INWX",
			Unsupported: []string{"HTTPS", "SVCB", "TLSA"},
			Cannot:      []string{noList, noHTTPS, "it logs in and out for each call, one after the other"},
		}, byDifference,
			need("username", "the account's user name", "domherre"),
			need("password", "the account's password", "${env:INWX_PASSWORD}").secret(),
			may("shared_secret", "the secret of the second factor, where the account has one", "${env:INWX_SHARED_SECRET}").secret(),
			may("endpoint_url", "another address of the API", "https://api.ote.domrobot.com/jsonrpc/"),
		).callByCall().mendedBy(quirks{mayQuote: true, byRecord: true, alone: true}),
		module[netcup.Provider](Type{
			Name: "netcup", Home: "https://helpcenter.netcup.com/en/wiki/domain/our-api", Limits: api(1, 2), TTLs: []uint32{300},
			Summary:     "netcup",
			Unsupported: []string{"MX", "SRV", "HTTPS", "SVCB"},
			Cannot: []string{noList, "TTLs are the zone's own: set that to 300 at netcup", "MX, SRV and HTTPS records can't be written",
				"a zone that holds SRV records is unreadable to its module", "a change takes all values of its name and type away for a moment"},
		}, byWhole,
			need("customer_number", "the customer number", `"12345"`),
			need("api_key", "an API key", "${env:NETCUP_API_KEY}").secret(),
			need("api_password", "the API password", "${env:NETCUP_API_PASSWORD}").secret(),
		).weighs(weights{read: 4, call: 5}).mendedBy(quirks{oneByOne: true, ttl: 300}),
		module[namesilo.Provider](Type{
			Name: "namesilo", Home: "https://www.namesilo.com/api-reference", Limits: api(1, 1), MinTTL: 3600,
			Summary:     "NameSilo",
			Unsupported: []string{"MX 0 .", "SRV", "HTTPS", "SVCB", "TLSA"},
			Cannot:      []string{noList, "a null MX, SRV and HTTPS records can't be written", "a zone that holds SRV records may be unreadable to its module"},
		}, byDifference,
			need("api_token", "an API key", "${env:NAMESILO_API_TOKEN}").secret(),
		).weighs(weights{read: 1, record: 2}).mendedBy(quirks{mayQuote: true, byRecord: true, missingOK: true}),
		module[regfish.Provider](Type{
			Name: "regfish", Home: "https://regfish.readme.io/reference/", Limits: api(1, 1), MinTTL: 60,
			Summary:     "regfish",
			Unsupported: []string{"SRV", "HTTPS", "SVCB", "TLSA"},
			Cannot:      []string{noList, "SRV records are not seen, SRV and HTTPS records can't be written"},
		}, byDifference,
			need("api_token", "an API key", "${env:REGFISH_API_TOKEN}").secret(),
		).callByCall().mendedBy(quirks{mayQuote: true, blind: []string{"SRV"}, byRecord: true, apexByName: true, missingOK: true}),
	}
}
