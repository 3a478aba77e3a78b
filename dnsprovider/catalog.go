package dnsprovider

import (
	"slices"
	"strings"
	"time"

	"github.com/libdns/gandi"
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

// first are those modules that went through the tests of package conformance,
// against what stands in for their vendors' APIs.
func first() []row {
	return []row{
		creating(module[gandi.Provider](Type{
			Name: "gandi", Home: "https://api.gandi.net/docs/livedns/", Limits: api(2, 4), MinTTL: 300,
			Summary: "Gandi LiveDNS",
			Cannot:  []string{noList},
		}, byDifference,
			need("bearer_token", "a personal access token that may manage domain name technical configurations", "${env:GANDI_BEARER_TOKEN}").secret(),
		).weighs(weights{read: 1, record: 2}).mendedBy(quirks{quoted: true, missingOK: true, alone: true, byRecord: true}), gandiZones),
	}
}
