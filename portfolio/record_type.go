package portfolio

import (
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// rrtype is a record type with its canonical name.
type rrtype struct {
	code uint16
	name string
}

// parseType reads "aaaa", "AAAA", "TYPE28" alike, and refuses types that no
// zone is managed by.
func parseType(s string) (rrtype, *fault) {
	code, ok := dns.StringToType[s]
	if !ok {
		upper := strings.ToUpper(s)
		if code, ok = dns.StringToType[upper]; !ok {
			code, ok = genericType(upper)
		}
	}
	switch {
	case !ok:
		return rrtype{}, &fault{"is of an unknown type", "write A, AAAA, CNAME, TXT, …, or TYPEnnn for a type by number"}
	case code == dns.TypeSOA:
		return rrtype{}, &fault{"is kept by the name server", "leave the SOA out; the provider writes it"}
	case keptByServer(code):
		return rrtype{}, &fault{"is kept by the name server that signs the zone", "leave it out; DNSSEC is set up at the provider"}
	case isMeta(code):
		return rrtype{}, &fault{"is of a type that zones don't hold", "write the type of a record"}
	}
	return rrtype{code, typeName(code)}, nil
}

// KnownType reports whether s, in capitals, is a type of record that zones hold.
func KnownType(s string) bool {
	code, ok := dns.StringToType[s]
	if !ok {
		code, ok = genericType(s)
	}
	return ok && !isMeta(code)
}

// genericType reads "TYPE65280" (RFC 3597, section 5).
func genericType(s string) (uint16, bool) {
	digits, ok := strings.CutPrefix(s, "TYPE")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	return uint16(n), err == nil
}

func typeName(code uint16) string {
	if name, ok := dns.TypeToString[code]; ok {
		return name
	}
	return "TYPE" + strconv.Itoa(int(code))
}

// keptByServer tells the DNSSEC types that the signing server writes itself.
func keptByServer(code uint16) bool {
	switch code {
	case dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3, dns.TypeNSEC3PARAM,
		dns.TypeDNSKEY, dns.TypeCDS, dns.TypeCDNSKEY:
		return true
	}
	return false
}

// isMeta tells the types that exist only in messages (RFC 6895, section 3.1).
func isMeta(code uint16) bool {
	return code == dns.TypeNone || code == dns.TypeOPT || 128 <= code && code <= 255 || code == 65535
}

// isText tells the types whose data is kept as the text itself.
func (t rrtype) isText() bool { return t.code == dns.TypeTXT || t.code == dns.TypeSPF }

// single tells the types of which a name has at most one record.
func (t rrtype) single() bool { return t.code == dns.TypeCNAME || t.code == dns.TypeDNAME }

// example shows how the data of a type is written; empty for rare types.
func (t rrtype) example() string {
	switch t.code {
	case dns.TypeCNAME, dns.TypeDNAME, dns.TypeNS, dns.TypePTR:
		return "www.kopasex.se."
	case dns.TypeMX:
		return "10 mail.kopasex.se."
	case dns.TypeSRV:
		return "10 5 443 www.kopasex.se."
	case dns.TypeCAA:
		return `0 issue "letsencrypt.org"`
	case dns.TypeHTTPS, dns.TypeSVCB:
		return `1 . alpn="h2,http/1.1"`
	case dns.TypeTLSA:
		return "3 1 1 and the digest in hexadecimal"
	case dns.TypeSSHFP:
		return "4 2 and the fingerprint in hexadecimal"
	case dns.TypeDS:
		return "60485 13 2 and the digest in hexadecimal"
	case dns.TypeNAPTR:
		return `100 10 "u" "E2U+sip" "!^.*$!sip:info@kopasex.se!" .`
	case dns.TypeURI:
		return `10 1 "https://www.kopasex.se/"`
	case dns.TypeLOC:
		return "59 19 45.000 N 18 4 7.000 E 10m"
	}
	return ""
}
