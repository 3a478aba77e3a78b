// Package acmeca is a client of one ACME certificate authority (RFC 8555).
//
// It stands on the acme package of acmez, the one that certmagic itself uses,
// is a certmagic.Issuer, and keeps its accounts and challenge tokens where
// certmagic keeps them. It walks through an order by itself where certmagic's
// ACMEIssuer would do so, because four things can't be had from there: an
// order that survives a CA that refuses most nonces, the Retry-After of a
// refusal, the certificate that an order replaces (RFC 9773), and a CA that
// hangs without holding up the others.
package acmeca

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// EAB binds the ACME account to one that the CA knows its customer by.
type EAB struct {
	KeyID  string
	MACKey string // base64url without padding, as the CA gives it
}

// Config says which CA, and how to prove control over names to it.
type Config struct {
	Directory      string // https URL of the directory
	Email          string // contact of the account; may be empty
	EAB            *EAB
	Roots          []byte // PEM; trusted for the ACME server instead of the system's
	Profile        string // empty: the CA's default
	PreferredChain string // common name of a root or intermediate; empty: the CA's first
	// Solvers are tried in this order for each name that the CA offers them for.
	Solvers []Solver
	Storage certmagic.Storage
	Log     *slog.Logger
	Now     func() time.Time
}

// Solver proves control over a name by one type of challenge.
type Solver struct {
	Type string // "http-01", "tls-alpn-01", "dns-01"
	acmez.Solver
}

// CA is one certificate authority. It is safe for concurrent use.
type CA struct {
	cfg    Config
	key    string
	client *acme.Client
	plain  *http.Client // for what needs no account
	meter  *meter
	log    *slog.Logger

	accounts accounts
	probe    probe

	forgetful atomic.Bool // its names in CAA records can't be kept

	mu        sync.Mutex
	preferred string // challenge type that worked last
}

// Interface guards.
var _ certmagic.Issuer = (*CA)(nil)

// New makes a CA. It does no I/O.
func New(cfg Config) (*CA, error) {
	u, err := url.Parse(cfg.Directory)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("acme %q is not a URL: write the CA's directory, https://…", cfg.Directory)
	}
	if u.Scheme != "https" {
		return nil, fmt.Errorf("acme %q: the directory of a CA is fetched by https only", cfg.Directory)
	}
	if len(cfg.Solvers) == 0 {
		return nil, fmt.Errorf("acme %q: no challenge can be solved", cfg.Directory)
	}
	transport, err := newTransport(cfg.Roots)
	if err != nil {
		return nil, fmt.Errorf("acme %q: %w", cfg.Directory, err)
	}
	c := &CA{cfg: cfg, key: issuerKey(u), log: cfg.Log.With("ca", u.Host)}
	c.meter = &meter{next: transport, now: cfg.Now}
	c.accounts = newAccounts(c)
	c.probe.turn = make(chan struct{}, 1)
	c.plain = &http.Client{Transport: c.meter, Timeout: requestTimeout}
	c.client = &acme.Client{
		HTTPClient:   &http.Client{Transport: withoutARI{c.meter, cfg.Directory}, Timeout: requestTimeout},
		Directory:    cfg.Directory,
		UserAgent:    "Domherre",
		PollInterval: pollInterval,
		PollTimeout:  pollTimeout,
	}
	return c, nil
}

const (
	requestTimeout = 30 * time.Second
	pollInterval   = 100 * time.Millisecond // where the CA doesn't say
	pollTimeout    = 30 * time.Second
)

func newTransport(roots []byte) (*http.Transport, error) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 20 * time.Second,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   32,
		ForceAttemptHTTP2:     true,
	}
	if len(roots) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(roots) {
			return nil, fmt.Errorf("roots hold no certificate in PEM form")
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return t, nil
}

// issuerKey names the CA in the store, as certmagic does: host and path.
func issuerKey(u *url.URL) string {
	path := strings.Trim(strings.NewReplacer("/", "-", `\`, "-").Replace(u.Path), "-")
	if path == "" {
		return u.Host
	}
	return u.Host + "-" + path
}

// IssuerKey names the CA in the store: "acme-v02.api.letsencrypt.org-directory".
func (c *CA) IssuerKey() string { return c.key }

// Host gives the CA's host name, which people know it by.
func (c *CA) Host() string {
	u, err := url.Parse(c.cfg.Directory)
	if err != nil {
		return c.cfg.Directory
	}
	return u.Host
}

// Challenges lists the types of challenge that may be used, in order.
func (c *CA) Challenges() []string {
	types := make([]string, 0, len(c.cfg.Solvers))
	for _, s := range c.cfg.Solvers {
		types = append(types, s.Type)
	}
	return types
}

// Issue orders a certificate for the names of csr; see Replace.
func (c *CA) Issue(ctx context.Context, csr *x509.CertificateRequest) (*certmagic.IssuedCertificate, error) {
	return c.Replace(ctx, csr, nil)
}

// solvers lists the solvers, the one that worked last first.
func (c *CA) solvers() []Solver {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := slices.Clone(c.cfg.Solvers)
	slices.SortStableFunc(s, func(a, b Solver) int {
		return btoi(b.Type == c.preferred) - btoi(a.Type == c.preferred)
	})
	return s
}

func (c *CA) worked(challenge string) {
	c.mu.Lock()
	c.preferred = challenge
	c.mu.Unlock()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Key gives the IssuerKey that a CA with this directory will have.
func Key(directory string) (string, error) {
	u, err := url.Parse(directory)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("acme %q is not a URL: write the CA's directory, https://…", directory)
	}
	return issuerKey(u), nil
}
