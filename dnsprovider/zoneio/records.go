package zoneio

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/portfolio"
)

// RelativeName gives the owner name of fqdn relative to zone ("@" for the zone
// itself), in lower case, and whether it lies at or below zone at a label
// boundary: notduavgor.se is no part of duavgor.se, though libdns'
// RelativeName says so. Trailing dots may be left out.
func RelativeName(fqdn, zone string) (string, bool) {
	fqdn, zone = dns.CanonicalName(fqdn), dns.CanonicalName(zone)
	if fqdn == zone {
		return "@", true
	}
	if zone == "." {
		return strings.TrimSuffix(fqdn, "."), true
	}
	return strings.CutSuffix(fqdn, "."+zone)
}

// AbsoluteName undoes RelativeName; the result ends in a dot.
func AbsoluteName(owner, zone string) string {
	switch {
	case owner == "@" || owner == "":
		return dns.CanonicalName(zone)
	case strings.HasSuffix(owner, "."):
		return dns.CanonicalName(owner)
	case zone == "." || zone == "":
		return dns.CanonicalName(owner)
	}
	return dns.CanonicalName(owner + "." + zone)
}

// RRsets groups what a libdns provider gave for a zone into canonical RRsets.
// Records of types that are no DNS types (the providers' ALIAS, REDIRECT and
// the like) are left out: nothing here could compare or write them.
func RRsets(zone portfolio.Name, recs []libdns.Record) ([]portfolio.RRset, error) {
	rrs := make([]dns.RR, 0, len(recs))
	for _, rec := range recs {
		if _, ok := TypeCode(rec.RR().Type); !ok {
			continue
		}
		rr, err := ToRR(zone.FQDN(), rec)
		if err != nil {
			return nil, err
		}
		rrs = append(rrs, rr)
	}
	return portfolio.RRsetsOf(zone, rrs)
}

// Records gives an RRset as libdns records, of the types that libdns has for it.
func Records(zone portfolio.Name, set portfolio.RRset) ([]libdns.Record, error) {
	rrs, err := set.Records(zone)
	if err != nil {
		return nil, err
	}
	recs := make([]libdns.Record, len(rrs))
	for i, rr := range rrs {
		if recs[i], err = FromRR(zone.FQDN(), rr); err != nil {
			return nil, err
		}
	}
	return recs, nil
}

// ToRR turns a libdns record into a record of miekg/dns with an absolute owner
// name. Names in the data are absolute, with or without a trailing dot.
func ToRR(zone string, rec libdns.Record) (dns.RR, error) {
	// Once only: of a ServiceBinding each call orders the parameters anew.
	r := rec.RR()
	code, ok := TypeCode(r.Type)
	if !ok {
		return nil, fmt.Errorf("%s has the type %q, which is no DNS type", r.Name, r.Type)
	}
	header := dns.RR_Header{
		Name: AbsoluteName(r.Name, zone), Rrtype: code, Class: dns.ClassINET, Ttl: uint32(r.TTL / time.Second),
	}
	if code == dns.TypeTXT {
		return throughWire(&dns.TXT{Hdr: header, Txt: chunks(r.Data)})
	}
	if strings.ContainsAny(r.Data, "\r\n") {
		return nil, fmt.Errorf("%s %s has data of more than one line", r.Name, r.Type)
	}
	parser := dns.NewZoneParser(strings.NewReader(". 0 IN "+r.Type+" "+r.Data+"\n"), ".", "")
	rr, ok := parser.Next()
	if err := parser.Err(); err != nil {
		return nil, fmt.Errorf("%s %s has the data %q, which can't be read: %w", r.Name, r.Type, r.Data, err)
	}
	if !ok {
		return nil, fmt.Errorf("%s %s has no data", r.Name, r.Type)
	}
	*rr.Header() = header
	return throughWire(rr)
}

// throughWire undoes the freedoms of the presentation form, so that equal
// records are equal however they were written.
func throughWire(rr dns.RR) (dns.RR, error) {
	wire := make([]byte, dns.Len(rr)+16)
	n, err := dns.PackRR(rr, wire, 0, nil, false)
	if err != nil {
		return nil, fmt.Errorf("%s %s can't be sent: %w", rr.Header().Name, typeName(rr.Header().Rrtype), err)
	}
	rr, _, err = dns.UnpackRR(wire[:n], 0)
	return rr, err
}

// FromRR turns a record of miekg/dns into libdns' own type for it; into an
// opaque libdns.RR where that type would lose or change something.
func FromRR(zone string, rr dns.RR) (libdns.Record, error) {
	h := rr.Header()
	owner, ok := RelativeName(h.Name, zone)
	if !ok {
		return nil, fmt.Errorf("%s lies outside the zone %s", h.Name, zone)
	}
	opaque := libdns.RR{
		Name: owner, TTL: time.Duration(h.Ttl) * time.Second, Type: typeName(h.Rrtype),
		Data: Presentation(rr),
	}
	if txt, ok := rr.(*dns.TXT); ok {
		return libdns.TXT{Name: owner, TTL: opaque.TTL, Text: joined(txt.Txt)}, nil
	}
	typed, err := opaque.Parse()
	if err != nil {
		return opaque, nil
	}
	if back, err := ToRR(zone, typed); err != nil || !dns.IsDuplicate(back, rr) {
		return opaque, nil
	}
	return typed, nil
}

// Presentation gives the RDATA as in a zone file.
func Presentation(rr dns.RR) string {
	if unknown, ok := rr.(*dns.RFC3597); ok { // its String spells class and type otherwise
		return fmt.Sprintf(`\# %d %s`, len(unknown.Rdata)/2, unknown.Rdata)
	}
	return strings.TrimPrefix(rr.String(), rr.Header().String())
}

// TypeCode gives the number of a record type by its name, or by TYPEnnn
// (RFC 3597), and whether there is such a type.
func TypeCode(name string) (uint16, bool) {
	name = strings.ToUpper(name)
	if code, ok := dns.StringToType[name]; ok {
		return code, true
	}
	digits, ok := strings.CutPrefix(name, "TYPE")
	n, err := strconv.ParseUint(digits, 10, 16)
	return uint16(n), ok && err == nil
}

func typeName(code uint16) string {
	if name, ok := dns.TypeToString[code]; ok {
		return name
	}
	return "TYPE" + strconv.Itoa(int(code))
}

// chunks cuts text into character-strings of at most 255 octets (RFC 1035,
// section 3.3), escaped as miekg/dns keeps them.
func chunks(text string) []string {
	const longest = 255
	var out []string
	for {
		n := min(len(text), longest)
		out = append(out, escaped(text[:n]))
		if text = text[n:]; text == "" {
			return out
		}
	}
}

func escaped(text string) string {
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03d`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// joined gives the octets of character-strings as miekg/dns keeps them.
func joined(chunks []string) string {
	var b strings.Builder
	for _, chunk := range chunks {
		for i := 0; i < len(chunk); i++ {
			if chunk[i] != '\\' || i+1 == len(chunk) {
				b.WriteByte(chunk[i])
				continue
			}
			i++
			if n, err := strconv.ParseUint(chunk[i:min(i+3, len(chunk))], 10, 8); err == nil && i+3 <= len(chunk) {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
			b.WriteByte(chunk[i])
		}
	}
	return b.String()
}
