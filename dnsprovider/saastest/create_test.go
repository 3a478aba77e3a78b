package saastest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"domherre/dnsprovider"
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

// creates reports whether the type creates zones, with the vendor's settings.
func creates(v saastest.Vendor) bool {
	t, _ := dnsprovider.TypeWith(v.Type, v.Settings(""))
	return t.Creates
}

// Without the setting that lets it, a zone is not created, and it is told what
// would let it.
func TestZoneNotCreated(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, v saastest.Vendor) {
		by := typeOf(v.Type).CreatesBy
		if by == "" {
			t.Skip("no setting decides")
		}
		f := saastest.New(v)
		network.Serve(t, f)
		cfg, d := config(f, ""), named(t, "new.example")
		delete(cfg.Settings, by)
		err := open(t, cfg, dnsprovider.Deps{}).Write(t.Context(), portfolio.Write{
			Domain: d, Observed: portfolio.Zone{Name: d.Name, Missing: true},
			Steps: []portfolio.Step{{Set: []portfolio.RRset{makeSet(t, d, "www", "A", 300, "192.0.2.1")}}},
		})
		if err == nil || !strings.Contains(err.Error(), "set "+by+" at the provider") || f.Has("new.example") {
			t.Errorf("%v; the zone is there: %v", err, f.Has("new.example"))
		}
	})
}

// A vendor that doesn't take the records with a new zone gets them after.
func TestZoneCreatedBare(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, v saastest.Vendor) {
		if !v.WholeZones || v.Type == "bunny" { // takes them, by its documentation
			t.Skip("the type creates zones without records anyway, or always with them")
		}
		f := saastest.New(v)
		network.Serve(t, f)
		f.Order(saastest.Order{Status: http.StatusBadRequest, Writes: true, Times: 1})
		set, d := open(t, config(f, ""), dnsprovider.Deps{}), named(t, "new.example")
		err := set.Write(t.Context(), portfolio.Write{
			Domain: d, Observed: portfolio.Zone{Name: d.Name, Missing: true},
			Steps: []portfolio.Step{{Set: []portfolio.RRset{makeSet(t, d, "www", "A", 3600, "192.0.2.1")}}},
		})
		if err != nil || len(f.Records("new.example")) != apexNS(v)+1 {
			t.Errorf("%v; the zone holds %v", err, f.Records("new.example"))
		}
	})
}
