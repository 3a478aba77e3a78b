// Package tls gets, keeps, renews and serves the certificates of the portfolio.
//
// A Manager drives each domain's certificate by itself: one domain's failure,
// or a CA that hangs, never delays another's. What handshakes read lies in
// memory and never waits for the store or the network. All that must outlive
// a restart (certificates in generations, and when to try again) lies in the
// store, which several processes may share.
package tls

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
)

// Issuer says who issues, and how control over names is proved. Internal
// stands alone; else ACME is set.
type Issuer struct {
	Internal  bool   // our own CA, kept in the store; trusted by no browser
	ACME      string // URL of an ACME directory (RFC 8555)
	Email     string // contact of the account; may be empty
	Challenge string // "http-01", "tls-alpn-01", "dns-01"; empty: the first two
	EAB       *EAB
	Roots     []byte // PEM; trusted for the ACME server instead of the system's
	Profile   string // empty: the CA's default
	// KeyType is p256 (the default), p384, rsa2048, rsa3072, rsa4096 or ed25519.
	KeyType        string
	PreferredChain string // common name of a root or intermediate
	Orders         Limit  // on new orders; zero: what is known of the CA
}

// EAB binds the ACME account to one that the CA knows its customer by.
type EAB struct {
	KeyID  string
	MACKey string // base64url
}

// Subject is what one domain wants on its certificate.
type Subject struct {
	Domain string   // A-labels; the certificate is filed under it
	Names  []string // DNS names, A-labels; "*.kopasex.se" is allowed
}

// DNSPresenter puts the TXT records of dns-01 challenges into the DNS. fqdn
// ends in a dot: "_acme-challenge.kopasex.se.". Several values may stand at one
// name at once, and only the given one is added or removed.
type DNSPresenter interface {
	Present(ctx context.Context, fqdn, value string) error
	// Wait returns once every authoritative server serves the value.
	Wait(ctx context.Context, fqdn, value string) error
	CleanUp(ctx context.Context, fqdn, value string) error
}

// Options is what a Manager needs. Storage and Log are required.
type Options struct {
	Storage certmagic.Storage
	Issuers []Issuer // tried in order; none: the internal CA
	// HTTPPort and HTTPSPort are where ListenForChallenges listens; 80 and 443
	// if zero.
	HTTPPort, HTTPSPort int
	DNS01               DNSPresenter // needed for dns-01
	RenewBefore         float64      // renew when this part of the lifetime is left; 1/3 if zero
	// Ready, if set, is asked before each order. Its error holds the order
	// back, is told as what the domain waits for, and it is soon asked again.
	Ready func(context.Context, Subject) error
	// Permits, if set, is asked for each ACME issuer then. Its error says that
	// CAA records forbid the issuer (RFC 8659): the next is taken, and where
	// none is left the order is held back.
	Permits func(context.Context, Subject, CAAIdentity) error
	// Changed, if set, is told about every certificate that was issued or
	// couldn't be. It must return quickly.
	Changed func(Entry)
	Log     *slog.Logger
	Now     func() time.Time // time.Now if nil
}

// WaitsForOther is Entry.Waiting while another process on the store orders.
const WaitsForOther = "another process is ordering it"

// Entry is what the inventory knows about one domain's certificate. Without a
// certificate, Issuer and Serial are empty and the times zero.
type Entry struct {
	Domain   string   // A-labels
	Names    []string // on the certificate; what is wanted, while there is none
	Issuer   string   // the issuing certificate's common name
	Serial   string   // hexadecimal
	Internal bool     // from the internal CA

	NotBefore, NotAfter time.Time
	RenewAt             time.Time
	ARI                 bool // RenewAt is the CA's own wish (RFC 9773)

	Due       string    // why an order is due, as a Turn's Reason; empty: none is
	LastError string    // of the last attempt, if it failed
	Attempts  int       // failed ones in a row
	NextTry   time.Time // when it is tried again; zero: nothing is due
	Waiting   string    // what it waits for before it orders; empty: nothing
	Barred    bool      // what it waits for is that somebody changes CAA records
}

// defaults checks o and fills in what was left out.
func (o Options) defaults() (Options, error) {
	if o.Storage == nil || o.Log == nil {
		return o, fmt.Errorf("certificates: Options needs Storage and Log")
	}
	if len(o.Issuers) == 0 {
		o.Issuers = []Issuer{{Internal: true}}
	}
	if o.RenewBefore < 0 || o.RenewBefore >= 1 {
		return o, fmt.Errorf("tls.renew_before must lie between 0%% and 100%%, not %v", o.RenewBefore*100)
	}
	if o.RenewBefore == 0 {
		o.RenewBefore = 1.0 / 3
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.HTTPPort == 0 {
		o.HTTPPort = 80
	}
	if o.HTTPSPort == 0 {
		o.HTTPSPort = 443
	}
	return o, nil
}

// validate reports why the subject can't be managed. Only A-labels will do:
// stores and CAs would take names apart, or mix them up, otherwise.
func (s Subject) validate() error {
	if !isHostName(s.Domain) {
		return fmt.Errorf("%q is no domain name in A-labels", s.Domain)
	}
	if len(s.Names) == 0 {
		return fmt.Errorf("no host of it leads to the frontend")
	}
	for _, n := range s.Names {
		if !isHostName(strings.TrimPrefix(n, "*.")) {
			return fmt.Errorf("%q is no host name in A-labels", n)
		}
		if n := strings.TrimPrefix(n, "*."); n != s.Domain && !strings.HasSuffix(n, "."+s.Domain) {
			return fmt.Errorf("%q doesn't belong to it", n)
		}
	}
	return nil
}

// isHostName reports whether s is lower-case letters, digits and hyphens in
// labels, as a host name in A-labels is (RFC 5890).
func isHostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}

// hasWildcard reports whether one of the names needs dns-01.
func hasWildcard(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "*.") })
}

// isChallenge reports whether r asks for an http-01 token.
func isChallenge(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, challengePath)
}

const challengePath = "/.well-known/acme-challenge/"
