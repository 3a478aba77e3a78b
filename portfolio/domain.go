package portfolio

import (
	"net/netip"
	"time"
)

// Portfolio is the declarative list, with every default already merged into
// its domains.
type Portfolio struct {
	ID        string // owner name, as configured: "duavgor"
	Campaign  string // shown to people: "Du avgör!"
	Domains   []Domain
	MaxDelete float64 // guard threshold, a fraction: 0.30
}

// Domain is one entry of the portfolio. It serialises as JSON, so that the
// state can remember it as last accepted.
type Domain struct {
	Name     Name             `json:"name"`
	Provider string           `json:"provider"` // key under providers:
	Frontend string           `json:"frontend"` // absolute https URL, host as A-labels
	DNS      DNSSettings      `json:"dns"`
	Redirect RedirectSettings `json:"redirect"`
	Paused   bool             `json:"paused,omitempty"`
	Launch   time.Time        `json:"launch,omitzero"` // no web records, no certificate before

	Note      string    `json:"note,omitempty"`
	Owner     string    `json:"owner,omitempty"`
	Tags      []string  `json:"tags,omitempty"`
	Added     time.Time `json:"added,omitzero"`
	Registrar string    `json:"registrar,omitempty"`
	Expires   time.Time `json:"expires,omitzero"`

	Source Source `json:"source"`

	// Set only in what the AcceptedStore keeps.
	Leaving bool `json:"leaving,omitempty"` // left the list, not pruned: kept as last accepted
	Owned   int  `json:"owned,omitempty"`   // RRsets that were ours in the zone when last seen

	// Written in a wave, and not seen to be served as wanted since.
	Unserved bool `json:"unserved,omitempty"`

	// Providers that kept the zone before, and may still have records of ours.
	Former []string `json:"former,omitempty"`
}

// Source is where a domain was declared.
type Source struct {
	File   string `json:"file"`
	Line   int    `json:"line"` // from 1
	Column int    `json:"column"`
}

// Mail modes.
const (
	MailNone = "none" // null MX, SPF -all, DMARC reject, DKIM revoked
	MailKeep = "keep" // mail records are left alone
)

// Ownership modes (design decision 2).
const (
	OwnMarker    = "marker"
	OwnExclusive = "exclusive"
	OwnNone      = "none"
)

// CAA modes; with CAAList the values are the entry's own.
const (
	CAAAuto = "auto"
	CAANone = "none"
	CAAList = "list"
)

// DNSSettings is dns: of the config, merged with the entry's own.
type DNSSettings struct {
	Addresses    []netip.Addr `json:"addresses"`
	Hosts        []string     `json:"hosts"` // owner names that lead to the frontend: "@", "www", "*"
	TTL          uint32       `json:"ttl"`   // seconds
	Mail         string       `json:"mail"`
	MailExplicit bool         `json:"mail_explicit,omitempty"` // the domain's entry itself says mail:
	CAA          string       `json:"caa"`
	CAAValues    []string     `json:"caa_values,omitempty"` // presentation form, with CAAList
	Records      []RRset      `json:"records,omitempty"`
	Ownership    string       `json:"ownership"`
	Ignore       []string     `json:"ignore,omitempty"` // "_acme-challenge*", "*.lab TXT"
}

// RedirectSettings is redirect: of the config, merged with the entry's own.
type RedirectSettings struct {
	Status    int               `json:"status"` // 301 302 303 307 308
	KeepPath  bool              `json:"keep_path,omitempty"`
	KeepQuery bool              `json:"keep_query,omitempty"`
	Tags      map[string]string `json:"tags,omitempty"` // templates: {campaign} {domain} {host}
	HSTS      string            `json:"hsts,omitempty"` // header value; "" off; "max-age=0" switched off
}
