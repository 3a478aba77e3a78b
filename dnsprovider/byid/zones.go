package byid

import (
	"context"
	"sync"

	"domherre/dnsprovider/zoneio"
)

// ZoneIDs remembers the ids by which an API knows zones. A zone that was made
// anew has another id: what fails by one that was remembered is tried by one
// that was looked up.
type ZoneIDs struct {
	// Find looks a zone's id up; a NoZone error where there is no such zone.
	Find func(ctx context.Context, zone string) (string, error)

	mu  sync.Mutex
	ids map[string]string
}

// With does something by the zone's id.
func (z *ZoneIDs) With(ctx context.Context, zone string, do func(id string) error) error {
	z.mu.Lock()
	id, remembered := z.ids[zone]
	z.mu.Unlock()
	if remembered {
		err := do(id)
		if err == nil {
			return nil
		}
		z.mu.Lock()
		delete(z.ids, zone)
		z.mu.Unlock()
		if zoneio.KindOf(err) != zoneio.NoZone {
			return err
		}
	}
	id, err := z.Find(ctx, zone)
	if err != nil {
		return err
	}
	if err := do(id); err != nil {
		return err
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.ids == nil {
		z.ids = make(map[string]string)
	}
	z.ids[zone] = id
	return nil
}
