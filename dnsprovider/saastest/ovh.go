package saastest

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// OVH is the API at https://eu.api.ovh.com/console/: signed requests, records
// read one by one, targets as in a zone file, SPF, DKIM and DMARC texts as types
// of their own, changes served once the zone is refreshed.
func OVH() Vendor {
	return Vendor{
		Type: "ovh", Host: "eu.api.ovh.com", ApexNS: true, Deploys: true,
		Settings: func(token string) map[string]any {
			return map[string]any{"endpoint": "ovh-eu", "application_key": token, "application_secret": token, "consumer_key": token}
		},
		token: ovhSigned, writes: byMethod,
		zone:   func(_ *Fake, r *request) string { return r.segments(ovhZones)[0] },
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) { ovhFails(w, status, text) },
		handle: ovh,
	}
}

const ovhZones = "/1.0/domain/zone"

func ovhFails(w http.ResponseWriter, status int, text string) {
	answerJSON(w, status, object{"class": fmt.Sprintf("Client::%d", status), "message": text})
}

// ovhSigned gives the application of a request whose signature is good. That of
// the clock needs none.
func ovhSigned(r *request) string {
	key := r.Header.Get("X-Ovh-Application")
	if r.URL.Path == "/1.0/auth/time" {
		return key
	}
	stamp := r.Header.Get("X-Ovh-Timestamp")
	signed := fmt.Sprintf("%s+%s+%s+https://eu.api.ovh.com%s+%s+%s", key, r.Header.Get("X-Ovh-Consumer"), r.Method, r.URL.RequestURI(), r.body, stamp)
	at, err := strconv.ParseInt(stamp, 10, 64)
	fresh := err == nil && time.Since(time.Unix(at, 0)).Abs() < time.Minute
	if !fresh || r.Header.Get("X-Ovh-Signature") != fmt.Sprintf("$1$%x", sha1.Sum([]byte(signed))) {
		return ""
	}
	return key
}

type ovhRecord struct {
	ID        int    `json:"id"`
	Zone      string `json:"zone"`
	FieldType string `json:"fieldType"`
	SubDomain string `json:"subDomain"`
	TTL       int    `json:"ttl"`
	Target    string `json:"target"`
}

func ovhShows(z *zone, r Record) ovhRecord {
	o := ovhRecord{ID: r.ID, Zone: z.name, FieldType: r.typ(), SubDomain: r.Owner, TTL: r.ttl(), Target: r.data()}
	if o.SubDomain == "@" {
		o.SubDomain = ""
	}
	if text := joined(r); r.ID%2 == 1 && r.typ() == "TXT" && strings.HasPrefix(text, "v=spf1 ") {
		o.FieldType = "SPF" // as made by a form of the control panel
	}
	return o
}

func ovh(f *Fake, w http.ResponseWriter, r *request) {
	path := r.segments(ovhZones)
	switch {
	case r.URL.Path == "/1.0/auth/time":
		answerJSON(w, http.StatusOK, time.Now().Unix())
	case path[0] == "":
		names := []string{}
		for _, z := range f.zones {
			names = append(names, z.name)
		}
		answerJSON(w, http.StatusOK, names)
	case r.view == nil:
		ovhFails(w, http.StatusNotFound, "This service does not exist")
	case len(path) == 2 && path[1] == "refresh":
		r.view.deploy()
		w.WriteHeader(http.StatusOK)
	case len(path) == 2 && r.Method == http.MethodGet:
		ids := []int{}
		for _, rec := range r.view.records {
			if o := ovhShows(r.view, rec); ovhMatches(r, o) {
				ids = append(ids, o.ID)
			}
		}
		answerJSON(w, http.StatusOK, ids)
	case len(path) == 2:
		f.ovhWrites(w, r, nil)
	default:
		f.ovhOne(w, r, r.view.byID(path[2]))
	}
}

func ovhMatches(r *request, o ovhRecord) bool {
	q := r.URL.Query()
	return (!q.Has("fieldType") || q.Get("fieldType") == "" || q.Get("fieldType") == o.FieldType) && (!q.Has("subDomain") || q.Get("subDomain") == o.SubDomain)
}

func (f *Fake) ovhOne(w http.ResponseWriter, r *request, old *Record) {
	switch {
	case old == nil:
		ovhFails(w, http.StatusNotFound, "The requested object (id) does not exist")
	case r.Method == http.MethodGet:
		answerJSON(w, http.StatusOK, ovhShows(r.view, *old))
	case r.Method == http.MethodDelete:
		id := old.ID
		r.view.drop(func(rec Record) bool { return rec.ID == id })
		w.WriteHeader(http.StatusOK)
	default:
		f.ovhWrites(w, r, old)
	}
}

// ovhWrites adds a record, or changes one.
func (f *Fake) ovhWrites(w http.ResponseWriter, r *request, old *Record) {
	var g struct {
		FieldType *string
		SubDomain string
		TTL       int
		Target    string
	}
	if json.Unmarshal(r.body, &g) != nil {
		ovhFails(w, http.StatusBadRequest, "Received not valid JSON")
		return
	}
	typ := ""
	switch {
	case old == nil && g.FieldType == nil:
		ovhFails(w, http.StatusBadRequest, "Missing fieldType parameter")
		return
	case old == nil:
		typ = *g.FieldType
	case g.FieldType != nil:
		ovhFails(w, http.StatusBadRequest, "Try to alter read-only properties: fieldType")
		return
	default:
		typ = old.typ()
	}
	if typ == "TXT" && !strings.HasPrefix(g.Target, `"`) {
		g.Target = quote(g.Target)
	}
	rec, err := f.record(r.view, g.SubDomain, typ, max(g.TTL, 60), g.Target)
	switch {
	case err != nil:
	case old != nil:
		rec, err = r.view.replace(old.ID, rec)
	default:
		rec, err = f.insert(r.view, rec)
	}
	if err != nil {
		ovhFails(w, http.StatusConflict, err.Error())
		return
	}
	answerJSON(w, http.StatusOK, ovhShows(r.view, rec))
}
