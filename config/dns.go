package config

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"domherre/portfolio"
)

// dnsDraft is dns: as it was written: its records have no zone yet.
type dnsDraft struct {
	portfolio.DNSSettings
	records []draftRecord
	caa     []value // the values of a list
}

// draftRecord is one element of records:.
type draftRecord struct {
	at        value
	name, typ string
	ttl       uint32 // 0: dns.ttl
	data      []string
}

// dnsFields are the keys of dns:, of the main file and of an entry.
func dnsFields(d *dnsDraft) []field {
	return []field{
		leaf("addresses", listOf(&d.Addresses, schema{"type": "string"}, address), "", "Where the redirector is reached: IPv4 and IPv6 addresses."),
		leaf("hosts", hosts(d), `["@", www]`, `Names that lead to the frontend, relative to the domain; "@" is the domain itself, "*" every name that doesn't exist.`),
		leaf("ttl", ttl(&d.TTL), "5m", "Time to live of the records."),
		leaf("mail", oneOf(&d.Mail, portfolio.MailNone, portfolio.MailKeep), "none", "none: say that the domain never mails. keep: leave mail records alone."),
		leaf("caa", caa(d), "auto", "auto: only the configured issuers may issue. none, or a list of values."),
		leaf("records", listOf(&d.records, objectSchema(recordFields(&draftRecord{})), record), "", "More records: name, type, ttl, data."),
		leaf("ownership", oneOf(&d.Ownership, portfolio.OwnMarker, portfolio.OwnExclusive, portfolio.OwnNone), "marker", "marker: remove only what domherre made. exclusive: the whole zone is domherre's. none: never delete."),
		leaf("ignore", listOf(&d.Ignore, schema{"type": "string"}, ignore), "", `Never touched: patterns such as "_acme-challenge*" or "*.lab TXT".`),
	}
}

func address(v value) (netip.Addr, bool) {
	s, ok := v.text()
	if !ok {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(strings.TrimSpace(s))
	switch {
	case err != nil:
		v.fault(fmt.Sprintf("%q is no IP address", s), "write one such as 192.0.2.10 or 2001:db8::10")
	case addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast():
		v.fault(fmt.Sprintf("%s can't be reached by visitors", s), "write the redirector's public address")
	default:
		return addr.Unmap(), true
	}
	return netip.Addr{}, false
}

func hosts(d *dnsDraft) kind {
	list := listOf(&d.Hosts, schema{"type": "string"}, owner)
	return kind{schema: list.schema, read: func(v value) {
		list.read(v)
		seen := map[string]bool{}
		for _, h := range d.Hosts {
			if seen[h] {
				v.fault(fmt.Sprintf("%s stands here twice", h), "")
			}
			seen[h] = true
		}
	}}
}

// owner reads a name relative to the domain, in either form and any case.
func owner(v value) (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	name, err := portfolio.ParseOwner(s)
	switch {
	case err != nil:
		v.fault(nameProblem(err))
	case strings.Contains(name, "_"):
		v.fault(fmt.Sprintf("%q contains an underscore, which no web server's name does", s), "declare other records under records:")
	default:
		return name, true
	}
	return "", false
}

// ttl reads a duration as whole seconds.
func ttl(dst *uint32) kind {
	return kind{schema: durationSchema, read: func(v value) {
		var d time.Duration
		duration(&d, time.Second).read(v)
		switch {
		case d == 0:
		case d%time.Second != 0:
			v.fault("takes whole seconds", "")
		case d/time.Second > portfolio.MaxTTL:
			v.fault("is longer than DNS allows", "1d is long already")
		default:
			*dst = uint32(d / time.Second)
		}
	}}
}

func caa(d *dnsDraft) kind {
	words := []string{portfolio.CAAAuto, portfolio.CAANone}
	s := schema{"oneOf": []schema{{"enum": words}, {"type": "array", "items": schema{"type": "string"}}}}
	return kind{schema: s, read: func(v value) {
		items, ok := v.items()
		if !ok {
			return
		}
		d.CAAValues, d.caa = nil, nil
		if len(items) == 1 && slices.Contains(words, items[0].node.Value) {
			d.CAA = items[0].node.Value
			return
		}
		if d.CAA = portfolio.CAAList; len(items) == 0 {
			d.CAA = portfolio.CAANone
		}
		for _, item := range items {
			s, ok := item.text()
			if !ok {
				continue
			}
			if !strings.Contains(s, " ") {
				item.fault(fmt.Sprintf("takes auto, none or a list of values, not %q", s), `write a value such as 0 issue "letsencrypt.org"`)
				continue
			}
			d.caa = append(d.caa, item)
			d.CAAValues = append(d.CAAValues, s)
		}
	}}
}

func recordFields(r *draftRecord) []field {
	return []field{
		leaf("name", text(&r.name), "", `Owner name relative to the domain; "@" is the domain itself.`),
		leaf("type", text(&r.typ), "", "A, AAAA, TXT, MX, …"),
		leaf("ttl", ttl(&r.ttl), "", "Time to live. Default: dns.ttl."),
		leaf("data", listOf(&r.data, schema{"type": "string"}, value.text), "", "The values, in the form of zone files; TXT is plain text."),
	}
}

func record(v value) (draftRecord, bool) {
	r := draftRecord{at: v}
	if v.node.Kind != mappingNode {
		v.fault("takes a mapping {name, type, ttl, data}, not "+v.kind(), `write {name: "@", type: TXT, data: ["…"]}`)
		return r, false
	}
	before := v.l.errors
	v.mapping(recordFields(&r))
	if v.l.errors > before {
		return r, false
	}
	for _, missing := range []struct {
		key   string
		empty bool
	}{{"name", r.name == ""}, {"type", r.typ == ""}, {"data", len(r.data) == 0}} {
		if missing.empty {
			v.fault(missing.key+" is missing", `write {name: "@", type: TXT, data: ["…"]}`)
			return r, false
		}
	}
	return r, true
}

var ignoreType = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$|^\*$`)

// ignore reads a pattern: an owner name with stars, and perhaps a type.
func ignore(v value) (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	parts := strings.Fields(s)
	if len(parts) == 0 || len(parts) > 2 || len(parts) == 2 && !ignoreType.MatchString(parts[1]) {
		v.fault(fmt.Sprintf("%q is no pattern", s), `write a name, with a type if need be, such as "_acme-challenge*" or "*.lab TXT"`)
		return "", false
	}
	parts[0] = strings.ToLower(parts[0])
	if len(parts) == 2 {
		if parts[1] = strings.ToUpper(parts[1]); parts[1] != "*" && !portfolio.KnownType(parts[1]) {
			v.fault(fmt.Sprintf("%q names no type of record", s), "write A, AAAA, CNAME, TXT, …, or TYPEnnn for a type by number")
			return "", false
		}
	}
	return strings.Join(parts, " "), true
}

// rrsets makes the draft's records canonical within a zone.
func (d dnsDraft) rrsets(zone portfolio.Name) []portfolio.RRset {
	var out []portfolio.RRset
	first := map[portfolio.Key]draftRecord{}
	for _, r := range d.records {
		ttl := r.ttl
		if ttl == 0 {
			ttl = d.TTL
		}
		set, err := portfolio.NewRRset(zone, r.name, r.typ, ttl, r.data)
		if err != nil {
			r.at.recordFault(err)
			continue
		}
		if earlier, ok := first[set.Key()]; ok {
			r.at.fault(fmt.Sprintf("%s %s stands here twice (first at %s)", set.Name, set.Type, earlier.at.place()), "write one record with all values in data")
			continue
		}
		first[set.Key()] = r
		out = append(out, set)
		if _, below := zone.Relative(set.Name); below {
			r.at.warn(fmt.Sprintf("%s is written with its domain: the record stands at %s", set.Name, zone.Host(set.Name)), "write names relative to the domain")
		}
	}
	return out
}

// checkCAA checks the values of caa: and makes them canonical.
func (d *dnsDraft) checkCAA(zone portfolio.Name) {
	for i, v := range d.caa {
		set, err := portfolio.NewRRset(zone, "@", "CAA", d.TTL, []string{d.CAAValues[i]})
		if err != nil {
			v.recordFault(err)
			continue
		}
		d.CAAValues[i] = set.Data[0]
		if parts := strings.Fields(set.Data[0]); len(parts) > 1 && !slices.Contains(caaProperties, parts[1]) {
			v.warn(fmt.Sprintf("%s is no property of CAA that is known here", parts[1]), didYouMean(parts[1], caaProperties))
		}
	}
}

// caaProperties are IANA's of 2026.
var caaProperties = []string{"issue", "issuewild", "issuemail", "issuevmc", "iodef", "contactemail", "contactphone"}

func (v value) recordFault(err error) {
	hint := ""
	if r := new(portfolio.RecordError); errors.As(err, &r) {
		hint = r.Hint
	}
	v.fault(err.Error(), hint)
}

// place gives "file:line:column".
func (v value) place() string {
	return Problem{File: v.doc.file, Line: v.node.Line, Column: v.node.Column}.Place()
}
