package byid

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/zoneio"
)

// Parse makes a record from what such APIs tell of it: names within the data
// that don't end in a dot are relative to the zone; a text is as it is, or as in
// a zone file where it has quotes around it. It gives nil for a type that is no
// DNS type, as for the vendors' redirects.
func Parse(zone, owner, typ string, ttl int64, data string) (dns.RR, error) {
	if _, known := zoneio.TypeCode(typ); !known {
		return nil, nil
	}
	switch typ {
	case "TXT":
		if text, err := zoneio.Unquote(data); err == nil && quoted(data) {
			data = text
		}
	case "CNAME", "DNAME", "MX", "NS", "PTR", "SRV":
		if !strings.HasSuffix(data, ".") {
			data += "." + dns.Fqdn(zone)
		}
	}
	return zoneio.ToRR(zone, libdns.RR{Name: owner, Type: typ, TTL: time.Duration(ttl) * time.Second, Data: data})
}

// Collect reads what an API holds of a zone. read gives a record's id and owner,
// and nil in the place of what is no DNS record; that is left out.
func Collect[R any](zone string, held []R, read func(R) (id any, owner string, rr dns.RR, err error)) ([]Record, error) {
	var out []Record
	for _, r := range held {
		id, owner, rr, err := read(r)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", owner, zone, err)
		}
		if rr != nil {
			out = append(out, Record{ID: fmt.Sprint(id), RR: rr})
		}
	}
	return out, nil
}

// Text gives a TXT record's text in the form that Parse takes. It fails for what
// neither XML nor JSON can carry unharmed.
func Text(rr *dns.TXT) (string, error) {
	text, err := Plain(rr)
	if quoted(text) {
		return zoneio.Quote(text), err
	}
	return text, err
}

// Plain gives a TXT record's text as it is, for APIs to which quotes mean
// nothing. It fails as Text does.
func Plain(rr *dns.TXT) (string, error) {
	text, err := text(rr)
	if err == nil && !carried(text) {
		err = zoneio.As(zoneio.Unsupported, fmt.Errorf("%s TXT has octets that are no text in UTF-8, or control characters; the provider's API can't carry them", rr.Hdr.Name))
	}
	return text, err
}

// Quoted gives a TXT record's text as in a zone file, but for what is beyond
// ASCII: as it is, in strings of whole characters.
func Quoted(rr *dns.TXT) string {
	text, err := text(rr)
	if err != nil || !carried(text) {
		return zoneio.Presentation(rr)
	}
	const longest = 255
	var b strings.Builder
	b.WriteByte('"')
	length := 0
	for _, r := range text {
		if length += utf8.RuneLen(r); length > longest {
			b.WriteString(`" "`)
			length = utf8.RuneLen(r)
		}
		if r == '"' || r == '\\' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}

func text(rr *dns.TXT) (string, error) {
	rec, err := zoneio.FromRR(rr.Hdr.Name, rr)
	if err != nil {
		return "", err
	}
	return rec.RR().Data, nil
}

func carried(text string) bool {
	odd := func(r rune) bool { return unicode.IsControl(r) && r != '\t' }
	return utf8.ValidString(text) && !strings.ContainsFunc(text, odd)
}

func quoted(s string) bool { return len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' }
