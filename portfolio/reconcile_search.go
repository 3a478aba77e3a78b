package portfolio

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// away gives the providers that kept the zones of listed domains before, and may
// still have records of ours there, as far as they are still configured.
func away(p Portfolio, accepted []Domain, configured []string) []target {
	before := make(map[Name]*Domain, len(accepted))
	for i := range accepted {
		before[accepted[i].Name] = &accepted[i]
	}
	var out []target
	for i := range p.Domains {
		d := &p.Domains[i]
		was, known := before[d.Name]
		if !known {
			continue
		}
		for _, provider := range formerly(*was, d.Provider, was.Owned) {
			if slices.Contains(configured, provider) {
				out = append(out, target{Domain: d, leaving: true}.at(provider))
			}
		}
	}
	return out
}

// formerly gives the providers that kept a domain's zone before the one that
// keeps it now. owned is how many RRsets of ours the last of them had.
func formerly(was Domain, now string, owned int) []string {
	former := slices.Clone(was.Former)
	if was.Provider != now && owned > 0 && !slices.Contains(former, was.Provider) {
		former = append(former, was.Provider)
	}
	if former = slices.DeleteFunc(former, func(provider string) bool { return provider == now }); len(former) == 0 {
		return nil
	}
	return former
}

// searchUnasked is how many zones of others are read, at most, for a search that
// nobody asked for: a job without a state would do it every time.
const searchUnasked = 50

// search finds zones that bear the portfolio's marker where neither the list nor
// the state knows of them: of domains that left the list, and of listed ones at
// a provider that kept them before. It reads zones for that, so it looks where
// what it finds would be acted on, where it is asked to look thoroughly, and where
// the state knows nothing.
func (r *Reconciler) search(ctx context.Context, p Portfolio, accepted []Domain, known []target, o Options) []target {
	lister, able := r.Zones.(Lister)
	asked := o.Prune && o.Away || o.Full || o.Saved != nil && lacks(known, *o.Saved)
	lost := r.Accepted != nil && len(accepted) == 0
	if !able || r.Unlisted == nil || o.Only != nil || !asked && !lost {
		return nil
	}
	var candidates []target
	for _, provider := range r.Providers {
		if o.Provider != "" && provider != o.Provider {
			continue
		}
		names, err := lister.ListZones(ctx, provider)
		if err != nil {
			continue // it can't, or not now: what it has is found another time
		}
		candidates = append(candidates, r.unknown(p, known, provider, names)...)
	}
	if !asked && len(candidates) > searchUnasked {
		return nil
	}
	r.each(len(candidates), func(i int) string { return candidates[i].Provider }, func(i int) {
		zone, err := r.observe(ctx, *candidates[i].Domain, false)
		marker, notOurs := readMarker(candidates[i].Name, zone, MarkerID(p.ID))
		if err != nil || notOurs != nil || marker.IsZero() {
			candidates[i].Domain = nil
			return
		}
		found := *candidates[i].Domain
		found.DNS.Hosts, found.Owned = marker.hosts(), len(marker.Owned)
		candidates[i].Domain = &found
	})
	return slices.DeleteFunc(candidates, func(t target) bool { return t.Domain == nil || t.away != "" && !o.Away })
}

// lacks reports whether a saved plan is for zones that aren't known.
func lacks(known []target, saved Plan) bool {
	have := make(map[string]bool, len(known))
	for i := range known {
		have[known[i].Name.ASCII()+" "+known[i].Provider] = true
	}
	return slices.ContainsFunc(saved.Domains, func(d DomainPlan) bool { return !have[d.ASCII+" "+d.Provider] })
}

// unknown makes targets of the zones at a provider that aren't known yet.
func (r *Reconciler) unknown(p Portfolio, known []target, provider string, names []string) []target {
	have := make(map[Name]bool, len(known))
	for i := range known {
		if known[i].Provider == provider {
			have[known[i].Name] = true
		}
	}
	listed := make(map[Name]*Domain, len(p.Domains))
	for i := range p.Domains {
		listed[p.Domains[i].Name] = &p.Domains[i]
	}
	var out []target
	for _, text := range names {
		name, err := ParseName(strings.TrimSuffix(text, "."))
		if err != nil || have[name] {
			continue
		}
		t := target{leaving: true, found: true}
		if d, elsewhere := listed[name]; elsewhere {
			t.Domain = d
			t = t.at(provider)
		} else {
			left := r.Unlisted(name, provider)
			t.Domain = &left
		}
		out = append(out, t)
	}
	return out
}

// hosts are the names that lead somewhere by RRsets of ours.
func (m Marker) hosts() []string {
	var hosts []string
	for _, o := range m.Owned {
		if (o.Type == "A" || o.Type == "AAAA") && !slices.Contains(hosts, o.Name) {
			hosts = append(hosts, o.Name)
		}
	}
	return hosts
}

// planAway plans the removal of what is ours at a provider that kept the zone
// before. While the world is still sent there, or may be, nothing goes.
func (r *Reconciler) planAway(ctx context.Context, portfolioID string, t target, zone Zone, o Options) DomainPlan {
	d := planLeaving(t.Domain, zone, portfolioID)
	d.Away = t.away
	if d.Err != nil || !d.Pending() {
		return d
	}
	here := *t.Domain
	here.Provider = t.away
	if now, err := r.observe(ctx, here, false); err != nil || now.Digest() == zone.Digest() {
		d = d.withoutChanges()
		d.Prune = err == nil // there is nothing to clean up
		d.Notes = []string{fmt.Sprintf("moved to provider %s; what is ours at %s stays: it is the same zone, as far as can be seen", t.away, t.Provider)}
		return d
	}
	if why := r.stillThere(ctx, t, zone); why != "" && !o.Force {
		d = d.withoutChanges()
		d.Notes = []string{fmt.Sprintf("moved to provider %s; what is ours at %s stays: %s", t.away, t.Provider, why)}
		return d
	}
	d.Notes[0] = fmt.Sprintf("moved to provider %s: what is ours at %s is deleted", t.away, t.Provider)
	return d
}

// stillThere says why the zone at a former provider may still be asked for.
func (r *Reconciler) stillThere(ctx context.Context, t target, zone Zone) string {
	delegator, able := r.Zones.(Delegator)
	if !able {
		return "where the domain is delegated to can't be found out"
	}
	ns, _ := zone.Find(apexNS)
	there, err := delegator.Delegated(ctx, *t.Domain, ns.Data)
	switch {
	case err != nil:
		return fmt.Sprintf("where the domain is delegated to can't be found out: %v", err)
	case there:
		return "the domain is still delegated there"
	}
	return ""
}
