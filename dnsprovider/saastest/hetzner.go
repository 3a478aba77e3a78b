package saastest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Hetzner is the Cloud API's DNS at https://docs.hetzner.cloud/reference/cloud:
// RRsets in pages, TTLs from 60 s or the zone's own, texts with their quotes,
// writes as actions.
func Hetzner() Vendor {
	return Vendor{
		Type: "hetzner", Host: "api.hetzner.cloud", ApexNS: true, WholeZones: true, Page: 50,
		Settings: func(token string) map[string]any { return map[string]any{"api_token": token} },
		token:    bearer("Bearer"), writes: byMethod,
		zone: func(f *Fake, r *request) string {
			name := r.segments(hetznerZones)[0]
			for _, z := range f.zones {
				if strconv.Itoa(z.id) == name {
					return z.name
				}
			}
			return name
		},
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) {
			code := map[int]string{401: "unauthorized", 429: "rate_limit_exceeded", 503: "unavailable"}[status]
			if code == "" {
				http.Error(w, text, status) // of the machines before the API
				return
			}
			hetznerFails(w, status, code, text)
		},
		handle: hetzner,
		Holds:  func(typ, _ string) bool { return typ != "SVCB" }, // its module can't read one at a plain name
	}
}

const hetznerZones = "/v1/zones"

func hetznerFails(w http.ResponseWriter, status int, code, text string) {
	answerJSON(w, status, object{"error": object{"code": code, "message": text, "details": nil}})
}

type hetznerValue struct {
	Value   string `json:"value"`
	Comment string `json:"comment"`
}

type hetznerGiven struct {
	Name    string         `json:"name"`
	Type    string         `json:"type"`
	TTL     *int           `json:"ttl"`
	Records []hetznerValue `json:"records"`
}

func hetznerZone(z *zone) object {
	return object{"id": z.id, "name": z.name, "ttl": 3600, "mode": "primary", "status": "ok", "record_count": len(z.records),
		"created": "2026-01-01T00:00:00Z", "labels": object{}, "protection": object{"delete": false}, "registrar": "other"}
}

func hetznerSet(z *zone, set []Record) object {
	values := []hetznerValue{}
	for _, r := range set {
		values = append(values, hetznerValue{Value: r.data()})
	}
	return object{"id": set[0].Owner + "/" + set[0].typ(), "name": set[0].Owner, "type": set[0].typ(), "ttl": set[0].ttl(),
		"labels": object{}, "protection": object{"change": false}, "records": values, "zone": z.id}
}

func (f *Fake) hetznerAction(w http.ResponseWriter, command string, more object) {
	f.last++
	answer := object{"action": object{"id": f.last, "command": command, "status": "success", "progress": 100,
		"started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T00:00:00Z", "resources": []object{}, "error": nil}}
	for key, v := range more {
		answer[key] = v
	}
	answerJSON(w, http.StatusCreated, answer)
}

func hetzner(f *Fake, w http.ResponseWriter, r *request) {
	path := r.segments(hetznerZones)
	switch {
	case path[0] == "" && r.Method == http.MethodPost:
		f.hetznerCreates(w, r)
	case path[0] == "":
		items, number, per := page(r, f.zones, 25, 50)
		zones := []object{}
		for _, z := range items {
			zones = append(zones, hetznerZone(z))
		}
		answerJSON(w, http.StatusOK, object{"zones": zones, "meta": hetznerMeta(number, per, len(f.zones))})
	case r.view == nil:
		hetznerFails(w, http.StatusNotFound, "not_found", "zone not found")
	case len(path) == 1:
		answerJSON(w, http.StatusOK, object{"zone": hetznerZone(r.view)})
	case len(path) == 2 && r.Method == http.MethodGet:
		all := r.view.sets()
		items, number, per := page(r, all, 25, 50)
		sets := []object{}
		for _, set := range items {
			sets = append(sets, hetznerSet(r.view, set))
		}
		answerJSON(w, http.StatusOK, object{"rrsets": sets, "meta": hetznerMeta(number, per, len(all))})
	default:
		f.hetznerWrites(w, r, path)
	}
}

// hetznerCreates makes a zone with the RRsets given.
func (f *Fake) hetznerCreates(w http.ResponseWriter, r *request) {
	var given struct {
		Name   string
		Mode   string
		RRSets []hetznerGiven
	}
	if json.Unmarshal(r.body, &given) != nil || given.Mode != "primary" {
		hetznerFails(w, http.StatusUnprocessableEntity, "invalid_input", "invalid input in field 'mode'")
		return
	}
	z := &zone{name: given.Name}
	for _, g := range given.RRSets {
		for _, v := range g.Records {
			rec, err := f.hetznerRecord(z, g, *g.TTL, v)
			if err == nil {
				_, err = f.insert(z, rec)
			}
			if err != nil {
				hetznerFails(w, http.StatusUnprocessableEntity, "invalid_input", "invalid input in field 'rrsets': "+err.Error())
				return
			}
		}
	}
	made, ok := f.create(given.Name)
	if !ok {
		hetznerFails(w, http.StatusConflict, "uniqueness_error", "the zone already exists")
		return
	}
	made.records = append(made.records, z.records...)
	f.hetznerAction(w, "create_zone", object{"zone": hetznerZone(made)})
}

func hetznerMeta(number, per, total int) object {
	last := max(1, (total+per-1)/per)
	p := object{"page": number, "per_page": per, "previous_page": nil, "next_page": nil, "last_page": last, "total_entries": total}
	if number < last {
		p["next_page"] = number + 1
	}
	if number > 1 {
		p["previous_page"] = number - 1
	}
	return object{"pagination": p}
}

func (f *Fake) hetznerWrites(w http.ResponseWriter, r *request, path []string) {
	var g hetznerGiven
	if len(r.body) > 0 && json.Unmarshal(r.body, &g) != nil {
		hetznerFails(w, http.StatusBadRequest, "json_error", "invalid JSON")
		return
	}
	if len(path) >= 4 {
		g.Name, g.Type = path[2], path[3]
	}
	set := r.view.set(g.Name, g.Type)
	switch action := path[len(path)-1]; {
	case r.Method == http.MethodDelete && len(set) > 0:
		r.view.dropSet(g.Name, g.Type)
		f.hetznerAction(w, "delete_rrset", nil)
	case r.Method == http.MethodDelete, action == "remove_records" && len(set) == 0:
		hetznerFails(w, http.StatusNotFound, "not_found", "rrset not found")
	case action == "remove_records":
		f.hetznerRemoves(w, r, g)
	case action == "rrsets" && len(set) > 0:
		hetznerFails(w, http.StatusConflict, "uniqueness_error", "rrset already exists")
	default:
		f.hetznerAdds(w, r, g, set)
	}
}

// hetznerAdds adds records to an RRset, which is made where it isn't there.
func (f *Fake) hetznerAdds(w http.ResponseWriter, r *request, g hetznerGiven, set []Record) {
	ttl := 3600
	if len(set) > 0 {
		ttl = set[0].ttl()
	}
	switch {
	case g.TTL != nil && *g.TTL < 60:
		hetznerFails(w, http.StatusUnprocessableEntity, "invalid_input", "invalid input in field 'ttl'")
		return
	case g.TTL != nil && len(set) > 0 && *g.TTL != ttl:
		hetznerFails(w, http.StatusUnprocessableEntity, "invalid_input", "the TTL differs from that of the rrset")
		return
	case g.TTL != nil:
		ttl = *g.TTL
	}
	changed := r.view.clone()
	for _, v := range g.Records {
		rec, err := f.hetznerRecord(changed, g, ttl, v)
		switch {
		case err != nil:
			hetznerFails(w, http.StatusUnprocessableEntity, "invalid_input", "invalid input in field 'records': "+err.Error())
			return
		case slices.ContainsFunc(changed.set(g.Name, g.Type), func(o Record) bool { return same(o, rec) }):
			hetznerFails(w, http.StatusConflict, "uniqueness_error", "record already exists")
			return
		case changed.alias(g.Name, g.Type):
			hetznerFails(w, http.StatusConflict, "conflict", "a CNAME can't stand beside other records")
			return
		}
		f.keep(changed, rec)
	}
	*r.view = *changed
	f.hetznerAction(w, "add_rrset_records", object{"rrset": hetznerSet(r.view, r.view.set(g.Name, g.Type))})
}

// hetznerRecord makes a record; its text must have quotes, around strings of at
// most 255 octets.
func (f *Fake) hetznerRecord(z *zone, g hetznerGiven, ttl int, v hetznerValue) (Record, error) {
	if g.Type == "TXT" {
		if len(v.Value) < 2 || v.Value[0] != '"' || !strings.HasSuffix(v.Value, `"`) {
			return Record{}, fmt.Errorf("a text needs quotes")
		}
		for _, part := range strings.Split(v.Value, `" "`) {
			if len(unescape(strings.Trim(part, `"`))) > 255 {
				return Record{}, fmt.Errorf("a string has more than 255 octets")
			}
		}
	}
	return f.record(z, g.Name, g.Type, ttl, v.Value)
}

func (f *Fake) hetznerRemoves(w http.ResponseWriter, r *request, g hetznerGiven) {
	for _, v := range g.Records {
		rec, err := f.hetznerRecord(r.view, g, 0, v)
		is := func(o Record) bool { return err == nil && same(o, rec) }
		if !slices.ContainsFunc(r.view.set(g.Name, g.Type), is) {
			hetznerFails(w, http.StatusNotFound, "not_found", "record not found")
			return
		}
		r.view.drop(is)
	}
	f.hetznerAction(w, "remove_rrset_records", nil)
}
