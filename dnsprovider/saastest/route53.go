package saastest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Route53 is the API of 2013-04-01 at
// https://docs.aws.amazon.com/Route53/latest/APIReference/: RRsets written
// whole, all changes of a call or none; names and texts with octal escapes, an
// asterisk among them; at most 300 RRsets in one answer; refusals as 400 and 403.
func Route53() Vendor {
	return Vendor{
		Type: "route53", Host: "route53.amazonaws.com", ApexNS: true, Page: 300,
		Settings: func(token string) map[string]any {
			return map[string]any{"region": "us-east-1", "access_key_id": token, "secret_access_key": "secret", "create_zones": true}
		},
		token: func(r *request) string {
			_, key, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
			key, _, _ = strings.Cut(key, "/")
			return key
		},
		writes: byMethod,
		zone: func(f *Fake, r *request) string {
			if name := r.URL.Query().Get("dnsname"); name != "" {
				return strings.TrimSuffix(name, ".")
			}
			for _, z := range f.zones {
				if route53ID(z.id) == r.segments(route53Zones)[0] {
					return z.name
				}
			}
			return ""
		},
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) {
			switch status {
			case http.StatusUnauthorized:
				route53Fails(w, http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
			case http.StatusTooManyRequests:
				route53Fails(w, http.StatusBadRequest, "Throttling", "Rate exceeded")
			default:
				route53Fails(w, status, "ServiceUnavailable", text)
			}
		},
		handle: route53,
	}
}

const (
	route53Zones = "/2013-04-01/hostedzone/"
	route53Space = `xmlns="https://route53.amazonaws.com/doc/2013-04-01/"`
)

func route53ID(id int) string { return fmt.Sprintf("Z%07d", id) }

func route53Fails(w http.ResponseWriter, status int, code, text string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<ErrorResponse %s><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
		route53Space, code, xmlText(text))
}

func xmlText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// route53Set is an RRset as the API has it.
type route53Set struct {
	Name   string   `xml:"Name"`
	Type   string   `xml:"Type"`
	TTL    int      `xml:"TTL"`
	Values []string `xml:"ResourceRecords>ResourceRecord>Value"`
}

// octal turns escapes of three digits from decimal, as DNS writes them, into
// octal, or back.
func octal(s string, from, to int) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], from, 8); err == nil {
				digits := strconv.FormatUint(n, to)
				b.WriteString(`\` + strings.Repeat("0", max(0, 3-len(digits))) + digits)
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
		if s[i] == '\\' && i+1 < len(s) {
			i++
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func route53Shows(set []Record) string {
	values := ""
	for _, r := range set {
		values += "<ResourceRecord><Value>" + xmlText(octal(r.data(), 10, 8)) + "</Value></ResourceRecord>"
	}
	name := strings.ReplaceAll(set[0].RR.Header().Name, "*", `\052`)
	return fmt.Sprintf("<ResourceRecordSet><Name>%s</Name><Type>%s</Type><TTL>%d</TTL><ResourceRecords>%s</ResourceRecords></ResourceRecordSet>",
		xmlText(name), set[0].typ(), set[0].ttl(), values)
}

func route53(f *Fake, w http.ResponseWriter, r *request) {
	switch path := r.segments(route53Zones); {
	case strings.HasSuffix(r.URL.Path, "/hostedzonesbyname"):
		f.route53ByName(w, r)
	case strings.HasSuffix(r.URL.Path, "/hostedzone") && r.Method == http.MethodPost:
		f.route53Creates(w, r)
	case strings.HasSuffix(r.URL.Path, "/hostedzone"):
		f.route53Zones(w, r)
	case r.view == nil:
		route53Fails(w, http.StatusNotFound, "NoSuchHostedZone", "No hosted zone found with ID: "+path[0])
	case r.Method == http.MethodGet:
		route53Lists(w, r)
	default:
		f.route53Changes(w, r)
	}
}

// route53Creates makes a zone, but one for each reference.
func (f *Fake) route53Creates(w http.ResponseWriter, r *request) {
	var given struct {
		Name            string
		CallerReference string
	}
	if xml.Unmarshal(r.body, &given) != nil || given.CallerReference == "" {
		route53Fails(w, http.StatusBadRequest, "InvalidInput", "invalid")
		return
	}
	z, ok := f.create(strings.TrimSuffix(given.Name, "."))
	if !ok {
		route53Fails(w, http.StatusConflict, "HostedZoneAlreadyExists", "A hosted zone has already been created with the specified caller reference.")
		return
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = fmt.Fprintf(w, `<CreateHostedZoneResponse %s>%s</CreateHostedZoneResponse>`, route53Space, route53Zone(z))
}

func route53Zone(z *zone) string {
	return fmt.Sprintf("<HostedZone><Id>/hostedzone/%s</Id><Name>%s.</Name><CallerReference>1</CallerReference><Config><PrivateZone>false</PrivateZone></Config></HostedZone>",
		route53ID(z.id), z.name)
}

// route53ByName lists zones from a name on: where there is no such zone, it
// starts with the next.
func (f *Fake) route53ByName(w http.ResponseWriter, r *request) {
	const most = 100
	from := strings.TrimSuffix(r.URL.Query().Get("dnsname"), ".")
	zones := slices.SortedFunc(slices.Values(f.zones), func(a, b *zone) int { return strings.Compare(a.name, b.name) })
	list, n := "", 0
	for _, z := range zones {
		if z.name >= from && n < most {
			list += route53Zone(z)
			n++
		}
	}
	_, _ = fmt.Fprintf(w, "<ListHostedZonesByNameResponse %s><HostedZones>%s</HostedZones><IsTruncated>false</IsTruncated><MaxItems>%d</MaxItems></ListHostedZonesByNameResponse>", route53Space, list, most)
}

// route53Zones lists all zones, a hundred at a time.
func (f *Fake) route53Zones(w http.ResponseWriter, r *request) {
	const most = 100
	from := slices.IndexFunc(f.zones, func(z *zone) bool { return route53ID(z.id) == r.URL.Query().Get("marker") })
	list, next := "", ""
	for i, z := range f.zones[max(0, from):] {
		if i == most {
			next = "<NextMarker>" + route53ID(z.id) + "</NextMarker>"
			break
		}
		list += route53Zone(z)
	}
	_, _ = fmt.Fprintf(w, "<ListHostedZonesResponse %s><HostedZones>%s</HostedZones><IsTruncated>%t</IsTruncated>%s<MaxItems>%d</MaxItems></ListHostedZonesResponse>", route53Space, list, next != "", next, most)
}

func route53Lists(w http.ResponseWriter, r *request) {
	const most = 300
	q := r.URL.Query()
	key := func(set []Record) string { return set[0].RR.Header().Name + " " + set[0].typ() }
	all := r.view.sets()
	slices.SortFunc(all, func(a, b []Record) int { return strings.Compare(key(a), key(b)) })
	if name := strings.ReplaceAll(q.Get("name"), `\052`, "*"); name != "" {
		all = slices.DeleteFunc(all, func(set []Record) bool { return key(set) < name+" "+q.Get("type") })
	}
	list, next := "", ""
	for i, set := range all {
		if i == most {
			next = fmt.Sprintf("<NextRecordName>%s</NextRecordName><NextRecordType>%s</NextRecordType>",
				strings.ReplaceAll(set[0].RR.Header().Name, "*", `\052`), set[0].typ())
			break
		}
		list += route53Shows(set)
	}
	_, _ = fmt.Fprintf(w, "<ListResourceRecordSetsResponse %s><ResourceRecordSets>%s</ResourceRecordSets><IsTruncated>%t</IsTruncated>%s<MaxItems>%d</MaxItems></ListResourceRecordSetsResponse>",
		route53Space, list, next != "", next, most)
}

func (f *Fake) route53Changes(w http.ResponseWriter, r *request) {
	var given struct {
		Changes []struct {
			Action string
			Set    route53Set `xml:"ResourceRecordSet"`
		} `xml:"ChangeBatch>Changes>Change"`
	}
	if err := xml.Unmarshal(r.body, &given); err != nil {
		route53Fails(w, http.StatusBadRequest, "InvalidInput", err.Error())
		return
	}
	changed := r.view.clone()
	for _, c := range given.Changes {
		if fault := f.route53Change(changed, c.Action, c.Set); fault != "" {
			route53Fails(w, http.StatusBadRequest, "InvalidChangeBatch", fault)
			return
		}
	}
	*r.view = *changed
	f.last++
	_, _ = fmt.Fprintf(w, "<ChangeResourceRecordSetsResponse %s><ChangeInfo><Id>/change/C%d</Id><Status>PENDING</Status><SubmittedAt>2026-11-24T12:00:00Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>",
		route53Space, f.last)
}

// route53Change carries out one change, or says why not.
func (f *Fake) route53Change(z *zone, action string, set route53Set) string {
	name := owner(strings.ReplaceAll(set.Name, `\052`, "*"), z.name)
	about := fmt.Sprintf("resource record set [name='%s', type='%s']", set.Name, set.Type)
	was := z.set(name, set.Type)
	z.dropSet(name, set.Type)
	for _, value := range set.Values {
		rec, err := f.record(z, name, set.Type, set.TTL, octal(value, 8, 10))
		if err != nil {
			return "Invalid Resource Record: " + err.Error()
		}
		if z.alias(name, set.Type) {
			return "RRSet of type " + set.Type + " conflicts with a CNAME at " + set.Name
		}
		if slices.ContainsFunc(z.set(name, set.Type), func(o Record) bool { return same(o, rec) }) {
			return "Duplicate Resource Record: '" + value + "'"
		}
		f.keep(z, rec)
	}
	now := z.set(name, set.Type)
	switch action {
	case "CREATE":
		if len(was) > 0 {
			return "Tried to create " + about + " but it already exists"
		}
	case "DELETE":
		matches := func(a Record) bool {
			return slices.ContainsFunc(was, func(b Record) bool { return same(a, b) && a.ttl() == b.ttl() })
		}
		if len(now) != len(was) || slices.ContainsFunc(now, func(a Record) bool { return !matches(a) }) {
			return "Tried to delete " + about + " but the values provided do not match the current values"
		}
		z.dropSet(name, set.Type)
	}
	return ""
}
