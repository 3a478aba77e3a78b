package domeneshop

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"domherre/dnsprovider/byid"
	"domherre/dnsprovider/zoneio"
)

// number is a number that the API may give as text.
type number string

// UnmarshalJSON takes a number, or its digits as text.
func (n *number) UnmarshalJSON(text []byte) error {
	*n = number(strings.Trim(string(text), `"`))
	return nil
}

// MarshalJSON gives the digits alone.
func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

func numbered(n any) *number {
	text := number(fmt.Sprint(n))
	return &text
}

// record is a record as the API has it; which fields there are depends on the type.
type record struct {
	ID       int64   `json:"id,omitempty"`
	Host     string  `json:"host"`
	TTL      int64   `json:"ttl"`
	Type     string  `json:"type"`
	Data     string  `json:"data"`
	Priority *number `json:"priority,omitempty"`
	Weight   *number `json:"weight,omitempty"`
	Port     *number `json:"port,omitempty"`
	Flags    *number `json:"flags,omitempty"`
	Tag      string  `json:"tag,omitempty"`
	Usage    *number `json:"usage,omitempty"`
	Selector *number `json:"selector,omitempty"`
	Matching *number `json:"dtype,omitempty"`
}

// tags are the names of CAA's properties, by the numbers that the API had once.
var tags = map[string]string{"0": "issue", "1": "issuewild", "2": "iodef"}

// parse reads a record. Names are absolute, with a dot or without.
func (r record) parse(zone string) (dns.RR, error) {
	data := r.Data
	switch r.Type {
	case "CNAME", "NS", "PTR":
		data = dns.Fqdn(data)
	case "MX":
		data = words(r.Priority) + dns.Fqdn(data)
	case "SRV":
		data = words(r.Priority, r.Weight, r.Port) + dns.Fqdn(data)
	case "CAA":
		tag := r.Tag
		if name, old := tags[tag]; old {
			tag = name
		}
		data = words(r.Flags) + tag + " " + zoneio.Quote(data)
	case "TLSA":
		data = words(r.Usage, r.Selector, r.Matching) + data
	case "DS": // in a form that nobody writes here
		return nil, nil
	}
	return byid.Parse(zone, r.Host, r.Type, r.TTL, data)
}

// words are numbers as zone files have them, each with a space behind it.
func words(numbers ...*number) string {
	out := ""
	for _, n := range numbers {
		if n == nil || *n == "" || *n == "null" {
			out += "0 "
		} else {
			out += string(*n) + " "
		}
	}
	return out
}

// form gives a record as the API takes it, or why Domeneshop can't keep it.
func form(rr dns.RR, zone string) (record, error) {
	h := rr.Header()
	owner, _ := zoneio.RelativeName(h.Name, zone) // came by zone
	r := record{Host: owner, TTL: int64(h.Ttl), Type: dns.TypeToString[h.Rrtype], Data: zoneio.Presentation(rr)}
	if h.Ttl%60 != 0 || h.Ttl > 604800 {
		return r, refusal(rr, "TTLs of 60 to 604800 seconds, in whole minutes")
	}
	var err error
	switch rr := rr.(type) {
	case *dns.A, *dns.AAAA, *dns.CNAME, *dns.NS:
		r.Data = strings.TrimSuffix(r.Data, ".")
	case *dns.MX:
		if rr.Mx == "." {
			return r, refusal(rr, "MX records that name a host: no null MX")
		}
		r.Priority, r.Data = numbered(rr.Preference), strings.TrimSuffix(rr.Mx, ".")
	case *dns.SRV:
		r.Priority, r.Weight, r.Port, r.Data = numbered(rr.Priority), numbered(rr.Weight), numbered(rr.Port), strings.TrimSuffix(rr.Target, ".")
	case *dns.CAA:
		r.Flags, r.Tag = numbered(rr.Flag), rr.Tag
		r.Data, err = zoneio.Unquote(`"` + rr.Value + `"`) // its escapes are those of a text
	case *dns.TLSA:
		r.Usage, r.Selector, r.Matching, r.Data = numbered(rr.Usage), numbered(rr.Selector), numbered(rr.MatchingType), rr.Certificate
	case *dns.TXT:
		if r.Data, err = byid.Text(rr); err == nil && r.Data == "" {
			err = refusal(rr, "no empty texts")
		}
	default:
		err = refusal(rr, "no records of that type")
	}
	return r, err
}

func refusal(rr dns.RR, takes string) error {
	return zoneio.As(zoneio.Unsupported, fmt.Errorf("%s %s can't be kept at Domeneshop, which takes %s",
		rr.Header().Name, dns.TypeToString[rr.Header().Rrtype], takes))
}
