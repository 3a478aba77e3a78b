package portfolio

import (
	"fmt"
	"slices"
	"time"
)

// Facts is what the desired records of a domain need to know beyond its entry.
type Facts struct {
	// Holder is whether this process holds the state that the rest comes from.
	// Without it, records of ours that depend on the state are left as
	// observed.
	Holder bool

	// Certified is whether a certificate for the domain is at hand: browsers
	// that see an HTTPS record go to port 443 at once.
	Certified bool

	// CAA has one element per configured issuer whose certificates browsers
	// are to trust; it is empty where there is none such.
	CAA []IssuerCAA

	MinTTL      uint32   // seconds; the provider raises what is below
	TTLs        []uint32 // the only ones that the provider knows, ascending; empty: any
	Uncreated   bool     // the provider doesn't create a zone that is missing
	CreatesBy   string   // the provider's setting that would let it; empty where none does
	Unsupported []string // what the provider can't hold: a type, "HTTPS", or a type with its data, "MX 0 ."
	OneValue    bool     // the provider can't hold several values of a name and type
	NoApex      bool     // the provider can't hold records at the domain itself
	LongestText int      // octets of a text that the provider can hold; 0: any number
}

// TTL gives the TTL that the provider makes of one: the next that it knows, or
// the last where there is none.
func (f Facts) TTL(ttl uint32) uint32 {
	for _, known := range f.TTLs {
		if ttl <= known {
			return known
		}
	}
	if n := len(f.TTLs); n > 0 {
		return f.TTLs[n-1]
	}
	return max(ttl, f.MinTTL)
}

// IssuerCAA is how an issuer goes by in CAA records (RFC 8659, RFC 8657).
type IssuerCAA struct {
	Domains    []string // the CA's identities, as in its directory; empty where unknown
	AccountURI string   // "" where unknown: then any account of the CA may issue
	Methods    []string // "http-01", "dns-01", …; empty: any
}

// Class says where a desired RRset comes from.
type Class string

// Classes of desired RRsets.
const (
	ClassWeb      Class = "web"      // A, AAAA, HTTPS of the hosts
	ClassMail     Class = "mail"     // the mail lock
	ClassCAA      Class = "caa"      // derived from the issuers
	ClassDeclared Class = "declared" // written in the entry itself
)

// Want is one desired RRset.
type Want struct {
	RRset
	Class Class
	Lock  []string // of a TXT RRset: those values that are the mail lock's
}

// Desired is what a domain's zone shall hold.
type Desired struct {
	Domain *Domain
	Wants  []Want   // in the order of SortRRsets, one per key
	Keep   []Key    // stay as observed where they are ours already
	Notes  []string // sentences for people
	Err    error    // the entry contradicts itself; Wants then mean nothing
}

// Values of a domain that never mails, in canonical form.
const (
	nullMX    = "0 ."                                            // RFC 7505
	spfNone   = "v=spf1 -all"                                    // RFC 7208
	dmarcNone = "v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s" // RFC 9989
	dkimNone  = "v=DKIM1; p="                                    // RFC 6376: all keys revoked
	httpsHere = `1 . alpn="h2,http/1.1"`                         // RFC 9460
)

// Desire says what d's zone shall hold at the time now:
//
//   - A and AAAA at each host, from the addresses, and an HTTPS record once
//     there is a certificate; none of these before the launch;
//   - with mail none: a null MX and SPF -all at each host, SPF -all at the
//     wildcard (which covers only names that don't exist), DMARC reject, and
//     all DKIM keys revoked;
//   - with CAA auto: that the configured issuers alone may issue;
//   - the records that the entry declares. A declared RRset takes the place of
//     a derived one of the same name and type; declared TXT values stand beside
//     the mail lock's, unless they hold an SPF (DMARC, DKIM) policy themselves.
//
// It is pure, and keeps d. A paused domain keeps its records.
func Desire(d *Domain, f Facts, now time.Time) Desired {
	b := builder{d: d, f: &f, ttl: f.TTL(d.DNS.TTL)}
	b.wants = make([]Want, 0, 16)
	if !now.Before(d.Launch) {
		b.web()
	}
	if d.DNS.Mail == MailNone {
		b.mailLock()
	}
	b.caa()
	b.declared()
	slices.SortStableFunc(b.wants, func(x, y Want) int { return compareRRsets(x.RRset, y.RRset) })
	if b.err == nil {
		b.err = contradiction(d.Name, b.wants)
	}
	if why := f.unfit(d, b.wants); why != "" && b.err == nil {
		b.err = fmt.Errorf("%s: %s", d.Name, why)
	}
	return Desired{Domain: d, Wants: b.wants, Keep: b.keep, Notes: b.notes, Err: b.err}
}

// builder gathers the desired RRsets of one domain.
type builder struct {
	d     *Domain
	f     *Facts
	ttl   uint32
	wants []Want
	keep  []Key
	notes []string
	err   error
}

func (b *builder) add(class Class, name, typ string, data ...string) {
	if b.unsupported(typ, data) || b.find(Key{name, typ}) != nil {
		return
	}
	w := Want{RRset: RRset{Name: name, Type: typ, TTL: b.ttl, Data: data}, Class: class}
	if class == ClassMail && typ == "TXT" {
		w.Lock = data
	}
	b.wants = append(b.wants, w)
}

// unsupported notes what the provider can't hold, once.
func (b *builder) unsupported(typ string, data []string) bool {
	for _, u := range b.f.Unsupported {
		if u == typ || len(data) == 1 && u == typ+" "+data[0] {
			b.note(fmt.Sprintf("provider %s can't hold %s records: left out", b.d.Provider, u))
			return true
		}
	}
	return false
}

func (b *builder) note(s string) {
	if !slices.Contains(b.notes, s) {
		b.notes = append(b.notes, s)
	}
}

func (b *builder) find(k Key) *Want {
	for i := range b.wants {
		if b.wants[i].Name == k.Name && b.wants[i].Type == k.Type {
			return &b.wants[i]
		}
	}
	return nil
}

func (b *builder) web() {
	var v4, v6 []string
	for _, a := range b.d.DNS.Addresses {
		if a = a.Unmap().WithZone(""); a.Is4() {
			v4 = append(v4, a.String())
		} else if a.IsValid() {
			v6 = append(v6, a.String())
		}
	}
	if len(v4)+len(v6) == 0 {
		return
	}
	v4, v6 = sortedSet(v4), sortedSet(v6)
	for _, host := range b.d.DNS.Hosts {
		if len(v4) > 0 {
			b.add(ClassWeb, host, "A", v4...)
		}
		if len(v6) > 0 {
			b.add(ClassWeb, host, "AAAA", v6...)
		}
		if !b.f.Holder {
			b.keep = append(b.keep, Key{host, "HTTPS"})
		} else if b.f.Certified {
			b.add(ClassWeb, host, "HTTPS", httpsHere)
		}
	}
}

func (b *builder) mailLock() {
	b.add(ClassMail, "@", "MX", nullMX)
	b.add(ClassMail, "@", "TXT", spfNone)
	for _, host := range b.d.DNS.Hosts {
		b.add(ClassMail, host, "MX", nullMX)
		b.add(ClassMail, host, "TXT", spfNone)
	}
	b.add(ClassMail, "*", "TXT", spfNone)
	b.add(ClassMail, "_dmarc", "TXT", dmarcNone)
	b.add(ClassMail, "*._domainkey", "TXT", dkimNone)
}

func (b *builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("%s: "+format, append([]any{b.d.Name}, args...)...)
	}
}

func sortedSet(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}
