package saastest

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Gandi is LiveDNS v5 at https://api.gandi.net/docs/livedns/: RRsets by name
// and type, TTLs from 300 s, texts with their quotes.
func Gandi() Vendor {
	return Vendor{
		Type: "gandi", Host: "api.gandi.net", ApexNS: true, WholeZones: true,
		Settings: func(token string) map[string]any { return map[string]any{"bearer_token": token} },
		token:    bearer("Bearer"), writes: byMethod,
		zone:   func(_ *Fake, r *request) string { return r.segments(gandiDomains)[0] },
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) { gandiFails(w, status, text) },
		handle: gandi,
	}
}

const gandiDomains = "/v5/livedns/domains/"

func gandiFails(w http.ResponseWriter, status int, text string) {
	answerJSON(w, status, object{"code": status, "message": text, "object": "HTTP" + strings.ReplaceAll(http.StatusText(status), " ", ""), "cause": http.StatusText(status)})
}

type gandiSet struct {
	Name   string   `json:"rrset_name"`
	Type   string   `json:"rrset_type"`
	TTL    int      `json:"rrset_ttl"`
	Values []string `json:"rrset_values"`
	Href   string   `json:"rrset_href,omitempty"`
}

func gandiHref(z *zone) string { return "https://api.gandi.net" + gandiDomains + z.name + "/records" }

func gandiShows(z *zone, set []Record) gandiSet {
	out := gandiSet{Name: set[0].Owner, Type: set[0].typ(), TTL: set[0].ttl()}
	out.Href = gandiHref(z) + "/" + out.Name + "/" + out.Type
	for _, r := range set {
		out.Values = append(out.Values, r.data())
	}
	return out
}

func gandi(f *Fake, w http.ResponseWriter, r *request) {
	path := r.segments(gandiDomains)
	if r.Method == http.MethodPost && r.URL.Path+"/" == gandiDomains {
		f.gandiCreates(w, r)
		return
	}
	if r.view == nil {
		gandiFails(w, http.StatusNotFound, "The resource could not be found.")
		return
	}
	if len(path) == 1 {
		answerJSON(w, http.StatusOK, object{"fqdn": r.view.name, "domain_href": "https://api.gandi.net" + gandiDomains + r.view.name, "domain_records_href": gandiHref(r.view)})
		return
	}
	if len(path) == 2 {
		sets := []gandiSet{}
		for _, set := range r.view.sets() {
			sets = append(sets, gandiShows(r.view, set))
		}
		answerJSON(w, http.StatusOK, sets)
		return
	}
	name, typ := path[2], path[3]
	switch set := r.view.set(name, typ); {
	case r.Method == http.MethodPut:
		f.gandiPut(w, r, name, typ)
	case len(set) == 0:
		gandiFails(w, http.StatusNotFound, "Can't find the DNS record "+name+"/"+typ+" in the zone")
	case r.Method == http.MethodDelete:
		r.view.dropSet(name, typ)
		w.WriteHeader(http.StatusNoContent)
	default:
		answerJSON(w, http.StatusOK, gandiShows(r.view, set))
	}
}

func (f *Fake) gandiPut(w http.ResponseWriter, r *request, name, typ string) {
	var g gandiSet
	if err := json.Unmarshal(r.body, &g); err != nil || len(g.Values) == 0 {
		gandiFails(w, http.StatusBadRequest, "rrset_values must have a value")
		return
	}
	if g.TTL < 300 || g.TTL > 2592000 {
		gandiFails(w, http.StatusBadRequest, "rrset_ttl must be between 300 and 2592000")
		return
	}
	changed := r.view.clone()
	changed.dropSet(name, typ)
	if status, text := f.gandiKeeps(changed, name, typ, g); text != "" {
		gandiFails(w, status, text)
		return
	}
	*r.view = *changed
	answerJSON(w, http.StatusCreated, object{"message": "DNS Record Created"})
}

// gandiCreates makes a zone with the RRsets given.
func (f *Fake) gandiCreates(w http.ResponseWriter, r *request) {
	var given struct {
		FQDN string
		Zone struct{ Items []gandiSet }
	}
	if json.Unmarshal(r.body, &given) != nil || given.FQDN == "" {
		gandiFails(w, http.StatusBadRequest, "fqdn: required")
		return
	}
	z := &zone{name: given.FQDN}
	for _, g := range given.Zone.Items {
		if status, text := f.gandiKeeps(z, g.Name, g.Type, g); text != "" {
			gandiFails(w, status, text)
			return
		}
	}
	made, ok := f.create(given.FQDN)
	if !ok {
		gandiFails(w, http.StatusConflict, "The domain already exists")
		return
	}
	made.records = append(made.records, z.records...)
	answerJSON(w, http.StatusCreated, object{"message": "Domain Created"})
}

// gandiKeeps adds an RRset to a zone; a text says why not.
func (f *Fake) gandiKeeps(changed *zone, name, typ string, g gandiSet) (status int, text string) {
	for _, value := range g.Values {
		if typ == "TXT" && !strings.HasPrefix(value, `"`) {
			value = quote(value)
		}
		rec, err := f.record(changed, name, typ, g.TTL, value)
		if err != nil {
			return http.StatusBadRequest, "rrset_values: " + err.Error()
		}
		known := false
		for _, other := range changed.set(name, typ) {
			known = known || same(other, rec)
		}
		if !known {
			f.keep(changed, rec)
		}
	}
	if cnames := len(changed.set(name, "CNAME")); cnames > 0 && len(changed.at(name)) > 1 {
		return http.StatusConflict, "A CNAME record already exists, or can't stand beside others"
	}
	return http.StatusOK, ""
}
