package saastest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/miekg/dns"
)

// Domeneshop is the API v0 at https://api.domeneshop.no/docs/: records with ids,
// lists in one answer, domains found by a part of their name, numbers given as
// text, TTLs in whole minutes, no NS records at the apex.
func Domeneshop() Vendor {
	return Vendor{
		Type: "domainnameshop", Host: "api.domeneshop.no",
		Settings: func(token string) map[string]any { return map[string]any{"api_token": "token", "api_secret": token} },
		token: func(r *request) string {
			_, key, _ := r.BasicAuth()
			return key
		},
		writes: byMethod,
		zone: func(f *Fake, r *request) string {
			if id := r.segments(shopDomains)[0]; id != "" {
				return f.zoneByID(id)
			}
			return r.URL.Query().Get("domain")
		},
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) { shopFails(w, status, text) },
		handle: domeneshop,
		Holds: func(typ, data string) bool {
			return shopTypes[typ] && data != "0 ." && (typ != "TXT" || utf8Text(unescape(data)))
		},
	}
}

const shopDomains = "/v0/domains"

var shopTypes = map[string]bool{"A": true, "AAAA": true, "CAA": true, "CNAME": true, "MX": true, "NS": true, "SRV": true, "TLSA": true, "TXT": true}

func shopFails(w http.ResponseWriter, status int, text string) {
	answerJSON(w, status, object{"help": "See the API documentation", "code": strings.ToLower(http.StatusText(status)), "message": text})
}

// shopFields are the fields of a type before its data.
var shopFields = map[string][]string{"MX": {"priority"}, "SRV": {"priority", "weight", "port"}, "CAA": {"flags", "tag"}, "TLSA": {"usage", "selector", "dtype"}}

func shopShows(r Record) object {
	o := object{"id": r.ID, "host": r.Owner, "ttl": r.ttl(), "type": r.typ()}
	fields := shopFields[r.typ()]
	words := strings.SplitN(r.data(), " ", len(fields)+1)
	for i, field := range fields {
		o[field] = words[i]
	}
	data := words[len(fields)]
	switch rr := r.RR.(type) {
	case *dns.TXT:
		if data = joined(r); strings.HasPrefix(data, `"`) {
			data = r.data()
		}
	case *dns.CAA:
		data = unescape(rr.Value)
	case *dns.TLSA:
	default:
		data = dotless(data)
	}
	o["data"] = data
	return o
}

// shopData gives the presentation form of what a client gives.
func shopData(typ string, given map[string]any) (string, error) {
	data := fmt.Sprint(given["data"])
	switch typ {
	case "TXT":
		if !strings.HasPrefix(data, `"`) {
			data = quote(data)
		}
	case "CNAME", "NS", "MX", "SRV":
		if data == "" || data == "." {
			return "", fmt.Errorf("data: is not a host name")
		}
		data = dotted(data)
	case "CAA":
		data = quote(data)
	}
	words := []string{}
	for _, field := range shopFields[typ] {
		v, ok := given[field]
		if !ok {
			return "", fmt.Errorf("%s: is required", field)
		}
		words = append(words, fmt.Sprint(v))
	}
	return strings.Join(append(words, data), " "), nil
}

func domeneshop(f *Fake, w http.ResponseWriter, r *request) {
	path := r.segments(shopDomains)
	switch {
	case path[0] == "":
		found := []object{}
		for _, z := range f.zones {
			if strings.Contains(z.name, r.URL.Query().Get("domain")) {
				found = append(found, object{"id": z.id, "domain": z.name, "services": object{"dns": true}})
			}
		}
		answerJSON(w, http.StatusOK, found)
	case r.view == nil:
		shopFails(w, http.StatusNotFound, "The domain does not exist")
	case len(path) == 2 && r.Method == http.MethodGet:
		records := []object{}
		for _, rec := range r.view.records {
			records = append(records, shopShows(rec))
		}
		answerJSON(w, http.StatusOK, records)
	case len(path) == 2:
		f.shopWrites(w, r, nil)
	default:
		f.shopOne(w, r, r.view.byID(path[2]))
	}
}

func (f *Fake) shopOne(w http.ResponseWriter, r *request, old *Record) {
	switch {
	case old == nil:
		shopFails(w, http.StatusNotFound, "The record does not exist")
	case r.Method == http.MethodDelete:
		id := old.ID
		r.view.drop(func(rec Record) bool { return rec.ID == id })
		w.WriteHeader(http.StatusNoContent)
	default:
		f.shopWrites(w, r, old)
	}
}

// shopWrites adds a record, or changes one.
func (f *Fake) shopWrites(w http.ResponseWriter, r *request, old *Record) {
	var given map[string]any
	if json.Unmarshal(r.body, &given) != nil {
		shopFails(w, http.StatusBadRequest, "not JSON")
		return
	}
	typ, _ := given["type"].(string)
	ttl, _ := given["ttl"].(float64)
	data, err := shopData(typ, given)
	if err == nil && (!shopTypes[typ] || ttl < 60 || int(ttl)%60 != 0) {
		err = fmt.Errorf("type or ttl: is not valid")
	}
	var rec Record
	if err == nil {
		rec, err = f.record(r.view, fmt.Sprint(given["host"]), typ, int(ttl), data)
	}
	switch {
	case err != nil:
	case old != nil:
		rec, err = r.view.replace(old.ID, rec)
	default:
		rec, err = f.insert(r.view, rec)
	}
	switch {
	case err != nil:
		shopFails(w, http.StatusConflict, err.Error())
	case old != nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		answerJSON(w, http.StatusCreated, object{"id": rec.ID})
	}
}
