package dnsprovider

import (
	"fmt"
	"net/netip"

	"domherre/dnsprovider/embedded"
)

// Transfers gives the networks that may transfer zones from the embedded
// server, as the providers of its type say.
func Transfers(cfgs []Config) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, cfg := range cfgs {
		for _, r := range rows() {
			settings, faults := decode(r, cfg.Settings)
			own, ok := settings.(*embedded.Settings)
			if r.Name != cfg.Type || !ok || len(faults) > 0 {
				continue
			}
			nets, err := own.Transfers()
			if err != nil {
				return nil, fmt.Errorf("provider %s: %w", cfg.Name, err)
			}
			all = append(all, nets...)
		}
	}
	return all, nil
}
