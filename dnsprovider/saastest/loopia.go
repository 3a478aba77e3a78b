package saastest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// Loopia is the XML-RPC API at https://www.loopia.se/api/: records with ids
// within subdomains, which stay when they are empty; a mail server's priority
// apart from its name; refusals as a word within an answer that is 200 OK, in
// place of what was asked for.
func Loopia() Vendor {
	return Vendor{
		Type: "loopia", Host: "api.loopia.se", ApexNS: true,
		Settings: func(token string) map[string]any {
			return map[string]any{"username": "test@loopiaapi", "password": token, "nameserver": "off"}
		},
		token:  func(r *request) string { return loopiaCalled(r).text(1) },
		writes: func(r *request) bool { return !strings.HasPrefix(loopiaCalled(r).Method, "get") },
		zone:   func(_ *Fake, r *request) string { return loopiaCalled(r).text(2) },
		refuse: loopiaRefuses,
		Holds: func(typ, data string) bool {
			text := unescape(data)
			switch {
			case typ == "MX" && data == "0 .", typ == "TXT" && (len(text) > 450 || !utf8Text(text)), typ == "CAA" && strings.Count(data, " ") > 2:
				return false
			}
			return slices.Contains(loopiaTypes, typ)
		},
		handle: loopia,
	}
}

// loopiaCall is a call of XML-RPC (http://xmlrpc.com/spec.md).
type loopiaCall struct {
	Method string     `xml:"methodName"`
	Params []xmlValue `xml:"params>param>value"`
}

type xmlValue struct {
	Plain   string      `xml:",chardata"`
	String  *string     `xml:"string"`
	Int     *int        `xml:"int"`
	Members []xmlMember `xml:"struct>member"`
}

type xmlMember struct {
	Name  string   `xml:"name"`
	Value xmlValue `xml:"value"`
}

func (v xmlValue) text() string {
	switch {
	case v.String != nil:
		return *v.String
	case v.Int != nil:
		return strconv.Itoa(*v.Int)
	}
	return v.Plain
}

func (v xmlValue) member(name string) string {
	for _, m := range v.Members {
		if m.Name == name {
			return m.Value.text()
		}
	}
	return ""
}

func loopiaCalled(r *request) loopiaCall {
	if r.call == nil {
		r.call = new(loopiaCall)
		_ = xml.Unmarshal(r.body, r.call) // what can't be read has no method, which is refused
	}
	return *r.call
}

func (c loopiaCall) text(i int) string {
	if i >= len(c.Params) {
		return ""
	}
	return strings.TrimSpace(c.Params[i].text())
}

// loopiaRefuses puts 401 and 429 as the API does: as a fault where a list was
// asked for, else as a status. What its front end refuses has the status of HTTP.
func loopiaRefuses(w http.ResponseWriter, r *request, status int, text string) {
	word := map[int]string{http.StatusUnauthorized: "AUTH_ERROR", http.StatusTooManyRequests: "RATE_LIMITED", http.StatusNotFound: "UNKNOWN_ERROR"}[status]
	switch {
	case word == "":
		http.Error(w, text, status)
	case strings.HasPrefix(loopiaCalled(r).Method, "get"):
		w.Header().Set("Content-Type", "text/xml")
		_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><methodResponse><fault><value><struct>%s%s</struct></value></fault></methodResponse>`,
			xmlMemberOf("faultCode", xmlInt(status)), xmlMemberOf("faultString", xmlString(text)))
	default:
		loopiaAnswers(w, xmlString(word))
	}
}

func loopiaAnswers(w http.ResponseWriter, value string) {
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><methodResponse><params><param>%s</param></params></methodResponse>`, value)
}

func xmlString(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return "<value><string>" + b.String() + "</string></value>"
}

func xmlInt(n int) string { return fmt.Sprintf("<value><int>%d</int></value>", n) }

func xmlMemberOf(name, value string) string {
	return "<member><name>" + name + "</name>" + value + "</member>"
}

func xmlArray(values []string) string {
	return "<value><array><data>" + strings.Join(values, "") + "</data></array></value>"
}

func loopiaShows(r Record) string {
	priority, data := 0, joined(r)
	switch rr := r.RR.(type) {
	case *dns.MX:
		priority, data = int(rr.Preference), rr.Mx
	case *dns.SRV:
		priority = int(rr.Priority)
	case *dns.TXT:
		if strings.HasPrefix(data, `"`) {
			data = r.data()
		}
	}
	return "<value><struct>" + xmlMemberOf("record_id", xmlInt(r.ID)) + xmlMemberOf("ttl", xmlInt(r.ttl())) + xmlMemberOf("type", xmlString(r.typ())) +
		xmlMemberOf("rdata", xmlString(data)) + xmlMemberOf("priority", xmlInt(priority)) + "</struct></value>"
}

// loopiaTypes are those that are known to be kept.
var loopiaTypes = []string{"A", "AAAA", "CAA", "CNAME", "LOC", "MX", "NAPTR", "NS", "SRV", "SSHFP", "TLSA", "TXT"}

func loopia(f *Fake, w http.ResponseWriter, r *request) {
	c := loopiaCalled(r)
	if c.Method == "getDomains" {
		var domains []string
		for _, z := range f.zones {
			domains = append(domains, "<value><struct>"+xmlMemberOf("domain", xmlString(z.name))+xmlMemberOf("paid", xmlInt(1))+"</struct></value>")
		}
		loopiaAnswers(w, xmlArray(domains))
		return
	}
	z, sub := r.view, strings.ToLower(c.text(3))
	if z == nil {
		loopiaRefuses(w, r, http.StatusNotFound, "Unknown error")
		return
	}
	switch c.Method {
	case "getSubdomains":
		var names []string
		for _, name := range z.owners() {
			names = append(names, xmlString(name))
		}
		loopiaAnswers(w, xmlArray(names))
	case "getZoneRecords":
		var records []string
		for _, rec := range z.at(sub) {
			records = append(records, loopiaShows(rec))
		}
		loopiaAnswers(w, xmlArray(records))
	default:
		loopiaAnswers(w, xmlString(f.loopiaWrites(z, sub, c)))
	}
}

// loopiaWrites carries out a call that answers with a status.
func (f *Fake) loopiaWrites(z *zone, sub string, c loopiaCall) string {
	switch c.Method {
	case "addZoneRecord":
		rec, status := f.loopiaReads(z, sub, c.Params[len(c.Params)-1])
		if status == "OK" {
			f.keep(z, rec)
			z.names = append(z.names, sub)
		}
		return status
	case "updateZoneRecord":
		given := c.Params[len(c.Params)-1]
		at := z.index(sub, given.member("record_id"))
		if at < 0 {
			return "BAD_INDATA"
		}
		rest := z.clone()
		rest.records = slices.Delete(rest.records, at, at+1)
		rec, status := f.loopiaReads(rest, sub, given)
		if status == "OK" {
			rec.ID = z.records[at].ID
			z.records[at] = rec
		}
		return status
	case "removeZoneRecord":
		at := z.index(sub, c.text(4))
		if at < 0 {
			return "BAD_INDATA"
		}
		z.records = slices.Delete(z.records, at, at+1)
		return "OK"
	}
	return "UNKNOWN_ERROR"
}

// index finds a record by name and id; -1 where there is none.
func (z *zone) index(owner, id string) int {
	return slices.IndexFunc(z.records, func(r Record) bool { return r.Owner == owner && strconv.Itoa(r.ID) == id })
}

// loopiaReads reads a record_obj. Another of the same data is no hindrance.
func (f *Fake) loopiaReads(z *zone, sub string, given xmlValue) (Record, string) {
	ttl, err := strconv.Atoi(given.member("ttl"))
	typ, data := given.member("type"), given.member("rdata")
	refused := false
	switch typ {
	case "MX":
		refused = data == "."
		data = given.member("priority") + " " + data
	case "TXT":
		refused = data == "" || len(data) > 450
		if !strings.HasPrefix(data, `"`) {
			data = quote(data)
		}
	case "CAA":
		_, value, _ := strings.Cut(data, `"`)
		refused = strings.Contains(value, " ")
	}
	rec, parsing := f.record(z, sub, typ, ttl, data)
	if err != nil || parsing != nil || refused || !slices.Contains(loopiaTypes, typ) || z.alias(sub, typ) {
		return rec, "UNKNOWN_ERROR"
	}
	return rec, "OK"
}
