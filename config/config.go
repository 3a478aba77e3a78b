// Package config reads what people write, domherre.yaml and the domain files,
// into one Config: strictly, with every fault of every file told at once, each
// with its place and what to write instead.
package config

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/spf13/pflag"

	"domherre/portfolio"
)

// Config is a whole configuration, checked, with its defaults filled in. It
// holds secrets: its fields print as "[secret]" where they carry one.
type Config struct {
	Path      string // of the main file
	Campaign  string
	Portfolio portfolio.Portfolio // defaults merged into each domain, in the order of the files
	Frontend  string              // absolute https URL, host as A-labels; "" where each domain names its own
	Language  string              // sv or en
	Providers []Provider          // the first is the default; never empty
	DNS       portfolio.DNSSettings
	Redirect  portfolio.RedirectSettings
	TLS       TLS
	Reconcile Reconcile
	Check     Check
	Notify    []Notify
	State     Location
	// StateKeys encrypt the state; the first seals. Empty: it isn't encrypted.
	StateKeys  []Secret
	StateCache string // folder for the copy of a database; "" for none
	Listen     Listen
	Admin      Admin
	Hits       Hits
	// SecurityTxt is the content of /.well-known/security.txt; "" for none.
	SecurityTxt string
	Log         Log
	DomainFiles []string // as in portfolio.Source.File, in the order read; also where there were faults
	Sources     Sources  // what was read, for Watch; also where there were faults

	redact func(string) string // takes the secrets out; a function, since that prints nothing of them
}

// Provider is one entry of providers:.
type Provider struct {
	Name        string // its key, case kept
	Type        string
	Settings    Settings // of the type; strings as resolved
	Nameservers []Nameserver
	Limits      ProviderLimits
}

// Nameserver is what a registrar should delegate to.
type Nameserver struct {
	Name string         // A-labels, lower case, without a trailing dot
	Addr netip.AddrPort // the zero AddrPort: to be looked up
}

// ProviderLimits is limits: of a provider. A nil field isn't configured: the
// type's own default applies.
type ProviderLimits struct {
	Concurrency       *int
	RequestsPerSecond *float64
	Timeout           *time.Duration
	Retries           *int
}

// TLS is tls:.
type TLS struct {
	Issuers     []Issuer // tried in order; never empty
	Wildcard    bool     // one certificate for *.domain
	RenewBefore float64  // fraction of the lifetime that is left: 0.33
	Resolvers   []string // "192.0.2.53:53"
}

// Challenges of an issuer.
const (
	ChallengeDNS  = "dns-01"
	ChallengeHTTP = "http-01"
	ChallengeALPN = "tls-alpn-01"
)

// Issuer is one entry of tls.issuers: an ACME directory or our own CA.
type Issuer struct {
	Internal       bool
	ACME           string // directory URL
	Email          string
	Challenge      string // "" for http-01 and tls-alpn-01
	EAB            *EAB
	Roots          []byte // PEM, read from the file named
	Profile        string
	KeyType        string // p256 p384 rsa2048 rsa4096 ed25519; "" for the default
	PreferredChain string
	Orders         Rate // limits.orders; zero where not configured
}

// EAB is an external account binding (RFC 8555, section 7.3.4).
type EAB struct {
	KeyID  string
	MACKey Secret
}

// Rate is "300 per 3h".
type Rate struct {
	Count int
	Per   time.Duration
}

// Reconcile is reconcile:.
type Reconcile struct {
	Every     time.Duration
	Apply     bool
	Prune     bool
	Waves     bool
	MaxDelete float64 // a fraction: 0.30
}

// Check is check:.
type Check struct {
	Every     time.Duration
	Resolvers []string // "192.0.2.53:53"; empty for the system's
	RDAP      RDAP
}

// RDAP is check.rdap.
type RDAP struct {
	Off       bool
	Overrides map[string]string // top-level domain as A-label → base URL
}

// Notify is one entry of notify:.
type Notify struct {
	URL Secret // a shoutrrr URL, which holds its credentials
}

// Listen is listen:. An empty address means that nothing listens there.
type Listen struct {
	HTTP      string
	HTTPS     string
	HTTP3     bool
	Admin     string
	DNS       string
	ProxyFrom []netip.Prefix
}

// Admin is admin:.
type Admin struct {
	Token Secret // empty where Listen.Admin is a loopback address
}

// Hits is hits:.
type Hits struct {
	HideBelow int
}

// Log is log:.
type Log struct {
	JSON  bool
	Level slog.Level
}

// Options are what Load takes from its caller.
type Options struct {
	// Types checks the settings of a provider of a type, and that the type
	// exists (a fault with the key "type"). Nil checks nothing.
	Types func(typ string, settings map[string]any) []SettingFault
	// Facts gives what a type's providers can't hold. Nil means that they hold
	// anything.
	Facts func(typ string, settings map[string]any) portfolio.Facts
	// TypeNames are the types that exist, to name near ones.
	TypeNames []string
	// Notify finds what is wrong with the URL of a notification, in words that
	// show nothing of it; message is empty where nothing is. Nil checks nothing.
	Notify func(url string) (message, hint string)
	// Env looks a variable up; nil means os.LookupEnv.
	Env func(name string) (string, bool)
	// Flags are the command's flags. One that is set and named after a key,
	// its dots written as dashes ("listen-http"), wins over all else.
	Flags *pflag.FlagSet
	// Replace holds contents to take in place of what files hold, by absolute
	// path: how a configuration would be after an edit.
	Replace map[string][]byte
	// Location is where a bare date begins; nil means time.Local.
	Location *time.Location
}

// SettingFault is what is wrong with one setting of a provider.
type SettingFault struct {
	Key     string // as written in the file; "type" for the type itself, "" for the provider as a whole
	Message string
	Hint    string
}
