package dnsprovider

import (
	"slices"
	"strings"
	"time"

	"github.com/libdns/gandi"
	"github.com/libdns/simplydotcom"
)

// api are the limits towards a vendor's API, of so many requests a second.
func api(concurrency int, perSecond float64) Limits {
	return Limits{Concurrency: concurrency, RequestsPerSecond: perSecond, Timeout: 30 * time.Second, Retries: 5}
}

// modules are the types that libdns modules make, by name. Those of what is
// called heavy bring the vendor's whole library along: the build tag lean leaves
// them out.
func modules() []row {
	rows := slices.Concat(first(), ownVendors(), others(), heavy())
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.Name, b.Name) })
	return rows
}

// first are those that went through the tests of package conformance, against
// what stands in for their vendors' APIs, and those like them.
func first() []row {
	return []row{
		module[gandi.Provider](Type{
			Name: "gandi", Home: "https://api.gandi.net/docs/livedns/", Limits: api(2, 4), MinTTL: 300,
			Summary: "Gandi LiveDNS",
			Cannot:  []string{noList},
		}, byDifference,
			need("bearer_token", "a personal access token that may manage domain name technical configurations", "${env:GANDI_BEARER_TOKEN}").secret(),
		).weighs(weights{read: 1, record: 2}).mendedBy(quirks{quoted: true, missingOK: true, alone: true, byRecord: true}),
		module[simplydotcom.Provider](Type{
			Name: "simplydotcom", Home: "https://www.simply.com/docs/api/", Limits: api(1, 2), MinTTL: 60,
			Summary: "Simply.com",
			Cannot:  []string{noList},
		}, byDifference,
			need("account_name", "the account, UE and six digits", "UE123456"),
			need("api_key", "the account's API key", "${env:SIMPLY_API_KEY}").secret(),
			may("base_url", "another address of the API", "https://api.simply.com/2/"),
			may("max_retries", "tries of the module itself where Simply.com asks to wait", `"3"`),
		).weighs(weights{read: 1, call: 1, record: 1}).mendedBy(quirks{mayQuote: true, byRecord: true}),
	}
}
