// Package embedded is a DNS provider that needs no other: zones live in the
// state, one value each, and an authoritative server inside the daemon answers
// from them. It serves a lab, a trial, or a hidden primary behind the
// secondaries of a DNS service.
//
// Provider changes zones; Server serves them. They meet in the store alone, so
// a command beside a running daemon changes what the daemon serves.
package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"domherre/portfolio"
)

// Store is where the zones are: a part of state.Store.
type Store interface {
	Load(ctx context.Context, key string) ([]byte, error)
	Store(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
	List(ctx context.Context, prefix string, recursive bool) ([]string, error)
	Lock(ctx context.Context, name string) error
	Unlock(ctx context.Context, name string) error
}

// Keys of zones in the store are "dns/zones/<A-labels>.json".
const (
	keyPrefix = "dns/zones"
	keySuffix = ".json"
)

func zoneKey(name portfolio.Name) string { return keyPrefix + "/" + name.ASCII() + keySuffix }

// zoneOfKey gives the A-labels of the zone at key, and whether a zone can be there.
func zoneOfKey(key string) (string, bool) {
	rest, ok := strings.CutPrefix(key, keyPrefix+"/")
	if !ok || strings.Contains(rest, "/") {
		return "", false
	}
	return strings.CutSuffix(rest, keySuffix)
}

// Settings are those of a provider in the config.
type Settings struct {
	Contact       string   `json:"contact" doc:"mailbox of who answers for the zones, for the SOA record" default:"hostmaster@ the domain" example:"dns@example.se"`
	AllowTransfer []string `json:"allow_transfer" doc:"addresses or networks of secondaries that may transfer the zones" example:"[192.0.2.53, 2001:db8::/64]"`
	Notify        []string `json:"notify" doc:"addresses of secondaries that are told of every change (NOTIFY), with a port where it isn't 53" example:"[192.0.2.53, 192.0.2.54:5353]"`
	Catalog       string   `json:"catalog" doc:"name of a catalog zone (RFC 9432) by which secondaries learn which zones there are; only they may see it" example:"catalog.example.net"`
	KeyName       string   `json:"key_name" doc:"name of the TSIG key by which secondaries sign their transfers; without allow_transfer, it alone lets them" example:"domherre."`
	KeyAlg        string   `json:"key_alg" doc:"algorithm of the key" default:"hmac-sha256"`
	Key           string   `json:"key" doc:"secret of the key, in base64" example:"${env:TSIG_KEY}" secret:"true"`
}

// Check says what is wrong with the settings, by the setting's name.
func (s Settings) Check() map[string]error {
	faults := make(map[string]error)
	if s.Contact != "" {
		if _, err := mailbox(s.Contact); err != nil {
			faults["contact"] = err
		}
	}
	if _, err := s.allowed(); err != nil {
		faults["allow_transfer"] = err
	}
	if _, err := s.notified(); err != nil {
		faults["notify"] = err
	}
	if s.Catalog != "" {
		if _, err := catalogName(s.Catalog); err != nil {
			faults["catalog"] = err
		}
	}
	s.checkKey(faults)
	return faults
}

// mailbox turns an address into the domain name that a SOA has for it
// (RFC 1035, section 8).
func mailbox(address string) (string, error) {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Name != "" {
		return "", fmt.Errorf("%q is no mailbox; write it like hostmaster@example.se", address)
	}
	at := strings.LastIndexByte(parsed.Address, '@')
	local, host := parsed.Address[:at], parsed.Address[at+1:]
	name := dns.Fqdn(strings.NewReplacer(`\`, `\\`, ".", `\.`, `"`, `\"`).Replace(local) + "." + host)
	if _, ok := dns.IsDomainName(name); !ok || !ascii(name) {
		return "", fmt.Errorf("%q can't stand in a SOA record; write a plain mailbox like hostmaster@example.se", address)
	}
	return name, nil
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// Nameserver is a name server that a zone's NS records name.
type Nameserver struct {
	Name string `json:"name"` // A-labels; a trailing dot may be left out
	// Addrs are served as glue where the name lies in the zone itself and the
	// zone has no address records for it.
	Addrs []netip.Addr `json:"addrs,omitempty"`
}

// stored is a zone as the store has it.
type stored struct {
	Version     int               `json:"version"` // 1
	Zone        portfolio.Name    `json:"zone"`
	Serial      uint32            `json:"serial"`
	Updated     time.Time         `json:"updated"`
	Contact     string            `json:"contact"` // a domain name, as in the SOA
	Nameservers []Nameserver      `json:"nameservers"`
	RRsets      []portfolio.RRset `json:"rrsets"`            // canonical, sorted
	Changes     []delta           `json:"changes,omitempty"` // the latest, oldest first
}

// decode reads a zone. It doubts the store: what it gives is whole and of the
// version that is known, or an error that says what to do.
func decode(zone string, value []byte) (*stored, error) {
	// Room for a usual zone: growing step by step costs as much as the rest.
	z := stored{RRsets: make([]portfolio.RRset, 0, 16)}
	fail := func(err error) (*stored, error) {
		return nil, fmt.Errorf("zone %s in the state can't be read: %w; remove %s/%s%s from the state, then apply --force writes it anew",
			zone, err, keyPrefix, zone, keySuffix)
	}
	if err := json.Unmarshal(value, &z); err != nil {
		return fail(err)
	}
	switch {
	case z.Version != 1:
		return fail(fmt.Errorf("it is of version %d, which is not known here", z.Version))
	case z.Zone.ASCII() != zone:
		return fail(fmt.Errorf("it is the zone %s", z.Zone))
	case len(z.Nameservers) == 0:
		return fail(errors.New("it has no name servers"))
	}
	return &z, nil
}

func (z *stored) encode() ([]byte, error) { return json.Marshal(z) }

var apexNS = portfolio.Key{Name: "@", Type: "NS"}

// observed gives the zone as others see it: with the NS records that the
// settings put at its apex, unless the zone has its own.
func (z *stored) observed() portfolio.Zone {
	out := portfolio.Zone{Name: z.Zone, Serial: z.Serial, RRsets: z.RRsets}
	if _, own := out.Find(apexNS); !own {
		out.RRsets = append([]portfolio.RRset{z.defaultNS()}, z.RRsets...)
		portfolio.SortRRsets(out.RRsets)
	}
	return out
}

// defaultNS is the apex NS RRset that follows from the settings.
func (z *stored) defaultNS() portfolio.RRset {
	set := portfolio.RRset{Name: apexNS.Name, Type: apexNS.Type, TTL: nsTTL}
	for _, ns := range z.Nameservers {
		set.Data = append(set.Data, ns.Name)
	}
	return set
}

// Times of the records that no one declares, in seconds. Negative answers
// (minimum, RFC 2308) are short, since a name that staff has just added may
// have been asked for already.
const (
	nsTTL      = 3600
	soaTTL     = 3600
	soaRefresh = 3600
	soaRetry   = 600
	soaExpire  = 1209600
	soaMinimum = 60
)

// nextSerial gives the serial after old: the time in seconds, or one more than
// old where that isn't newer (RFC 1982). It is never 0, which portfolio.Zone
// takes for unknown.
func nextSerial(old uint32, now time.Time) uint32 {
	next := uint32(now.Unix())
	if !newer(next, old) {
		next = old + 1
	}
	if next == 0 {
		next = 1
	}
	return next
}

// newer reports whether serial a comes after b (RFC 1982, section 3.2).
func newer(a, b uint32) bool { return a != b && a-b < 1<<31 }
