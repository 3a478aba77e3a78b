package saastest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/miekg/dns"
)

// DigitalOcean is the API v2 at https://docs.digitalocean.com/reference/api/:
// records with ids in pages, names without a dot or "@" for the domain, TTLs from
// 30 s, texts of some 500 octets without backslashes.
func DigitalOcean() Vendor {
	return Vendor{
		Type: "digitalocean", Host: "api.digitalocean.com", ApexNS: true, Page: 200,
		Settings: func(token string) map[string]any { return map[string]any{"auth_token": token} },
		token:    bearer("Bearer"), writes: byMethod,
		zone: func(_ *Fake, r *request) string { return r.segments(oceanDomains)[0] },
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) {
			oceanFails(w, status, text)
		},
		handle: digitalOcean,
		Holds: func(typ, data string) bool {
			return oceanTypes[typ] && data != "0 ." && (typ != "TXT" || oceanText(data))
		},
	}
}

const oceanDomains = "/v2/domains"

var oceanTypes = map[string]bool{"A": true, "AAAA": true, "CNAME": true, "MX": true, "NS": true, "SRV": true, "TXT": true}

// oceanText reports whether it takes a text, in presentation form without its
// quotes.
func oceanText(data string) bool {
	text := unescape(data)
	return utf8Text(text) && text != "" && !strings.Contains(text, `\`) && !strings.Contains(text, `"`) && len(quote(text)) <= 509
}

func oceanFails(w http.ResponseWriter, status int, text string) {
	answerJSON(w, status, object{"id": strings.ToLower(strings.ReplaceAll(http.StatusText(status), " ", "_")), "message": text})
}

type oceanRecord struct {
	ID       int    `json:"id"`
	Type     string `json:"type"`
	Name     string `json:"name"`
	Data     string `json:"data"`
	Priority uint16 `json:"priority"`
	Port     uint16 `json:"port"`
	Weight   uint16 `json:"weight"`
	TTL      int    `json:"ttl"`
	Flags    uint8  `json:"flags"`
	Tag      string `json:"tag"`
}

func oceanShows(z *zone, r Record) oceanRecord {
	o := oceanRecord{ID: r.ID, Type: r.typ(), Name: r.Owner, TTL: r.ttl(), Data: joined(r)}
	target := func(name string) string {
		if name == z.name+"." {
			return "@"
		}
		return dotless(name)
	}
	switch rr := r.RR.(type) {
	case *dns.CNAME, *dns.NS:
		o.Data = target(r.data())
	case *dns.MX:
		o.Priority, o.Data = rr.Preference, target(rr.Mx)
	case *dns.SRV:
		o.Priority, o.Weight, o.Port, o.Data = rr.Priority, rr.Weight, rr.Port, target(rr.Target)
	}
	return o
}

// rdata gives the presentation form.
func (o oceanRecord) rdata() (string, error) {
	name := strings.HasSuffix(o.Data, ".") && o.Data != "."
	switch o.Type {
	case "CNAME", "NS", "MX", "SRV":
		if !name {
			return "", fmt.Errorf("data needs to end with a dot (.)")
		}
	}
	switch o.Type {
	case "MX":
		return fmt.Sprintf("%d %s", o.Priority, o.Data), nil
	case "SRV":
		return fmt.Sprintf("%d %d %d %s", o.Priority, o.Weight, o.Port, o.Data), nil
	case "TXT":
		if !oceanText(o.Data) {
			return "", fmt.Errorf("data is not valid")
		}
		return quote(o.Data), nil
	}
	return o.Data, nil
}

func digitalOcean(f *Fake, w http.ResponseWriter, r *request) {
	path := r.segments(oceanDomains)
	switch {
	case path[0] == "" && r.Method == http.MethodPost:
		f.oceanCreates(w, r)
	case path[0] == "":
		domains := []object{}
		for _, z := range f.zones {
			domains = append(domains, object{"name": z.name, "ttl": 1800})
		}
		oceanList(w, r, "domains", domains)
	case r.view == nil:
		oceanFails(w, http.StatusNotFound, "The resource you were accessing could not be found.")
	case len(path) == 2 && r.Method == http.MethodGet:
		records := []oceanRecord{}
		for _, rec := range r.view.records {
			records = append(records, oceanShows(r.view, rec))
		}
		oceanList(w, r, "domain_records", records)
	case len(path) == 2:
		f.oceanWrites(w, r, nil)
	default:
		f.oceanOne(w, r, r.view.byID(path[2]))
	}
}

func (f *Fake) oceanCreates(w http.ResponseWriter, r *request) {
	var given struct{ Name string }
	if json.Unmarshal(r.body, &given) != nil || given.Name == "" {
		oceanFails(w, http.StatusUnprocessableEntity, "Name can't be blank")
		return
	}
	if _, ok := f.create(given.Name); !ok {
		oceanFails(w, http.StatusUnprocessableEntity, "domain '"+given.Name+"': name already exists")
		return
	}
	answerJSON(w, http.StatusCreated, object{"domain": object{"name": given.Name, "ttl": 1800}})
}

func oceanList[T any](w http.ResponseWriter, r *request, name string, all []T) {
	items, number, per := page(r, all, 20, 200)
	links := object{}
	if number*per < len(all) {
		links["pages"] = object{"next": fmt.Sprintf("https://api.digitalocean.com%s?page=%d", r.URL.Path, number+1)}
	}
	answerJSON(w, http.StatusOK, object{name: items, "links": links, "meta": object{"total": len(all)}})
}

func (f *Fake) oceanOne(w http.ResponseWriter, r *request, old *Record) {
	switch {
	case old == nil:
		oceanFails(w, http.StatusNotFound, "The resource you were accessing could not be found.")
	case r.Method == http.MethodDelete:
		id := old.ID
		r.view.drop(func(rec Record) bool { return rec.ID == id })
		w.WriteHeader(http.StatusNoContent)
	default:
		f.oceanWrites(w, r, old)
	}
}

// oceanWrites adds a record, were it a second time, or changes one.
func (f *Fake) oceanWrites(w http.ResponseWriter, r *request, old *Record) {
	var g oceanRecord
	var rec Record
	err := json.Unmarshal(r.body, &g)
	if err == nil && (g.TTL < 30 || !oceanTypes[g.Type]) {
		err = fmt.Errorf("ttl or type is not valid")
	}
	data := ""
	if err == nil {
		data, err = g.rdata()
	}
	if err == nil {
		rec, err = f.record(r.view, g.Name, g.Type, g.TTL, data)
	}
	switch {
	case err != nil:
	case old != nil:
		rec, err = r.view.replace(old.ID, rec)
	case r.view.alias(rec.Owner, rec.typ()):
		err = errAlias
	default:
		rec = f.keep(r.view, rec)
	}
	if err != nil {
		oceanFails(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	answerJSON(w, http.StatusCreated, object{"domain_record": oceanShows(r.view, rec)})
}
