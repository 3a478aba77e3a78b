package cloudflare

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"domherre/dnsprovider/byid"
	"domherre/dnsprovider/zoneio"
)

// automatic is the TTL that stands for Cloudflare's own choice: 300 s.
const automatic = 1

// record is a record as the API shows it.
type record struct {
	ID       string         `json:"id"`
	Type     string         `json:"type"`
	Name     string         `json:"name"`
	Content  string         `json:"content"`
	TTL      int64          `json:"ttl"`
	Proxied  bool           `json:"proxied"`
	Priority uint16         `json:"priority"`
	Data     map[string]any `json:"data"`
	Meta     struct {
		ReadOnly bool `json:"read_only"`
	} `json:"meta"`
}

// parse reads a record; nil for those that Cloudflare keeps to itself. One that
// is proxied keeps the TTL of 1 s, so that it is never taken for one that isn't.
func (r record) parse(zone string) (dns.RR, error) {
	if r.Meta.ReadOnly {
		return nil, nil
	}
	data, ttl := r.Content, r.TTL
	if ttl == automatic && !r.Proxied {
		ttl = 300
	}
	switch r.Type {
	case "CNAME", "NS", "PTR":
		data = dns.Fqdn(data)
	case "MX":
		data = words(r.Priority, dns.Fqdn(data))
	case "SRV":
		data = words(r.Data["priority"], r.Data["weight"], r.Data["port"], dns.Fqdn(words(r.Data["target"])))
	case "CAA":
		data = words(r.Data["flags"], r.Data["tag"], zoneio.Quote(words(r.Data["value"])))
	}
	owner, _ := zoneio.RelativeName(r.Name, zone)
	return byid.Parse(zone, owner, r.Type, ttl, data)
}

// object is a record as the API takes it.
type object map[string]any

// form gives a record to the API: some types by their content, some by parts.
func form(rr dns.RR) object {
	h := rr.Header()
	o := object{"type": dns.TypeToString[h.Rrtype], "name": strings.TrimSuffix(h.Name, "."), "ttl": h.Ttl, "content": zoneio.Presentation(rr)}
	switch rr := rr.(type) {
	case *dns.A, *dns.AAAA, *dns.CNAME:
		o["proxied"] = false
	case *dns.MX:
		o["priority"], o["content"] = rr.Preference, rr.Mx
	case *dns.TXT:
		o["content"] = byid.Quoted(rr)
	}
	if data := parts(rr); data != nil {
		o["data"] = data
		delete(o, "content")
	}
	return o
}

// parts gives the data of the types that are taken part by part.
func parts(rr dns.RR) object {
	switch rr := rr.(type) {
	case *dns.CAA:
		value, err := zoneio.Unquote(`"` + rr.Value + `"`) // its escapes are those of a text
		if err != nil {
			value = rr.Value
		}
		return object{"flags": rr.Flag, "tag": rr.Tag, "value": value}
	case *dns.SRV:
		return object{"priority": rr.Priority, "weight": rr.Weight, "port": rr.Port, "target": rr.Target}
	case *dns.TLSA:
		return object{"usage": rr.Usage, "selector": rr.Selector, "matching_type": rr.MatchingType, "certificate": rr.Certificate}
	case *dns.SSHFP:
		return object{"algorithm": rr.Algorithm, "type": rr.Type, "fingerprint": rr.FingerPrint}
	case *dns.DS:
		return object{"key_tag": rr.KeyTag, "algorithm": rr.Algorithm, "digest_type": rr.DigestType, "digest": rr.Digest}
	case *dns.HTTPS:
		return binding(&rr.SVCB)
	case *dns.SVCB:
		return binding(rr)
	}
	return nil
}

func binding(rr *dns.SVCB) object {
	_, rest, _ := strings.Cut(zoneio.Presentation(rr), " ")
	_, value, _ := strings.Cut(rest, " ")
	return object{"priority": rr.Priority, "target": rr.Target, "value": value}
}

// words joins values as zone files have them; JSON's numbers are whole here.
func words(values ...any) string {
	out := make([]string, len(values))
	for i, v := range values {
		if out[i] = "0"; v != nil {
			out[i] = fmt.Sprint(v)
		}
	}
	return strings.Join(out, " ")
}
