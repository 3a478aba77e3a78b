package bunny

import (
	"fmt"
	"strings"
	"time"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"domherre/dnsprovider/byid"
	"domherre/dnsprovider/zoneio"
)

// record is a record as the API has it.
type record struct {
	ID       int64 `json:"Id,omitempty"`
	Type     int
	TTL      int64 `json:"Ttl"`
	Value    string
	Name     string
	Weight   uint16
	Priority uint16
	Port     uint16
	Flags    uint8
	Tag      string
	Disabled bool `json:",omitempty"`
}

// types are DNS types by the numbers that the API has for them. Its others
// (redirects, flattened names, pull zones, scripts) are none.
var types = map[int]uint16{
	0: dns.TypeA, 1: dns.TypeAAAA, 2: dns.TypeCNAME, 3: dns.TypeTXT, 4: dns.TypeMX, 8: dns.TypeSRV, 9: dns.TypeCAA,
	10: dns.TypePTR, 12: dns.TypeNS, 13: dns.TypeSVCB, 14: dns.TypeHTTPS, 15: dns.TypeTLSA,
}

func numberOf(typ uint16) (int, bool) {
	for number, t := range types {
		if t == typ {
			return number, true
		}
	}
	return 0, false
}

// parse reads a record; nil for what is no DNS record, or not served. Names have
// no dot at the end, and are absolute all the same.
func (r record) parse(zone string) (dns.RR, error) {
	typ, known := types[r.Type]
	if !known || r.Disabled {
		return nil, nil
	}
	data := r.Value
	switch typ {
	case dns.TypeCNAME, dns.TypeNS, dns.TypePTR:
		data = dns.Fqdn(data)
	case dns.TypeTXT: // quotes belong to the text
		return zoneio.ToRR(zone, libdns.TXT{Name: r.Name, TTL: time.Duration(r.TTL) * time.Second, Text: data})
	case dns.TypeMX:
		data = fmt.Sprintf("%d %s", r.Priority, dns.Fqdn(data))
	case dns.TypeSRV:
		data = fmt.Sprintf("%d %d %d %s", r.Priority, r.Weight, r.Port, dns.Fqdn(data))
	case dns.TypeCAA:
		data = fmt.Sprintf("%d %s %s", r.Flags, r.Tag, zoneio.Quote(data))
	case dns.TypeHTTPS, dns.TypeSVCB:
		target, params, _ := strings.Cut(data, " ")
		data = fmt.Sprintf("%d %s %s", r.Priority, dns.Fqdn(target), params)
	}
	return byid.Parse(zone, r.Name, dns.TypeToString[typ], r.TTL, data)
}

// form gives a record as the API takes it, or why bunny.net can't keep it.
func form(rr dns.RR, zone string) (record, error) {
	h := rr.Header()
	number, known := numberOf(h.Rrtype)
	if !known {
		return record{}, refusal(rr, "no records of that type")
	}
	owner, _ := zoneio.RelativeName(h.Name, zone) // came by zone
	r := record{Type: number, TTL: int64(h.Ttl), Name: strings.TrimPrefix(owner, "@"), Value: zoneio.Presentation(rr)}
	var err error
	switch rr := rr.(type) {
	case *dns.CNAME, *dns.NS, *dns.PTR:
		r.Value = strings.TrimSuffix(r.Value, ".")
	case *dns.MX:
		r.Priority, r.Value = rr.Preference, bare(rr.Mx)
	case *dns.SRV:
		r.Priority, r.Weight, r.Port, r.Value = rr.Priority, rr.Weight, rr.Port, bare(rr.Target)
	case *dns.CAA:
		if r.Value, err = zoneio.Unquote(`"` + rr.Value + `"`); err != nil { // its escapes are those of a text
			return r, err
		}
		r.Flags, r.Tag = rr.Flag, rr.Tag
	case *dns.HTTPS:
		r.Priority, r.Value = rr.Priority, binding(rr.Target, r.Value)
	case *dns.SVCB:
		r.Priority, r.Value = rr.Priority, binding(rr.Target, r.Value)
	case *dns.TXT:
		if r.Value, err = byid.Plain(rr); err == nil && r.Value == "" {
			err = refusal(rr, "no empty texts")
		}
	}
	return r, err
}

// bare gives a name without its dot, but for the root, which has a meaning.
func bare(name string) string {
	if name == "." {
		return name
	}
	return strings.TrimSuffix(name, ".")
}

// binding gives target and parameters, of a service binding's data.
func binding(target, data string) string {
	parts := append(strings.SplitN(data, " ", 3), "", "")
	return strings.TrimSpace(bare(target) + " " + parts[2])
}

func refusal(rr dns.RR, takes string) error {
	return zoneio.As(zoneio.Unsupported, fmt.Errorf("%s %s can't be kept at bunny.net, which takes %s",
		rr.Header().Name, dns.TypeToString[rr.Header().Rrtype], takes))
}
