package wire

import (
	"log/slog"
	"strings"

	"domherre/config"
	"domherre/dnsprovider"
	"domherre/portfolio"
)

// ProviderHooks is what a daemon adds to the providers of a command.
type ProviderHooks struct {
	// Keeper names the provider that keeps a domain's zone; nil: as the config says.
	Keeper    func(portfolio.Name) (string, bool)
	Requested func(provider, op, outcome string)
}

// Providers opens the providers of a config.
func Providers(cfg *config.Config, store dnsprovider.Store, hooks ProviderHooks, log *slog.Logger) (*dnsprovider.Set, error) {
	if hooks.Keeper == nil {
		keepers := map[portfolio.Name]string{}
		for _, d := range cfg.Portfolio.Domains {
			keepers[d.Name] = d.Provider
		}
		hooks.Keeper = func(n portfolio.Name) (string, bool) { p, ok := keepers[n]; return p, ok }
	}
	return dnsprovider.Open(providerConfigs(cfg), dnsprovider.Deps{
		Store:     store,
		Resolvers: Resolvers(cfg),
		Log:       log,
		Provider:  hooks.Keeper,
		Requested: hooks.Requested,
	})
}

func providerNames(cfg *config.Config) []string {
	var names []string
	for _, p := range cfg.Providers {
		names = append(names, p.Name)
	}
	return names
}

func providerConfigs(cfg *config.Config) []dnsprovider.Config {
	cfgs := make([]dnsprovider.Config, 0, len(cfg.Providers))
	for _, p := range cfg.Providers {
		cfgs = append(cfgs, dnsprovider.Config{
			Name: p.Name, Type: p.Type, Settings: p.Settings,
			Nameservers: nameservers(p.Nameservers), Limits: limits(p.Limits),
		})
	}
	return cfgs
}

func nameservers(in []config.Nameserver) []dnsprovider.Nameserver {
	var out []dnsprovider.Nameserver
	for _, ns := range in {
		out = append(out, dnsprovider.Nameserver{Name: ns.Name, Addr: ns.Addr})
	}
	return out
}

func limits(in config.ProviderLimits) dnsprovider.Limits {
	var out dnsprovider.Limits
	if in.Concurrency != nil {
		out.Concurrency = *in.Concurrency
	}
	if in.RequestsPerSecond != nil {
		out.RequestsPerSecond = *in.RequestsPerSecond
	}
	if in.Timeout != nil {
		out.Timeout = *in.Timeout
	}
	if in.Retries != nil {
		if out.Retries = *in.Retries; out.Retries == 0 {
			out.Retries = -1 // none, where 0 would be the type's default
		}
	}
	return out
}

// Resolvers gives the resolvers that questions about the outside go to: those
// of the checks, else those of dns-01, else the system's (none here).
func Resolvers(cfg *config.Config) []string {
	if len(cfg.Check.Resolvers) > 0 {
		return cfg.Check.Resolvers
	}
	return cfg.TLS.Resolvers
}

// nameserverNames lists what the registrar of a domain should delegate to.
func nameserverNames(cfg *config.Config, provider string) []string {
	var names []string
	for _, p := range cfg.Providers {
		if p.Name != provider {
			continue
		}
		for _, ns := range p.Nameservers {
			names = append(names, strings.TrimSuffix(ns.Name, "."))
		}
	}
	return names
}

// Costs gives what a plan costs at each provider that limits requests.
func Costs(cfg *config.Config, p portfolio.Plan) []dnsprovider.Cost {
	return dnsprovider.Costs(providerConfigs(cfg), p)
}

// providerTypes gives the type of each provider by the provider's name.
func providerTypes(cfg *config.Config) map[string]dnsprovider.Type {
	types := map[string]dnsprovider.Type{}
	for _, p := range cfg.Providers {
		types[p.Name], _ = dnsprovider.TypeWith(p.Type, p.Settings)
	}
	return types
}

// typeFacts are what the desired records need to know of a provider's type.
func typeFacts(t dnsprovider.Type) portfolio.Facts {
	return portfolio.Facts{
		MinTTL: t.MinTTL, TTLs: t.TTLs, Uncreated: !t.Creates, CreatesBy: t.CreatesBy,
		Unsupported: t.Unsupported, OneValue: t.OneValue, NoApex: t.NoApex, LongestText: t.Longest,
	}
}
