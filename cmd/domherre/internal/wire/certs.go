package wire

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"time"

	"domherre/config"
	"domherre/dnsprovider"
	"domherre/portfolio"
	"domherre/state"
	"domherre/tls"
)

// CertHooks is what a daemon adds to the certificates of a command.
type CertHooks struct {
	Ready   func(context.Context, tls.Subject) error
	Permits func(context.Context, tls.Subject, tls.CAAIdentity) error
	Changed func(tls.Entry)
}

// Certificates opens the certificates of a config. They are loaded from the
// store at once; nothing is ordered before Run.
func Certificates(cfg *config.Config, store state.Store, dns01 tls.DNSPresenter, hooks CertHooks, log *slog.Logger) (*tls.Manager, error) {
	o := tls.Options{
		Storage:     store,
		HTTPPort:    port(cfg.Listen.HTTP),
		HTTPSPort:   port(cfg.Listen.HTTPS),
		DNS01:       dns01,
		RenewBefore: cfg.TLS.RenewBefore,
		Ready:       hooks.Ready,
		Permits:     hooks.Permits,
		Changed:     hooks.Changed,
		Log:         log,
	}
	for _, i := range cfg.TLS.Issuers {
		o.Issuers = append(o.Issuers, issuer(i))
	}
	return tls.New(o)
}

func issuer(i config.Issuer) tls.Issuer {
	out := tls.Issuer{
		Internal: i.Internal, ACME: i.ACME, Email: i.Email, Challenge: i.Challenge,
		Roots: i.Roots, Profile: i.Profile, KeyType: i.KeyType, PreferredChain: i.PreferredChain,
		Orders: tls.Limit{Count: i.Orders.Count, Per: i.Orders.Per},
	}
	if i.EAB != nil {
		out.EAB = &tls.EAB{KeyID: i.EAB.KeyID, MACKey: i.EAB.MACKey.Reveal()}
	}
	return out
}

// port gives the port of a listen address, 0 where it names none.
func port(address string) int {
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(p)
	if err != nil {
		return 0
	}
	return n
}

// Facts are what the desired records need to know from the state.
type Facts struct {
	certs map[string]tls.Entry // by domain, those with a certificate
	caa   []portfolio.IssuerCAA
	types map[string]dnsprovider.Type // by provider
	now   time.Time
}

// FactsOf gathers the facts as they are now. It may ask a CA by which name CAA
// records know it, where the state doesn't tell yet.
func FactsOf(ctx context.Context, cfg *config.Config, certs *tls.Manager, now time.Time) Facts {
	f := Facts{certs: map[string]tls.Entry{}, types: providerTypes(cfg), now: now}
	for _, e := range certs.Inventory() {
		if !e.NotAfter.IsZero() {
			f.certs[e.Domain] = e
		}
	}
	for _, id := range certs.CAAIdentities(ctx) {
		f.caa = append(f.caa, portfolio.IssuerCAA{Domains: id.Domains, AccountURI: id.AccountURI, Methods: id.Methods})
	}
	return f
}

// Of gives the facts of one domain. Who has never had a certificate nor an
// account knows nothing that another might not know better.
func (f Facts) Of(d portfolio.Domain) portfolio.Facts {
	e, has := f.certs[d.Name.ASCII()]
	account := slices.ContainsFunc(f.caa, func(i portfolio.IssuerCAA) bool { return i.AccountURI != "" })
	facts := typeFacts(f.types[d.Provider])
	facts.Holder = has || account
	facts.Certified = has && !e.Internal && f.now.Before(e.NotAfter)
	facts.CAA = f.caa
	return facts
}

// HostAddresses gives the address records of a domain's hosts, from its entry
// alone.
func HostAddresses(cfg *config.Config, d portfolio.Domain, now time.Time) []portfolio.RRset {
	var sets []portfolio.RRset
	for _, w := range portfolio.Desire(&d, typeFacts(providerTypes(cfg)[d.Provider]), now).Wants {
		if w.Class == portfolio.ClassWeb && (w.Type == "A" || w.Type == "AAAA") {
			sets = append(sets, w.RRset)
		}
	}
	return sets
}

// Entries is the inventory by domain.
func Entries(inventory []tls.Entry) map[string]tls.Entry {
	entries := make(map[string]tls.Entry, len(inventory))
	for _, e := range inventory {
		entries[e.Domain] = e
	}
	return entries
}

// AnswersChallenges reports whether some issuer proves control by connecting to
// the names, so that somebody must listen.
func (r *Rooms) AnswersChallenges() bool {
	return slices.ContainsFunc(r.Config.TLS.Issuers, func(i config.Issuer) bool {
		return !i.Internal && i.Challenge != config.ChallengeDNS
	})
}
