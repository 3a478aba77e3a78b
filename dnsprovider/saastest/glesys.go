package saastest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// GleSYS is the API at https://github.com/GleSYS/API/wiki: records with ids,
// names relative, texts without quotes, everything by POST, the zone listed in
// one answer.
func GleSYS() Vendor {
	return Vendor{
		Type: "glesys", Host: "api.glesys.com", ApexNS: true,
		Settings: func(token string) map[string]any {
			return map[string]any{"project": "cl12345", "api_key": token, "create_zones": true}
		},
		token: func(r *request) string {
			_, key, _ := r.BasicAuth()
			return key
		},
		writes: func(r *request) bool { return !strings.HasPrefix(r.segments("/domain/")[0], "list") },
		zone: func(f *Fake, r *request) string {
			var g glesysGiven
			if json.Unmarshal(r.body, &g) == nil && g.Domain != "" {
				return g.Domain
			}
			for _, z := range f.zones {
				if slices.ContainsFunc(z.records, func(rec Record) bool { return rec.ID == g.ID }) {
					return z.name
				}
			}
			return ""
		},
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) { glesysAnswers(w, status, text, nil) },
		handle: glesys,
		Holds: func(typ, data string) bool {
			return slices.Contains(glesysTypes, typ) && (typ != "TXT" || utf8Text(unescape(data)))
		},
	}
}

type glesysGiven struct {
	Domain string `json:"domainname"`
	ID     int    `json:"recordid"`
	Host   string `json:"host"`
	Type   string `json:"type"`
	Data   string `json:"data"`
	TTL    int    `json:"ttl"`
}

func glesysAnswers(w http.ResponseWriter, status int, text string, more object) {
	response := object{"status": object{"code": status, "text": text, "timestamp": "2026-11-24T12:00:00+01:00"}, "debug": object{"input": object{}}}
	for key, v := range more {
		response[key] = v
	}
	answerJSON(w, status, object{"response": response})
}

func glesysShows(z *zone, r Record) object {
	data := joined(r)
	if _, ok := r.RR.(*dns.TXT); ok && strings.HasPrefix(data, `"`) {
		data = r.data()
	}
	return object{"domainname": z.name, "recordid": r.ID, "host": r.Owner, "type": r.typ(), "ttl": r.ttl(), "data": data}
}

// glesysTypes are those that GleSYS' own Terraform provider names.
var glesysTypes = []string{"A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT", "URL", "SOA"}

func glesys(f *Fake, w http.ResponseWriter, r *request) {
	var g glesysGiven
	if err := json.Unmarshal(r.body, &g); err != nil && len(r.body) > 0 {
		glesysAnswers(w, http.StatusBadRequest, "Could not parse the request", nil)
		return
	}
	switch method := r.segments("/domain/")[0]; {
	case method == "list":
		domains := []object{}
		for _, z := range f.zones {
			domains = append(domains, object{"domainname": z.name, "displayname": z.name, "recordcount": len(z.records), "usingglesysnameserver": "yes"})
		}
		glesysAnswers(w, http.StatusOK, "OK", object{"domains": domains})
	case method == "add":
		if _, ok := f.create(g.Domain); !ok {
			glesysAnswers(w, http.StatusConflict, "The domain already exists", nil)
			return
		}
		glesysAnswers(w, http.StatusOK, "OK", object{"domain": object{"domainname": g.Domain}})
	case r.view == nil && g.ID != 0:
		glesysAnswers(w, http.StatusNotFound, "Could not find the record", nil)
	case r.view == nil:
		glesysAnswers(w, http.StatusNotFound, "The domain could not be found", nil)
	case method == "listrecords":
		records := []object{}
		for _, rec := range r.view.records {
			records = append(records, glesysShows(r.view, rec))
		}
		glesysAnswers(w, http.StatusOK, "OK", object{"records": records})
	case method == "deleterecord":
		r.view.drop(func(rec Record) bool { return rec.ID == g.ID })
		glesysAnswers(w, http.StatusOK, "OK", nil)
	case method == "addrecord":
		f.glesysKeeps(w, r.view, r.view, g)
	case method == "updaterecord":
		rest := r.view.clone()
		rest.drop(func(rec Record) bool { return rec.ID == g.ID })
		f.glesysKeeps(w, r.view, rest, g)
	default:
		glesysAnswers(w, http.StatusNotFound, "No such function", nil)
	}
}

// glesysKeeps adds a record, were it a second time, or changes the one that has
// its id. rest is the zone without that one.
func (f *Fake) glesysKeeps(w http.ResponseWriter, z, rest *zone, g glesysGiven) {
	data, typ := g.Data, strings.ToUpper(g.Type)
	if typ == "TXT" && !strings.HasPrefix(data, `"`) {
		data = quote(data)
	}
	if g.TTL == 0 {
		g.TTL = 3600
	}
	rec, err := f.record(z, g.Host, typ, g.TTL, data)
	switch at := slices.IndexFunc(z.records, func(rec Record) bool { return rec.ID == g.ID }); {
	case !slices.Contains(glesysTypes, typ):
		glesysAnswers(w, http.StatusBadRequest, "Invalid record type", nil)
	case err != nil:
		glesysAnswers(w, http.StatusBadRequest, "Invalid data: "+err.Error(), nil)
	case rest.alias(rec.Owner, typ):
		glesysAnswers(w, http.StatusBadRequest, "A CNAME can't share its host with other records", nil)
	case at < 0:
		rec = f.keep(z, rec)
		glesysAnswers(w, http.StatusOK, "OK", object{"record": glesysShows(z, rec)})
	default:
		rec.ID = g.ID
		z.records[at] = rec
		glesysAnswers(w, http.StatusOK, "OK", object{"record": glesysShows(z, rec)})
	}
}
