package azure

import (
	"fmt"
	"path"

	"github.com/miekg/dns"

	"domherre/dnsprovider/byid"
	"domherre/dnsprovider/byset"
	"domherre/dnsprovider/zoneio"
)

// recordSet is a record set as the API has it.
type recordSet struct {
	Name       string     `json:"name,omitempty"`
	Type       string     `json:"type,omitempty"` // Microsoft.Network/dnszones/A
	Properties properties `json:"properties"`
}

type properties struct {
	TTL   int64    `json:"TTL"`
	A     []a      `json:"ARecords,omitempty"`
	AAAA  []aaaa   `json:"AAAARecords,omitempty"`
	CAA   []caa    `json:"caaRecords,omitempty"`
	CNAME *cname   `json:"CNAMERecord,omitempty"`
	MX    []mx     `json:"MXRecords,omitempty"`
	NS    []ns     `json:"NSRecords,omitempty"`
	PTR   []ptr    `json:"PTRRecords,omitempty"`
	SRV   []srv    `json:"SRVRecords,omitempty"`
	TXT   []txt    `json:"TXTRecords,omitempty"`
	Alias *aliased `json:"targetResource,omitempty"`
}

type (
	a struct {
		IP string `json:"ipv4Address"`
	}
	aaaa struct {
		IP string `json:"ipv6Address"`
	}
	cname struct {
		Name string `json:"cname"`
	}
	ns struct {
		Name string `json:"nsdname"`
	}
	ptr struct {
		Name string `json:"ptrdname"`
	}
	mx struct {
		Preference uint16 `json:"preference"`
		Exchange   string `json:"exchange"`
	}
	srv struct {
		Priority uint16 `json:"priority"`
		Weight   uint16 `json:"weight"`
		Port     uint16 `json:"port"`
		Target   string `json:"target"`
	}
	caa struct {
		Flags uint8  `json:"flags"`
		Tag   string `json:"tag"`
		Value string `json:"value"`
	}
	txt struct {
		Value []string `json:"value"`
	}
	aliased struct {
		ID string `json:"id"`
	}
)

// parse gives the records; none for what is no DNS record, such as an alias to
// one of Azure's resources. Names are absolute, with a dot or without.
func (s recordSet) parse(zone string) (byset.Set, error) {
	p, out := s.Properties, byset.Set(nil)
	add := func(data string) error {
		rr, err := byid.Parse(zone, s.Name, path.Base(s.Type), p.TTL, data)
		if rr != nil {
			out = append(out, rr)
		}
		return err
	}
	for _, data := range p.data() {
		if err := add(data); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// data gives the records in presentation form.
func (p properties) data() []string {
	var out []string
	for _, r := range p.A {
		out = append(out, r.IP)
	}
	for _, r := range p.AAAA {
		out = append(out, r.IP)
	}
	for _, r := range p.CAA {
		out = append(out, fmt.Sprintf("%d %s %s", r.Flags, r.Tag, zoneio.Quote(r.Value)))
	}
	if p.CNAME != nil {
		out = append(out, dns.Fqdn(p.CNAME.Name))
	}
	for _, r := range p.MX {
		out = append(out, fmt.Sprintf("%d %s", r.Preference, dns.Fqdn(r.Exchange)))
	}
	for _, r := range p.NS {
		out = append(out, dns.Fqdn(r.Name))
	}
	for _, r := range p.PTR {
		out = append(out, dns.Fqdn(r.Name))
	}
	for _, r := range p.SRV {
		out = append(out, fmt.Sprintf("%d %d %d %s", r.Priority, r.Weight, r.Port, dns.Fqdn(r.Target)))
	}
	for _, r := range p.TXT {
		text := ""
		for _, part := range r.Value {
			text += part
		}
		out = append(out, zoneio.Quote(text))
	}
	return out
}

// form gives an RRset as the API takes it, or why Azure can't keep it.
func form(set byset.Set) (recordSet, error) {
	p := properties{TTL: int64(set[0].Header().Ttl)}
	for _, rr := range set {
		if err := p.add(rr); err != nil {
			return recordSet{}, err
		}
	}
	return recordSet{Properties: p}, nil
}

func (p *properties) add(rr dns.RR) error {
	switch rr := rr.(type) {
	case *dns.A:
		p.A = append(p.A, a{rr.A.String()})
	case *dns.AAAA:
		p.AAAA = append(p.AAAA, aaaa{rr.AAAA.String()})
	case *dns.CAA:
		value, err := zoneio.Unquote(`"` + rr.Value + `"`) // its escapes are those of a text
		p.CAA = append(p.CAA, caa{rr.Flag, rr.Tag, value})
		return err
	case *dns.CNAME:
		p.CNAME = &cname{rr.Target}
	case *dns.MX:
		if rr.Mx == "." {
			return refusal(rr, "MX records that name a host: no null MX")
		}
		p.MX = append(p.MX, mx{rr.Preference, rr.Mx})
	case *dns.NS:
		p.NS = append(p.NS, ns{rr.Ns})
	case *dns.PTR:
		p.PTR = append(p.PTR, ptr{rr.Ptr})
	case *dns.SRV:
		p.SRV = append(p.SRV, srv{rr.Priority, rr.Weight, rr.Port, rr.Target})
	case *dns.TXT:
		return p.addText(rr)
	default:
		return refusal(rr, "no records of that type")
	}
	return nil
}

// addText adds a text in parts of whole characters.
func (p *properties) addText(rr *dns.TXT) error {
	text, err := byid.Plain(rr)
	if err != nil {
		return err
	}
	const longest, most = 255, 4096
	if text == "" || len(text) > most {
		return refusal(rr, fmt.Sprintf("texts of 1 to %d octets", most))
	}
	var parts []string
	from := 0
	for at, r := range text {
		if at+len(string(r))-from > longest {
			parts, from = append(parts, text[from:at]), at
		}
	}
	p.TXT = append(p.TXT, txt{append(parts, text[from:])})
	return nil
}

func refusal(rr dns.RR, takes string) error {
	return zoneio.As(zoneio.Unsupported, fmt.Errorf("%s %s can't be kept at Azure, which takes %s",
		rr.Header().Name, dns.TypeToString[rr.Header().Rrtype], takes))
}
