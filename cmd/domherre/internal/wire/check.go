package wire

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"maps"

	"github.com/caddyserver/certmagic"

	"domherre/check"
	"domherre/config"
	"domherre/dnsprovider/dnsclient"
	"domherre/portfolio"
	"domherre/redirect"
	"domherre/tls"
)

// Checker makes the checks of a config. zones asks the authoritative servers.
func Checker(cfg *config.Config, zones portfolio.Zones, certs *tls.Manager, storage certmagic.Storage, log *slog.Logger) *check.Checker {
	c := &check.Checker{
		Resolver: resolver(cfg),
		Verify:   zones.Verify,
		Roots:    roots(cfg, certs, log),
		Ports:    check.Ports{HTTP: uint16(port(cfg.Listen.HTTP)), HTTPS: uint16(port(cfg.Listen.HTTPS))},
		Language: cfg.Language,
		Redact:   cfg.Redact,
	}
	if !cfg.Check.RDAP.Off {
		bases := check.KnownRDAP()
		maps.Copy(bases, cfg.Check.RDAP.Overrides)
		c.Registration = check.NewRDAP(check.RDAPOptions{
			Bases: bases, Bootstrap: check.IANABootstrap, Cache: registrations{storage, log},
		}).Registration
	}
	return c
}

// roots are the system's and those of private CAs, ours among them; nil where
// there are no private ones.
func roots(cfg *config.Config, certs *tls.Manager, log *slog.Logger) *x509.CertPool {
	var private [][]byte
	for _, i := range cfg.TLS.Issuers {
		if len(i.Roots) > 0 {
			private = append(private, i.Roots)
		}
		if !i.Internal {
			continue
		}
		own, err := certs.InternalRoots()
		if err != nil {
			log.Warn("the checks don't know the internal CA: its certificates count as untrusted", "error", err)
			continue
		}
		private = append(private, own)
	}
	if len(private) == 0 {
		return nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	for _, pem := range private {
		pool.AppendCertsFromPEM(pem)
	}
	return pool
}

func resolver(cfg *config.Config) check.Resolver {
	r, err := dnsclient.NewResolver(Resolvers(cfg))
	return lookups{r, err}
}

// lookups is dnsclient's resolver as the checks want it; without one, every
// look-up tells why.
type lookups struct {
	resolver *dnsclient.Resolver
	missing  error
}

// Lookup implements check.Resolver.
func (l lookups) Lookup(ctx context.Context, name string, qtype uint16) (check.Answer, error) {
	return l.ask(func() (dnsclient.Answer, error) { return l.resolver.Lookup(ctx, name, qtype) })
}

// LookupUnchecked implements check.Resolver.
func (l lookups) LookupUnchecked(ctx context.Context, name string, qtype uint16) (check.Answer, error) {
	return l.ask(func() (dnsclient.Answer, error) { return l.resolver.LookupUnchecked(ctx, name, qtype) })
}

func (l lookups) ask(lookup func() (dnsclient.Answer, error)) (check.Answer, error) {
	if l.missing != nil {
		return check.Answer{}, l.missing
	}
	a, err := lookup()
	return check.Answer{Rcode: a.Rcode, Records: a.Records, Authentic: a.Authentic, Extended: a.Extended}, err
}

// registrations keeps what registries told in the state.
type registrations struct {
	storage certmagic.Storage
	log     *slog.Logger
}

func registrationKey(n portfolio.Name) string { return "registration/" + n.ASCII() + ".json" }

// LoadRegistration implements check.RegistrationCache.
func (r registrations) LoadRegistration(ctx context.Context, n portfolio.Name) (check.Registration, bool) {
	var reg check.Registration
	text, err := r.storage.Load(ctx, registrationKey(n))
	if err != nil || json.Unmarshal(text, &reg) != nil {
		return check.Registration{}, false
	}
	return reg, true
}

// SaveRegistration implements check.RegistrationCache.
func (r registrations) SaveRegistration(ctx context.Context, n portfolio.Name, reg check.Registration) {
	text, err := json.Marshal(reg)
	if err == nil {
		err = r.storage.Store(ctx, registrationKey(n), text)
	}
	if err != nil {
		r.log.Warn("what the registry told is not kept: it is asked again after a restart", "domain", n.String(), "error", err)
	}
}

// CheckSubject gathers what the checks of one domain compare the world with.
func CheckSubject(cfg *config.Config, d portfolio.Domain, want []portfolio.RRset, table *redirect.Table, entry *tls.Entry) check.Subject {
	s := check.Subject{
		Domain:      d,
		Nameservers: nameserverNames(cfg, d.Provider),
		Records:     want,
	}
	wildcards := canWildcard(cfg.TLS)
	for _, host := range hosts(d) {
		status, location, ok := table.Lead(host)
		if ok && (wildcards || host[0] != '*') {
			s.Hosts = append(s.Hosts, check.Host{Name: host, Target: location, Status: status})
		}
	}
	if entry != nil {
		s.Certificate = certificateState(*entry)
	}
	return s
}

func certificateState(e tls.Entry) check.CertificateState {
	s := check.CertificateState{Internal: e.Internal, Waiting: e.Waiting, Barred: e.Barred, LastError: e.LastError}
	if !e.NotAfter.IsZero() {
		s.Certificate = &check.Certificate{
			Names: e.Names, Issuer: e.Issuer, NotAfter: e.NotAfter, RenewAt: e.RenewAt, LastError: e.LastError,
		}
	}
	return s
}
