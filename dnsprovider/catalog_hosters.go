package dnsprovider

import (
	"github.com/libdns/infomaniak"
	"github.com/libdns/mijnhost"
	"github.com/libdns/mythicbeasts"
	"github.com/libdns/nfsn"
	"github.com/libdns/njalla"
	"github.com/libdns/transip"
	"github.com/libdns/wedos"
)

// hosters are vendors of web space and names.
func hosters() []row {
	return []row{
		module[mijnhost.Provider](Type{
			Name: "mijnhost", Home: "https://mijn.host/api/doc/", Limits: api(1, 1), MinTTL: 60,
			Summary:     "mijn.host",
			Unsupported: []string{"HTTPS", "SVCB"},
			Cannot:      []string{noHTTPS, rewrite, "TTLs over a day become an hour"},
		}, byDifference,
			need("api_key", "an API key", "${env:MIJNHOST_API_KEY}").secret(),
		).weighs(weights{read: 1, call: 3}).mendedBy(quirks{byRecord: true}),
		defaulted(module[transip.Provider](Type{
			Name: "transip", Home: "https://api.transip.nl/rest/docs.html", Limits: api(1, 1), MinTTL: 60,
			Summary:     "TransIP",
			Unsupported: []string{"HTTPS", "SVCB"},
			Cannot:      []string{noHTTPS, "TTLs over a day become an hour"},
		}, byDifference,
			need("login", "the account's name", "domherre"),
			need("private_key", "a key pair's private part in PEM, or the path of its file", "/etc/domherre/transip.pem").secret(),
			may("not_global_key", "true where the key is bound to this machine's address", "true"),
			may("read_only", "true: tokens that may read alone", "false"),
			may("expiration_time", "how long a token lives: 1 hour to 4 weeks, in TransIP's words", "1 day"),
			may("token_storage", "a folder for tokens; they are kept in memory where empty", "/var/lib/domherre/transip"),
			may("client_control_mode", "1: every write sends the whole zone", "0"),
		).weighs(weights{read: 1, call: 2, record: 1}).mendedBy(quirks{byRecord: true}), func(p *transip.Provider) {
			if p.TokenStorage == "" {
				p.TokenStorage = "memory" // the module's own default is a folder that anybody may make first
			}
		}),
		module[infomaniak.Provider](Type{
			Name: "infomaniak", Home: "https://developer.infomaniak.com/docs/api", Limits: api(1, 1), MinTTL: 60,
			Summary:     "Infomaniak",
			Unsupported: []string{"CAA", "SRV", "HTTPS", "SVCB"},
			Cannot:      []string{noList, "CAA and SRV records are not seen; they and HTTPS records can't be written"},
		}, byDifference,
			need("api_token", "an API token with the scope domain", "${env:INFOMANIAK_API_TOKEN}").secret(),
		).weighs(weights{read: 2, call: 2, record: 1}).mendedBy(quirks{blind: []string{"CAA", "SRV"}, byRecord: true}),
		module[mythicbeasts.Provider](Type{
			Name: "mythicbeasts", Home: "https://www.mythic-beasts.com/support/api/dnsv2", Limits: api(1, 2), MinTTL: 60,
			Summary:     "Mythic Beasts",
			Unsupported: []string{"MX 0 .", "SRV", "HTTPS", "SVCB"},
			Cannot: []string{noList, "a null MX, SRV and HTTPS records can't be written",
				"a zone that holds records of a type which its module doesn't know, HTTPS among them, is unreadable"},
		}, bySet,
			need("key_id", "the API key's id", "abcdefghijklmnop"),
			need("secret", "the API key's secret", "${env:MYTHICBEASTS_SECRET}").secret(),
		).weighs(weights{read: 1, call: 1, record: 0}).mendedBy(quirks{blind: []string{"SRV"}, dropsAll: true}),
		module[wedos.Provider](Type{
			Name: "wedos", Home: "https://kb.wedos.com/en/wapi/wapi-wedos-api-basic-information/", Limits: api(1, 0.25), MinTTL: 300,
			Summary:     "WEDOS",
			Unsupported: []string{"SRV"},
			Cannot: []string{noList, "its module doesn't commit what it writes: WEDOS serves it once changes to the zone are applied in the customer administration",
				"its module tells no failures: a zone that reads as empty is taken for unreadable", "a zone that holds SRV records may be unreadable to its module",
				"WEDOS takes 1,000 requests an hour, from addresses that it was told of alone"},
		}, byDifference,
			need("username", "the account's e-mail address", "dns@example.se"),
			need("password", "the WAPI password", "${env:WEDOS_PASSWORD}").secret(),
		).weighs(weights{read: 1, call: 1, record: 1}).
			mendedBy(quirks{mayQuote: true, blind: []string{"SRV"}, byRecord: true, ttlAsIs: true, bareZone: true, neverEmpty: true}),
		module[nfsn.Provider](Type{
			Name: "nfsn", Home: "https://members.nearlyfreespeech.net/wiki/API/Reference", Limits: api(1, 1), MinTTL: 180,
			Summary:     "NearlyFreeSpeech.NET",
			Unsupported: []string{"CAA", "HTTPS", "SVCB", "TLSA"},
			Cannot:      []string{noList, "CAA and HTTPS records can't be written, and a zone that holds some is unreadable to its module"},
		}, bySet,
			need("login", "the member's name", "domherre"),
			need("api_key", "the member's API key", "${env:NFSN_API_KEY}").secret(),
		).weighs(weights{read: 1, record: 1}).mendedBy(quirks{mayQuote: true, byRecord: true}),
		module[njalla.Provider](Type{
			Name: "njalla", Home: "https://njal.la/api/", Limits: api(1, 1), TTLs: []uint32{60, 300, 900, 3600, 10800, 21600, 86400},
			Summary:     "Njalla",
			Unsupported: []string{"MX 0 .", "CAA", "SRV", "SVCB"},
			Cannot:      []string{noList, "a null MX, CAA and SRV records can't be written, and SRV and SVCB records are not seen"},
		}, byDifference,
			need("api_token", "an API token", "${env:NJALLA_API_TOKEN}").secret(),
		).weighs(weights{read: 1, record: 1}).mendedBy(quirks{blind: []string{"SRV", "SVCB"}, byRecord: true}),
	}
}
