package wire

import (
	"slices"
	"testing"
	"time"

	"domherre/config"
	"domherre/portfolio"
)

// What a provider can't hold is known before anything is planned.
func TestFactsOfType(t *testing.T) {
	t.Parallel()
	name, err := portfolio.ParseName("kopasex.se")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{Providers: []config.Provider{{Name: "main", Type: "netcup"}, {Name: "other", Type: "gandi"}}}
	f := Facts{types: providerTypes(cfg), now: time.Now()}
	main := f.Of(portfolio.Domain{Name: name, Provider: "main"})
	if main.TTL(3600) != 300 || !slices.Contains(main.Unsupported, "MX") {
		t.Errorf("of netcup: %+v", main)
	}
	other := f.Of(portfolio.Domain{Name: name, Provider: "other"})
	if other.TTL(60) != 300 || other.TTL(3600) != 3600 || slices.Contains(other.Unsupported, "MX") {
		t.Errorf("of gandi: %+v", other)
	}
}
