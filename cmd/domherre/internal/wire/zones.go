package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"domherre/portfolio"
)

// Who manages a zone, by its marker.
const (
	ZoneOurs    = "ours"
	ZoneOther   = "other"   // another portfolio
	ZoneNobody  = "nobody"  // no marker
	ZoneMissing = "missing" // the provider has no such zone
	ZoneUnknown = "unknown" // it couldn't be read, or is no zone of a registrable domain
)

// ZoneInfo is one zone at a provider, as `zones list` tells.
type ZoneInfo struct {
	Provider string `json:"provider"`
	Zone     string `json:"zone"` // U-labels
	ASCII    string `json:"ascii"`
	Listed   bool   `json:"listed"`  // in the portfolio's list
	Managed  string `json:"managed"` // ours, other, nobody, missing, unknown
	Owned    int    `json:"owned"`   // RRsets that the marker claims
	Foreign  int    `json:"foreign"` // RRsets that zones import would print
	Error    string `json:"error"`

	Name portfolio.Name `json:"-"` // zero where the zone's name is no registrable domain
}

// surveyParallel bounds the zones that are read at once; the providers' own
// limits come on top.
const surveyParallel = 16

// SurveyZones lists the zones of every provider, with those that the list
// names, sorted by provider and name. Of mute providers, which can't list
// theirs, it has only the latter. The error joins those of providers that couldn't
// be asked; what others told is there all the same.
func (r *Rooms) SurveyZones(ctx context.Context, progress func(done, total int)) (zones []ZoneInfo, mute []string, err error) {
	var failures []error
	for _, p := range r.Config.Providers {
		found, err := r.zonesAt(ctx, p.Name)
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			mute = append(mute, p.Name)
		case err != nil:
			failures = append(failures, fmt.Errorf("of provider %s only the zones of the list are shown: %w", p.Name, err))
		}
		zones = append(zones, found...)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, surveyParallel)
	done := 0
	for i := range zones {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			r.inspect(ctx, &zones[i])
			mu.Lock()
			defer mu.Unlock()
			done++
			progress(done, len(zones))
		})
	}
	wg.Wait()
	return zones, mute, errors.Join(append(failures, ctx.Err())...)
}

// zonesAt gives a provider's zones and the listed domains that it should have.
func (r *Rooms) zonesAt(ctx context.Context, provider string) ([]ZoneInfo, error) {
	listed := map[portfolio.Name]bool{}
	for _, d := range r.Config.Portfolio.Domains {
		if d.Provider == provider {
			listed[d.Name] = true
		}
	}
	names, err := r.Zones.Zones(ctx, provider)
	var zones []ZoneInfo
	for _, raw := range names {
		raw = strings.TrimSuffix(raw, ".")
		z := ZoneInfo{Provider: provider, Zone: raw, ASCII: raw, Managed: ZoneUnknown}
		if n, err := portfolio.ParseName(raw); err == nil {
			z.Zone, z.ASCII, z.Name, z.Listed = n.Unicode(), n.ASCII(), n, listed[n]
			delete(listed, n)
		}
		zones = append(zones, z)
	}
	for n := range listed {
		zones = append(zones, ZoneInfo{Provider: provider, Zone: n.Unicode(), ASCII: n.ASCII(), Name: n, Listed: true, Managed: ZoneUnknown})
	}
	slices.SortFunc(zones, func(a, b ZoneInfo) int { return strings.Compare(a.ASCII, b.ASCII) })
	return zones, err
}

// inspect reads a zone and says who manages it.
func (r *Rooms) inspect(ctx context.Context, z *ZoneInfo) {
	if z.Name.IsZero() {
		return
	}
	zone, err := r.Zones.Observe(ctx, portfolio.Domain{Name: z.Name, Provider: z.Provider})
	if err != nil {
		z.Error = r.Config.Redact(err.Error())
		return
	}
	z.Foreign = len(portfolio.Foreign(zone))
	marker, found := zone.Find(portfolio.MarkerKey)
	switch {
	case zone.Missing:
		z.Managed = ZoneMissing
	case !found:
		z.Managed = ZoneNobody
	default:
		m, err := portfolio.ParseMarker(marker.Data)
		if err != nil {
			z.Error = err.Error()
			return
		}
		z.Managed, z.Owned = ZoneOther, len(m.Owned)
		if m.Portfolio == portfolio.MarkerID(r.Config.Portfolio.ID) {
			z.Managed = ZoneOurs
		}
	}
}
