package saastest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// DeSEC is the API v1 at https://desec.readthedocs.io/: RRsets with TTLs from
// 3600 s, the apex as an empty subname, records in canonical form, bulk writes
// that hold whole or not at all, lists of at most 500.
func DeSEC() Vendor {
	return Vendor{
		Type: "desec", Host: "desec.io", ApexNS: true, WholeZones: true, Page: 500,
		Settings: func(token string) map[string]any { return map[string]any{"token": token} },
		token:    bearer("Token"), writes: byMethod,
		zone:   func(_ *Fake, r *request) string { return r.segments(desecDomains)[0] },
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) { desecFails(w, status, text) },
		handle: desec,
	}
}

const desecDomains = "/api/v1/domains/"

func desecFails(w http.ResponseWriter, status int, text string) {
	if status == http.StatusUnauthorized {
		text = "Invalid token."
	}
	answerJSON(w, status, object{"detail": text})
}

// desecSet is an RRset as the API has it.
type desecSet struct {
	Domain  string   `json:"domain"`
	Subname string   `json:"subname"`
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Records []string `json:"records"`
	TTL     int      `json:"ttl"`
}

func desecShows(z *zone, set []Record) desecSet {
	out := desecSet{Domain: z.name, Name: set[0].RR.Header().Name, Type: set[0].typ(), TTL: set[0].ttl()}
	if set[0].Owner != "@" {
		out.Subname = set[0].Owner
	}
	for _, r := range set {
		out.Records = append(out.Records, r.data())
	}
	return out
}

func desec(f *Fake, w http.ResponseWriter, r *request) {
	path := r.segments(desecDomains)
	switch {
	case path[0] == "" && r.Method == http.MethodPost:
		f.desecCreates(w, r)
	case path[0] == "":
		domains := []object{}
		for _, z := range f.zones {
			domains = append(domains, object{"name": z.name, "minimum_ttl": 3600})
		}
		desecPage(w, r, domains)
	case r.view == nil:
		desecFails(w, http.StatusNotFound, "Not found.")
	case len(path) == 4: // …/{domain}/rrsets/{subname}/{type}
		if set := r.view.set(path[2], path[3]); len(set) > 0 {
			answerJSON(w, http.StatusOK, desecShows(r.view, set))
			return
		}
		desecFails(w, http.StatusNotFound, "Not found.")
	case r.Method == http.MethodPut, r.Method == http.MethodPatch:
		f.desecPuts(w, r)
	default:
		sets := []desecSet{}
		for _, set := range r.view.sets() {
			sets = append(sets, desecShows(r.view, set))
		}
		desecPage(w, r, sets)
	}
}

// desecCreates makes a domain, with the records of a zone file.
func (f *Fake) desecCreates(w http.ResponseWriter, r *request) {
	var given struct {
		Name string
		File string `json:"zonefile"`
	}
	if json.Unmarshal(r.body, &given) != nil || given.Name == "" {
		desecFails(w, http.StatusBadRequest, "JSON parse error")
		return
	}
	var rrs []dns.RR
	parser := dns.NewZoneParser(strings.NewReader(given.File), given.Name+".", "")
	for rr, more := parser.Next(); more; rr, more = parser.Next() {
		rrs = append(rrs, rr)
	}
	z, ok := f.find(given.Name), false
	if parser.Err() == nil && z == nil {
		z, ok = f.create(given.Name)
	}
	if !ok {
		answerJSON(w, http.StatusBadRequest, object{"name": []string{"This domain name conflicts with an existing domain, or is disallowed by policy."}})
		return
	}
	for _, rr := range rrs {
		f.keep(z, Record{RR: rr, Owner: owner(rr.Header().Name, z.name)})
	}
	answerJSON(w, http.StatusCreated, object{"name": z.name, "minimum_ttl": 3600})
}

// desecPage gives a list, by pages of 500 where it is longer.
func desecPage[T any](w http.ResponseWriter, r *request, all []T) {
	const size = 500
	at := func(cursor string) string { return "https://desec.io" + r.URL.Path + "?cursor=" + cursor }
	cursor, asked := r.URL.Query()["cursor"]
	if !asked && len(all) > size {
		w.Header().Set("Link", `<`+at("")+`>; rel="first"`)
		desecFails(w, http.StatusBadRequest, "Pagination required. You can query up to 500 items at a time. Please use the `cursor` query parameter.")
		return
	}
	from := 0
	if asked {
		from, _ = strconv.Atoi(cursor[0])
	}
	to := min(len(all), from+size)
	links := []string{`<` + at("") + `>; rel="first"`}
	if to < len(all) {
		links = append(links, `<`+at(strconv.Itoa(to))+`>; rel="next"`)
	}
	w.Header().Set("Link", strings.Join(links, ", "))
	answerJSON(w, http.StatusOK, all[min(from, to):to])
}

func (f *Fake) desecPuts(w http.ResponseWriter, r *request) {
	var given []desecSet
	if err := json.Unmarshal(r.body, &given); err != nil {
		desecFails(w, http.StatusBadRequest, "JSON parse error")
		return
	}
	changed, faults, failed := r.view.clone(), make([]object, len(given)), false
	for i, g := range given {
		faults[i] = f.desecPut(changed, g)
		failed = failed || len(faults[i]) > 0
	}
	for i, g := range given { // once all are in place
		name := g.Subname
		if name == "" {
			name = "@"
		}
		if len(g.Records) > 0 && changed.alias(name, g.Type) && len(faults[i]) == 0 && len(changed.set(name, "CNAME")) < len(changed.at(name)) {
			faults[i], failed = object{"non_field_errors": []string{"RRset with conflicting type present: database (CNAME). (No other RRsets are allowed alongside CNAME.)"}}, true
		}
	}
	if failed {
		answerJSON(w, http.StatusBadRequest, faults)
		return
	}
	*r.view = *changed
	answerJSON(w, http.StatusOK, given)
}

// at gives all records of a name.
func (z *zone) at(owner string) []Record {
	var out []Record
	for _, r := range z.records {
		if r.Owner == owner {
			out = append(out, r)
		}
	}
	return out
}

// desecPut replaces an RRset, or tells what is wrong with it.
func (f *Fake) desecPut(z *zone, g desecSet) object {
	name := g.Subname
	switch {
	case name == "":
		name = "@"
	case name == "@":
		return object{"subname": []string{"Subname can only use (lowercase) a-z, 0-9, ., -, and _, may start with a '*.', or just be '*'."}}
	}
	if g.TTL < 3600 && len(g.Records) > 0 {
		return object{"ttl": []string{"Ensure this value is greater than or equal to 3600."}}
	}
	if t := dns.StringToType[g.Type]; t == dns.TypeSOA || t == dns.TypeNone {
		return object{"type": []string{"You cannot tinker with the " + g.Type + " RRset."}}
	}
	z.dropSet(name, g.Type)
	for _, data := range g.Records {
		if g.Type == "TXT" {
			if len(data) < 2 || data[0] != '"' || !strings.HasSuffix(data, `"`) {
				return object{"records": []string{"Cannot parse record contents: content must be quoted"}}
			}
			if !strings.Contains(data, `" "`) { // a string may be of any length, and is cut then
				data = quote(unescape(data[1 : len(data)-1]))
			}
		}
		rec, err := f.record(z, name, g.Type, g.TTL, data)
		if err != nil {
			return object{"records": []string{"Cannot parse malformed DNS record content: " + err.Error()}}
		}
		for _, other := range z.set(name, g.Type) {
			if same(other, rec) {
				return object{"records": []string{fmt.Sprintf("Duplicate record content for %s %s", name, g.Type)}}
			}
		}
		f.keep(z, rec)
	}
	return nil
}
