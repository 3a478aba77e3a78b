package wire

import (
	"reflect"
	"slices"

	"domherre/config"
	"domherre/dnsprovider"
	"domherre/dnsprovider/embedded"
	"domherre/portfolio"
)

// SameCertificates reports whether two configs order certificates the same
// way, so that orders under way can go on.
func SameCertificates(a, b *config.Config) bool {
	return reflect.DeepEqual(a.TLS, b.TLS) && a.Listen.HTTP == b.Listen.HTTP && a.Listen.HTTPS == b.Listen.HTTPS
}

// SameProviders reports whether two configs reach their providers the same way,
// so that what is known of them stays known.
func SameProviders(a, b *config.Config) bool {
	return reflect.DeepEqual(a.Providers, b.Providers) && slices.Equal(Resolvers(a), Resolvers(b)) && a.Log == b.Log
}

// ChangedDomains gives the domains of next that are new or differ from what
// they were, and those that left the list; all of them where something that
// concerns all has changed.
func ChangedDomains(old, next *config.Config) []portfolio.Name {
	all := !reflect.DeepEqual(old.Providers, next.Providers) || !reflect.DeepEqual(old.TLS, next.TLS) ||
		!reflect.DeepEqual(old.Check, next.Check) || old.Campaign != next.Campaign || old.Language != next.Language
	was := make(map[portfolio.Name]portfolio.Domain, len(old.Portfolio.Domains))
	for _, d := range old.Portfolio.Domains {
		d.Source = portfolio.Source{}
		was[d.Name] = d
	}
	var changed []portfolio.Name
	for _, d := range next.Portfolio.Domains {
		d.Source = portfolio.Source{}
		if before, ok := was[d.Name]; all || !ok || !reflect.DeepEqual(before, d) {
			changed = append(changed, d.Name)
		}
		delete(was, d.Name)
	}
	for n := range was {
		changed = append(changed, n)
	}
	return changed
}

// UsesEmbedded reports whether a provider of the embedded type is configured.
func UsesEmbedded(cfg *config.Config) bool {
	for _, p := range cfg.Providers {
		if p.Type == embeddedType {
			return true
		}
	}
	return false
}

const embeddedType = "embedded"

// Secondaries gives the name servers that take zones from the embedded server.
func Secondaries(cfg *config.Config) (embedded.Secondaries, error) {
	return dnsprovider.Secondaries(providerConfigs(cfg))
}
