package saastest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// Cloudflare is the API v4 at https://developers.cloudflare.com/api/: records
// with ids, names absolute without a dot, pages, TTLs from 60 s, the parts of
// some types in data, no NS records at the apex.
func Cloudflare() Vendor {
	return Vendor{
		Type: "cloudflare", Host: "api.cloudflare.com", Page: 100,
		Settings: func(token string) map[string]any { return map[string]any{"api_token": token, "account_id": "a1"} },
		token:    bearer("Bearer"), writes: byMethod,
		zone: func(f *Fake, r *request) string {
			if name := r.URL.Query().Get("name"); len(r.segments(cloudflareZones)[0]) == 0 {
				return strings.TrimSuffix(name, ".")
			}
			for _, z := range f.zones {
				if cloudflareID(z.id) == r.segments(cloudflareZones)[0] {
					return z.name
				}
			}
			return ""
		},
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) {
			cloudflareFails(w, status, 10000, text)
		},
		handle: cloudflare,
	}
}

const cloudflareZones = "/client/v4/zones"

func cloudflareID(id int) string { return fmt.Sprintf("%032x", id) }

func cloudflareFails(w http.ResponseWriter, status, code int, text string) {
	answerJSON(w, status, object{"success": false, "result": nil, "messages": []any{}, "errors": []object{{"code": code, "message": text}}})
}

func cloudflare(f *Fake, w http.ResponseWriter, r *request) {
	path := r.segments(cloudflareZones)
	switch {
	case path[0] == "" && r.Method == http.MethodPost:
		f.cloudflareCreates(w, r)
	case path[0] == "":
		f.cloudflareZones(w, r)
	case r.view == nil:
		cloudflareFails(w, http.StatusNotFound, 7003, "Could not route to the zone, perhaps your object identifier is invalid?")
	case r.Method == http.MethodGet:
		var found []object
		for _, rec := range r.view.records {
			if o := cloudflareShows(r.view, rec); cloudflareMatches(r, o) {
				found = append(found, o)
			}
		}
		cloudflareList(w, r, found, 100, 100)
	default:
		id := ""
		if len(path) > 2 {
			id = path[2]
		}
		f.cloudflareWrites(w, r, id)
	}
}

func (f *Fake) cloudflareZones(w http.ResponseWriter, r *request) {
	var found []object
	for _, z := range f.zones {
		if name := strings.TrimSuffix(r.URL.Query().Get("name"), "."); name == "" || name == z.name {
			found = append(found, object{"id": cloudflareID(z.id), "name": z.name, "status": "active", "type": "full"})
		}
	}
	cloudflareList(w, r, found, 20, 50)
}

func (f *Fake) cloudflareCreates(w http.ResponseWriter, r *request) {
	var g struct {
		Name    string
		Account struct{ ID string }
	}
	if json.Unmarshal(r.body, &g) != nil || g.Account.ID != "a1" {
		cloudflareFails(w, http.StatusForbidden, 1068, "Permission denied")
		return
	}
	z, ok := f.create(g.Name)
	if !ok {
		cloudflareFails(w, http.StatusBadRequest, 1061, g.Name+" already exists.")
		return
	}
	answerJSON(w, http.StatusOK, object{"success": true, "errors": []any{}, "messages": []any{}, "result": object{"id": cloudflareID(z.id), "name": z.name, "status": "pending"}})
}

func cloudflareList(w http.ResponseWriter, r *request, all []object, size, most int) {
	items, number, per := page(r, all, size, most)
	if items == nil {
		items = []object{}
	}
	answerJSON(w, http.StatusOK, object{
		"success": true, "errors": []any{}, "messages": []any{}, "result": items,
		"result_info": object{"page": number, "per_page": per, "count": len(items), "total_count": len(all), "total_pages": (len(all) + per - 1) / per},
	})
}

func cloudflareMatches(r *request, o object) bool {
	q := r.URL.Query()
	content := o["content"].(string)
	return (q.Get("type") == "" || q.Get("type") == o["type"]) &&
		(q.Get("name") == "" || strings.TrimSuffix(q.Get("name"), ".") == o["name"]) &&
		(q.Get("content.exact") == "" || q.Get("content.exact") == content) &&
		strings.Contains(content, q.Get("content.contains"))
}

// cloudflareShows gives a record as the API shows it.
func cloudflareShows(z *zone, r Record) object {
	o := object{
		"id": cloudflareID(r.ID), "type": r.typ(), "name": strings.TrimSuffix(r.RR.Header().Name, "."), "ttl": r.ttl(),
		"content": strings.TrimSuffix(r.data(), "."), "proxiable": false, "proxied": false, "zone_id": cloudflareID(z.id), "zone_name": z.name,
	}
	dotless := func(name string) string {
		if name == "." {
			return name
		}
		return strings.TrimSuffix(name, ".")
	}
	switch rr := r.RR.(type) {
	case *dns.MX:
		o["content"], o["priority"] = dotless(rr.Mx), rr.Preference
	case *dns.CAA:
		o["data"] = object{"flags": rr.Flag, "tag": rr.Tag, "value": unescape(rr.Value)}
	case *dns.SRV:
		o["content"] = fmt.Sprintf("%d %d %s", rr.Weight, rr.Port, dotless(rr.Target))
		o["priority"], o["data"] = rr.Priority, object{"priority": rr.Priority, "weight": rr.Weight, "port": rr.Port, "target": dotless(rr.Target)}
	case *dns.HTTPS, *dns.SVCB:
		parts := strings.SplitN(r.data()+" ", " ", 3)
		priority, _ := strconv.Atoi(parts[0])
		o["content"], o["data"] = r.data(), object{"priority": priority, "target": parts[1], "value": strings.TrimSpace(parts[2])}
	}
	return o
}

// cloudflareGiven is a record as a client gives it.
type cloudflareGiven struct {
	Type, Name, Content string
	TTL                 int
	Priority            int
	Data                map[string]any
}

// rdata gives the presentation form, or the field that lacks.
func (g cloudflareGiven) rdata() (data, lacks string) {
	field := func(name string) string {
		v, ok := g.Data[name]
		if !ok && lacks == "" {
			lacks = name
		}
		return fmt.Sprint(v)
	}
	switch g.Type {
	case "CNAME", "NS", "MX":
		if g.Content == "" {
			return "", "content"
		}
		target := strings.TrimSuffix(g.Content, ".") + "."
		if g.Type == "MX" {
			target = fmt.Sprintf("%d %s", g.Priority, target)
		}
		return target, ""
	case "TXT":
		if strings.HasPrefix(g.Content, `"`) {
			return g.Content, ""
		}
		return quote(g.Content), ""
	case "CAA":
		return fmt.Sprintf("%s %s %s", field("flags"), field("tag"), quote(field("value"))), lacks
	case "SRV":
		// As in JSON: what a client leaves out of a number counts as 0.
		number := func(name string) any {
			if v, ok := g.Data[name]; ok {
				return v
			}
			return 0
		}
		return fmt.Sprintf("%v %v %v %s.", number("priority"), number("weight"), number("port"), strings.TrimSuffix(field("target"), ".")), lacks
	case "HTTPS", "SVCB":
		if _, ok := g.Data["value"]; !ok {
			g.Data["value"] = ""
		}
		if _, ok := g.Data["priority"]; !ok {
			g.Data["priority"] = 0
		}
		return fmt.Sprintf("%s %s %s", field("priority"), field("target"), field("value")), lacks
	case "SSHFP":
		return fmt.Sprintf("%s %s %s", field("algorithm"), field("type"), field("fingerprint")), lacks
	case "TLSA":
		return fmt.Sprintf("%s %s %s %s", field("usage"), field("selector"), field("matching_type"), field("certificate")), lacks
	}
	return g.Content, ""
}

func (f *Fake) cloudflareWrites(w http.ResponseWriter, r *request, id string) {
	var old *Record
	for i := range r.view.records {
		if cloudflareID(r.view.records[i].ID) == id {
			old = &r.view.records[i]
		}
	}
	if id != "" && old == nil {
		cloudflareFails(w, http.StatusNotFound, 81044, "Record does not exist.")
		return
	}
	if r.Method == http.MethodDelete {
		r.view.drop(func(rec Record) bool { return rec.ID == old.ID })
		answerJSON(w, http.StatusOK, object{"success": true, "errors": []any{}, "messages": []any{}, "result": object{"id": id}})
		return
	}
	var g cloudflareGiven
	if err := json.Unmarshal(r.body, &g); err != nil {
		cloudflareFails(w, http.StatusBadRequest, 9207, "Request body is invalid.")
		return
	}
	data, lacks := g.rdata()
	rec, err := f.record(r.view, owner(g.Name, r.view.name), g.Type, g.TTL, data)
	switch {
	case lacks != "":
		cloudflareFails(w, http.StatusBadRequest, 9101, lacks+" is a required data field.")
		return
	case err != nil:
		cloudflareFails(w, http.StatusBadRequest, 1004, "DNS Validation Error: "+err.Error())
		return
	case g.TTL != 1 && (g.TTL < 60 || g.TTL > 86400):
		cloudflareFails(w, http.StatusBadRequest, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
		return
	case rec.Owner == "@" && rec.typ() == "NS":
		cloudflareFails(w, http.StatusBadRequest, 1004, "NS records can't be set at the zone's apex.")
		return
	}
	if old == nil {
		for _, other := range r.view.records {
			if same(other, rec) {
				cloudflareFails(w, http.StatusBadRequest, 81058, "An identical record already exists.")
				return
			}
		}
		if r.view.alias(rec.Owner, rec.typ()) {
			cloudflareFails(w, http.StatusBadRequest, 81053, "An A, AAAA, or CNAME record with that host already exists.")
			return
		}
		rec = f.keep(r.view, rec)
	} else {
		rec.ID = old.ID
		*old = rec
	}
	answerJSON(w, http.StatusOK, object{"success": true, "errors": []any{}, "messages": []any{}, "result": cloudflareShows(r.view, rec)})
}
