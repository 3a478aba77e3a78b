package saastest_test

import (
	"net/http"
	"testing"
	"time"

	"domherre/dnsprovider/saastest"
	"domherre/portfolio"
)

// A domain without a zone gets one, with all its records, in one run; a vendor
// that fails after any number of requests, and a program that is new then, leave
// nothing that the next run doesn't put right.
func TestZoneCreated(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, v saastest.Vendor) {
		if !creates(v) {
			t.Skip("the type creates no zones")
		}
		const name, enough = "new.example", 60
		done := false
		for passed := 0; !done && passed < enough; passed++ {
			withAccount(t, v, 1, func(a *account) {
				a.all.Domains = append(a.all.Domains, entry(t, name))
				a.fake.Order(saastest.Order{Status: http.StatusServiceUnavailable, Skip: passed})
				done = a.run(a.t.Context()).Exit() == portfolio.ExitDone
				if v.WholeZones && a.fake.Has(name) && len(a.fake.Records(name)) <= apexNS(v) {
					t.Errorf("after %d requests the zone is there without a record", passed)
				}
				a.fake.Heal()
				time.Sleep(10 * time.Minute)
				a.opens()
				survives(a, a.run(a.t.Context()))
				a.nothingLeft()
			})
		}
		if !done {
			t.Errorf("it takes more than %d requests", enough)
		}
	})
}

// apexNS is how many NS records a zone has by itself.
func apexNS(v saastest.Vendor) int {
	if v.ApexNS {
		return 2
	}
	return 0
}

func creates(v saastest.Vendor) bool { return typeOf(v.Type).Creates }
