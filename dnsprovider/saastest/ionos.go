package saastest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// IONOS is the DNS API at https://developer.hosting.ionos.com/docs/dns: records
// with ids and absolute names without a dot, added by lists, texts given without
// quotes and shown with them, TTLs from 60 s.
func IONOS() Vendor {
	return Vendor{
		Type: "ionos", Host: "api.hosting.ionos.com", ApexNS: true,
		Settings: func(token string) map[string]any { return map[string]any{"auth_api_token": token} },
		token:    header("X-API-Key"), writes: byMethod,
		zone:   func(f *Fake, r *request) string { return f.zoneByID(r.segments(ionosZones)[0]) },
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) { ionosFails(w, status, text) },
		handle: ionos,
		Holds: func(typ, data string) bool {
			text := unescape(data)
			return ionosTypes[typ] && (typ != "TXT" || utf8Text(text) && len(text) <= 255)
		},
	}
}

const ionosZones = "/dns/v1/zones"

var ionosTypes = map[string]bool{"A": true, "AAAA": true, "CAA": true, "CNAME": true, "NS": true, "TXT": true}

func ionosFails(w http.ResponseWriter, status int, text string) {
	answerJSON(w, status, []object{{"code": strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_")), "message": text}})
}

func ionosShows(z *zone, r Record) object {
	content := dotless(r.data())
	if r.typ() == "TXT" {
		content = strconv.Quote(joined(r))
	}
	return object{"id": strconv.Itoa(r.ID), "name": strings.TrimSuffix(r.RR.Header().Name, "."), "rootName": z.name, "type": r.typ(),
		"content": content, "ttl": r.ttl(), "prio": 0, "disabled": false}
}

func ionos(f *Fake, w http.ResponseWriter, r *request) {
	path := r.segments(ionosZones)
	switch {
	case path[0] == "":
		zones := []object{}
		for _, z := range f.zones {
			zones = append(zones, object{"id": strconv.Itoa(z.id), "name": z.name, "type": "NATIVE"})
		}
		answerJSON(w, http.StatusOK, zones)
	case r.view == nil:
		ionosFails(w, http.StatusNotFound, "Zone does not exist.")
	case len(path) == 1:
		records, q := []object{}, r.URL.Query()
		for _, rec := range r.view.records {
			o := ionosShows(r.view, rec)
			if name := strings.TrimSuffix(q.Get("recordName"), "."); (name == "" || name == o["name"]) && (q.Get("recordType") == "" || q.Get("recordType") == o["type"]) {
				records = append(records, o)
			}
		}
		answerJSON(w, http.StatusOK, object{"id": path[0], "name": r.view.name, "type": "NATIVE", "records": records})
	case r.Method == http.MethodPost:
		f.ionosAdds(w, r)
	default:
		f.ionosOne(w, r, r.view.byID(path[2]))
	}
}

type ionosGiven struct {
	Name    string
	Type    string
	Content string
	TTL     int
}

// ionosRecord makes a record of what is given.
func (f *Fake) ionosRecord(z *zone, g ionosGiven) (Record, error) {
	switch {
	case !ionosTypes[g.Type] || g.TTL < 60:
		return Record{}, fmt.Errorf("type or ttl is not valid")
	case g.Type == "TXT":
		g.Content = quote(g.Content)
	case g.Type == "CNAME" || g.Type == "NS":
		g.Content = dotted(g.Content)
	}
	return f.record(z, owner(g.Name, z.name), g.Type, g.TTL, g.Content)
}

func (f *Fake) ionosAdds(w http.ResponseWriter, r *request) {
	var given []ionosGiven
	if json.Unmarshal(r.body, &given) != nil {
		ionosFails(w, http.StatusBadRequest, "not JSON")
		return
	}
	changed, made := r.view.clone(), []object{}
	for _, g := range given {
		rec, err := f.ionosRecord(changed, g)
		if err == nil {
			rec, err = f.insert(changed, rec)
		}
		if err != nil {
			ionosFails(w, http.StatusBadRequest, err.Error())
			return
		}
		made = append(made, ionosShows(changed, rec))
	}
	*r.view = *changed
	answerJSON(w, http.StatusCreated, made)
}

func (f *Fake) ionosOne(w http.ResponseWriter, r *request, old *Record) {
	var g ionosGiven
	switch {
	case old == nil:
		ionosFails(w, http.StatusNotFound, "Record does not exist.")
		return
	case r.Method == http.MethodDelete:
		id := old.ID
		r.view.drop(func(rec Record) bool { return rec.ID == id })
		w.WriteHeader(http.StatusOK)
		return
	}
	err := json.Unmarshal(r.body, &g)
	g.Name, g.Type = old.RR.Header().Name, old.typ()
	var rec Record
	if err == nil {
		rec, err = f.ionosRecord(r.view, g)
	}
	if err == nil {
		rec, err = r.view.replace(old.ID, rec)
	}
	if err != nil {
		ionosFails(w, http.StatusBadRequest, err.Error())
		return
	}
	answerJSON(w, http.StatusOK, ionosShows(r.view, rec))
}
