package saastest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"domherre/dnsprovider"
	"domherre/dnsprovider/saastest"
)

// All zones of an account are listed, however many a page holds.
func TestZonesInPages(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, v saastest.Vendor) {
		var names []string
		for i := range 510 {
			names = append(names, fmt.Sprintf("z%03d.example", i))
		}
		f := saastest.New(v, names...)
		network.Serve(t, f)
		got, err := open(t, config(f, ""), dnsprovider.Deps{}).Zones(t.Context(), "main")
		if v.Type == "gandi" {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%v", err)
			}
			return
		}
		for i := range got {
			got[i] = strings.TrimSuffix(got[i], ".")
		}
		slices.Sort(got)
		if err != nil || !slices.Equal(got, names) {
			t.Errorf("%d zones of %d, %v", len(got), len(names), err)
		}
	})
}

// A zone that was taken away and made anew is not taken for missing, whatever was
// remembered of it.
func TestZoneMadeAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, v saastest.Vendor) {
		f := saastest.New(v, "a.example")
		network.Serve(t, f)
		set, d := open(t, config(f, ""), dnsprovider.Deps{}), named(t, "a.example")
		for i := range 3 {
			z, err := set.Observe(t.Context(), d)
			if err != nil || z.Missing {
				t.Fatalf("reading number %d: missing %v, %v", i, z.Missing, err)
			}
			f.Remake("a.example")
		}
	})
}
