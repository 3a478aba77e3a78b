package dnsprovider

import (
	"slices"
	"strings"
	"time"

	"github.com/libdns/gandi"
	"github.com/libdns/ovh"
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
		module[ovh.Provider](Type{
			Name: "ovh", Home: "https://help.ovhcloud.com/csm/en-dns-zone", Limits: api(1, 4), MinTTL: 60, Unsupported: []string{"HTTPS", "SVCB"},
			Summary: "OVHcloud",
			Cannot:  []string{noList, "it reads record by record: a request for each", "quotes within a text are lost", noHTTPS + ", and a zone that holds some may be unreadable to it"},
		}, byDifference,
			need("endpoint", "the API to use: ovh-eu, ovh-ca or ovh-us", "ovh-eu"),
			need("application_key", "the application's key", "${env:OVH_APPLICATION_KEY}").secret(),
			need("application_secret", "the application's secret", "${env:OVH_APPLICATION_SECRET}").secret(),
			need("consumer_key", "a consumer key that may GET, POST, PUT and DELETE /domain/zone/*", "${env:OVH_CONSUMER_KEY}").secret(),
		).weighs(weights{read: 14, call: 1, record: 1}).mendedBy(quirks{mayQuote: true, byRecord: true}),
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
