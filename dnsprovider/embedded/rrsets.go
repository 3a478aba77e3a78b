package embedded

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"domherre/portfolio"
)

func equal(a, b portfolio.RRset) bool {
	return a.Key() == b.Key() && a.TTL == b.TTL && slices.Equal(slices.Sorted(slices.Values(a.Data)), slices.Sorted(slices.Values(b.Data)))
}

func index(sets []portfolio.RRset) map[portfolio.Key]portfolio.RRset {
	byKey := make(map[portfolio.Key]portfolio.RRset, len(sets))
	for _, set := range sets {
		byKey[set.Key()] = set
	}
	return byKey
}

func sorted(sets map[portfolio.Key]portfolio.RRset) []portfolio.RRset {
	list := slices.Collect(maps.Values(sets))
	portfolio.SortRRsets(list)
	return list
}

// checkNames refuses what no zone can hold: a CNAME beside other records
// (RFC 2181, section 10.1), or several.
func checkNames(sets map[portfolio.Key]portfolio.RRset) error {
	for key, set := range sets {
		if len(set.Data) == 0 {
			return fmt.Errorf("%s %s has no data", key.Name, key.Type)
		}
		alias, ok := sets[portfolio.Key{Name: key.Name, Type: "CNAME"}]
		switch {
		case !ok:
		case key.Name == "@":
			return errors.New("a CNAME can't stand at the apex of a zone")
		case key.Type != "CNAME":
			return fmt.Errorf("%s has a CNAME to %s beside %s records; delete one of them first", key.Name, alias.Data[0], key.Type)
		case len(alias.Data) > 1:
			return fmt.Errorf("%s has %d CNAMEs; a name can have one", key.Name, len(alias.Data))
		}
	}
	return nil
}
