package tls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"

	"domherre/tls/acmeca"
	"domherre/tls/internalca"
)

// issuer is one entry of Options.Issuers, ready for use.
type issuer struct {
	key      string // names it in the store
	name     string // for people: the CA's host name
	public   bool   // a CA that the public shares
	keyType  string
	dns01    bool // wildcards are possible
	profile  string
	patience time.Duration // how long an order may take
	ca       authority
	internal *internalca.CA // set for the internal CA
	acme     *acmeca.CA     // set for an ACME CA

	limits   limits
	spending chan struct{} // held while what was spent is read and written
	spent    spending      // as last seen; guarded by Manager.mu
}

// How long one order may take. With dns-01, all name servers must serve first.
const (
	orderPatience    = 5 * time.Minute
	orderPatienceDNS = 10 * time.Minute
)

// authority issues certificates.
type authority interface {
	// Check reports cheaply whether the authority can be asked at all.
	Check(ctx context.Context) error
	// Replace issues for the names of csr, in place of old if that isn't nil.
	Replace(ctx context.Context, csr *x509.CertificateRequest, old *x509.Certificate) (*certmagic.IssuedCertificate, error)
	// RenewalInfo says when leaf shall be renewed, or acme.ErrUnsupported.
	RenewalInfo(ctx context.Context, leaf *x509.Certificate) (acme.RenewalInfo, error)
}

// internalAuthority has no opinion on renewals.
type internalAuthority struct{ *internalca.CA }

func (internalAuthority) Check(context.Context) error { return nil }

func (a internalAuthority) Replace(ctx context.Context, csr *x509.CertificateRequest, _ *x509.Certificate) (*certmagic.IssuedCertificate, error) {
	return a.Issue(ctx, csr)
}

func (internalAuthority) RenewalInfo(context.Context, *x509.Certificate) (acme.RenewalInfo, error) {
	return acme.RenewalInfo{}, acme.ErrUnsupported
}

func (o Options) issuers() ([]*issuer, error) {
	var all []*issuer
	for _, cfg := range o.Issuers {
		if cfg.Internal && len(o.Issuers) > 1 {
			return nil, errors.New("tls.issuers: the internal CA stands alone: behind a public CA, its certificate would stay until it ends")
		}
		if err := checkKeyType(cfg.KeyType); err != nil {
			return nil, fmt.Errorf("tls.issuers: %w", err)
		}
		iss, err := o.newIssuer(cfg)
		if err != nil {
			return nil, fmt.Errorf("tls.issuers: %w", err)
		}
		all = append(all, iss)
	}
	return all, nil
}

func (o Options) newIssuer(cfg Issuer) (*issuer, error) {
	if cfg.Internal {
		ca := internalca.New(o.Storage, o.Log, o.Now)
		return &issuer{
			key: internalca.Key, name: "the internal CA", keyType: cfg.KeyType, dns01: true, patience: orderPatience,
			ca: internalAuthority{ca}, internal: ca,
		}, nil
	}
	settings := acmeca.Config{
		Directory: cfg.ACME, Email: cfg.Email, Roots: cfg.Roots, Profile: cfg.Profile, PreferredChain: cfg.PreferredChain,
		Storage: o.Storage, Log: o.Log, Now: o.Now,
	}
	if cfg.EAB != nil {
		settings.EAB = &acmeca.EAB{KeyID: cfg.EAB.KeyID, MACKey: cfg.EAB.MACKey}
	}
	if err := o.addSolvers(&settings, cfg.Challenge); err != nil {
		return nil, err
	}
	ca, err := acmeca.New(settings)
	if err != nil {
		return nil, err
	}
	patience := orderPatience
	if cfg.Challenge == acme.ChallengeTypeDNS01 {
		patience = orderPatienceDNS
	}
	return &issuer{
		patience: patience, key: ca.IssuerKey(), name: ca.Host(), public: isPublicCA(ca.Host()), keyType: cfg.KeyType,
		dns01: cfg.Challenge == acme.ChallengeTypeDNS01, profile: cfg.Profile, ca: ca, acme: ca,
		limits: limitsOf(ca.Host(), cfg.Orders), spending: make(chan struct{}, 1),
	}, nil
}

func (o Options) addSolvers(cfg *acmeca.Config, challenge string) error {
	var types []string
	switch challenge {
	case "":
		types = []string{acme.ChallengeTypeHTTP01, acme.ChallengeTypeTLSALPN01}
	case acme.ChallengeTypeHTTP01, acme.ChallengeTypeTLSALPN01:
		types = []string{challenge}
	case acme.ChallengeTypeDNS01:
		if o.DNS01 == nil {
			return errors.New("challenge dns-01 needs a DNS provider: see providers")
		}
		cfg.Solvers = []acmeca.Solver{{Type: challenge, Solver: dnsSolver{o.DNS01}}}
		return nil
	default:
		return fmt.Errorf("challenge %q is unknown: write dns-01, http-01 or tls-alpn-01", challenge)
	}
	key, err := acmeca.Key(cfg.Directory)
	if err != nil {
		return err
	}
	for _, t := range types {
		cfg.Solvers = append(cfg.Solvers, acmeca.Solver{Type: t, Solver: acmeca.Tokens{Storage: o.Storage, Issuer: key}})
	}
	return nil
}

// challenges lists the types that one order may use up.
func (i *issuer) challenges() []string {
	if i.acme == nil {
		return nil
	}
	return i.acme.Challenges()
}

// can reports why the issuer can't issue for names.
func (i *issuer) can(names []string) error {
	if hasWildcard(names) && !i.dns01 {
		return fmt.Errorf("a wildcard needs challenge: dns-01 for %s", i.name)
	}
	return nil
}

// maxNames is how many names fit on one certificate. Let's Encrypt allows 25
// in its short-lived and tlsserver profiles, 100 elsewhere.
func (i *issuer) maxNames() int {
	if i.profile == "shortlived" || i.profile == "tlsserver" {
		return 25
	}
	return 100
}
