package dnsprovider

import (
	"fmt"

	"domherre/dnsprovider/embedded"
)

// Secondaries gives the name servers that take zones from the embedded server,
// as the providers of its type say.
func Secondaries(cfgs []Config) (embedded.Secondaries, error) {
	var all embedded.Secondaries
	for _, cfg := range cfgs {
		for _, r := range rows() {
			if r.Name != cfg.Type || r.Name != "embedded" {
				continue
			}
			settings, faults := decode(r, cfg.Settings)
			own, ok := settings.(*embedded.Settings)
			if !ok || len(faults) > 0 {
				continue
			}
			some, err := own.Secondaries()
			if err != nil {
				return all, fmt.Errorf("provider %s: %w", cfg.Name, err)
			}
			all = all.Join(some)
		}
	}
	return all, nil
}
