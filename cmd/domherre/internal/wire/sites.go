package wire

import (
	"time"

	"domherre/config"
	"domherre/portfolio"
	"domherre/redirect"
	"domherre/tls"
)

// Sites gives the redirector's view of those domains that are launched.
func Sites(cfg *config.Config, domains []portfolio.Domain, now time.Time) []redirect.Site {
	sites := make([]redirect.Site, 0, len(domains))
	for _, d := range domains {
		if now.Before(d.Launch) {
			continue
		}
		sites = append(sites, redirect.Site{
			Domain:    d.Name.ASCII(),
			Hosts:     hosts(d),
			Target:    d.Frontend,
			Status:    d.Redirect.Status,
			KeepPath:  d.Redirect.KeepPath,
			KeepQuery: d.Redirect.KeepQuery,
			Tags:      d.Redirect.Tags,
			HSTS:      d.Redirect.HSTS,
			Paused:    d.Paused,
			Language:  cfg.Language,
			Campaign:  cfg.Campaign,
		})
	}
	return sites
}

// hosts gives the absolute names of a domain's hosts.
func hosts(d portfolio.Domain) []string {
	names := make([]string, 0, len(d.DNS.Hosts))
	for _, owner := range d.DNS.Hosts {
		names = append(names, d.Name.Host(owner))
	}
	return names
}

// Subjects gives what those domains that are launched want on their
// certificates. A wildcard host is on it only where an issuer can prove
// control by DNS; elsewhere it answers on plain HTTP alone.
func Subjects(cfg *config.Config, domains []portfolio.Domain, now time.Time) []tls.Subject {
	wildcards := canWildcard(cfg.TLS)
	subjects := make([]tls.Subject, 0, len(domains))
	for _, d := range domains {
		if now.Before(d.Launch) {
			continue
		}
		if names := certificateNames(d, cfg.TLS.Wildcard, wildcards); len(names) > 0 {
			subjects = append(subjects, tls.Subject{Domain: d.Name.ASCII(), Names: names})
		}
	}
	return subjects
}

func canWildcard(t config.TLS) bool {
	for _, i := range t.Issuers {
		if i.Internal || i.Challenge == config.ChallengeDNS {
			return true
		}
	}
	return false
}

// certificateNames lists the names of a domain's certificate. One wildcard
// stands for all hosts one label below the domain.
func certificateNames(d portfolio.Domain, oneWildcard, wildcards bool) []string {
	var names []string
	covered := false
	for _, owner := range d.DNS.Hosts {
		switch {
		case owner == "*" && !wildcards:
		case owner == "*" || oneWildcard && isLabel(owner):
			if !covered {
				names, covered = append(names, d.Name.Host("*")), true
			}
		default:
			names = append(names, d.Name.Host(owner))
		}
	}
	return names
}

// isLabel reports whether an owner name is one label below the zone.
func isLabel(owner string) bool {
	for _, c := range owner {
		if c == '@' || c == '.' {
			return false
		}
	}
	return owner != ""
}

// NextLaunch gives the first launch after now, zero where there is none.
func NextLaunch(domains []portfolio.Domain, now time.Time) time.Time {
	var next time.Time
	for _, d := range domains {
		if d.Launch.After(now) && (next.IsZero() || d.Launch.Before(next)) {
			next = d.Launch
		}
	}
	return next
}
