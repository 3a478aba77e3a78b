package saastest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/miekg/dns"
)

// Simply is the API v2 at https://www.simply.com/docs/api/: records with ids,
// names relative, priorities apart, texts without quotes, the zone listed in one
// answer, no more requests after 429 for so many seconds as a header of its own
// says.
func Simply() Vendor {
	return Vendor{
		Type: "simplydotcom", Host: "api.simply.com", ApexNS: true,
		Settings: func(token string) map[string]any { return map[string]any{"account_name": "S123456", "api_key": token} },
		token: func(r *request) string {
			_, key, _ := r.BasicAuth()
			return key
		},
		writes: byMethod,
		zone:   func(_ *Fake, r *request) string { return r.segments(simplyProducts)[0] },
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) {
			if after := w.Header().Get("Retry-After"); len(after) < len("1000") { // seconds: not by the standard's header
				w.Header().Del("Retry-After")
				w.Header().Set("X-RateLimit-Retry-After", after)
			}
			simplyAnswers(w, status, text, nil)
		},
		handle: simply,
		Holds:  func(typ, data string) bool { return typ != "TXT" || utf8Text(unescape(data)) },
	}
}

const simplyProducts = "/2/my/products"

func simplyAnswers(w http.ResponseWriter, status int, text string, more object) {
	answer := object{"status": status, "message": text}
	for key, v := range more {
		answer[key] = v
	}
	answerJSON(w, status, answer)
}

type simplyRecord struct {
	ID       int     `json:"record_id"`
	Name     string  `json:"name"`
	TTL      int     `json:"ttl"`
	Data     string  `json:"data"`
	Type     string  `json:"type"`
	Priority *uint16 `json:"priority"`
	Comment  *string `json:"comment"`
}

func simplyShows(r Record) simplyRecord {
	s := simplyRecord{ID: r.ID, Name: r.Owner, TTL: r.ttl(), Type: r.typ(), Data: joined(r)}
	switch rr := r.RR.(type) {
	case *dns.MX:
		s.Priority, s.Data = &rr.Preference, rr.Mx
	case *dns.SRV:
		s.Priority, s.Data = &rr.Priority, fmt.Sprintf("%d %d %s", rr.Weight, rr.Port, rr.Target)
	case *dns.TXT:
		if strings.HasPrefix(s.Data, `"`) {
			s.Data = r.data()
		}
	case *dns.CNAME, *dns.NS:
		s.Data = strings.TrimSuffix(s.Data, ".")
	}
	return s
}

// rdata gives the presentation form.
func (s simplyRecord) rdata() string {
	priority := uint16(0)
	if s.Priority != nil {
		priority = *s.Priority
	}
	switch s.Type {
	case "CNAME", "NS":
		return dotted(s.Data)
	case "MX", "SRV":
		return fmt.Sprintf("%d %s", priority, dotted(s.Data))
	case "TXT":
		if strings.HasPrefix(s.Data, `"`) && strings.HasSuffix(s.Data, `"`) && len(s.Data) > 1 {
			return s.Data
		}
		return quote(s.Data)
	}
	return s.Data
}

func simply(f *Fake, w http.ResponseWriter, r *request) {
	path := r.segments(simplyProducts)
	switch {
	case path[0] == "":
		products := []object{}
		for _, z := range f.zones {
			products = append(products, object{"object": z.name, "domain": object{"name": z.name, "name_idn": z.name}})
		}
		simplyAnswers(w, http.StatusOK, "success", object{"products": products})
	case r.view == nil:
		simplyAnswers(w, http.StatusNotFound, "Object not found", nil)
	case len(path) == 3 && r.Method == http.MethodGet:
		records := []simplyRecord{}
		for _, rec := range r.view.records {
			records = append(records, simplyShows(rec))
		}
		simplyAnswers(w, http.StatusOK, "success", object{"records": records})
	case len(path) == 3:
		f.simplyWrites(w, r, nil)
	default:
		f.simplyOne(w, r, r.view.byID(path[3]))
	}
}

func (f *Fake) simplyOne(w http.ResponseWriter, r *request, old *Record) {
	switch {
	case old == nil:
		simplyAnswers(w, http.StatusNotFound, "Record not found", nil)
	case r.Method == http.MethodDelete:
		id := old.ID
		r.view.drop(func(rec Record) bool { return rec.ID == id })
		simplyAnswers(w, http.StatusOK, "success", nil)
	default:
		f.simplyWrites(w, r, old)
	}
}

// simplyWrites adds a record, or changes one.
func (f *Fake) simplyWrites(w http.ResponseWriter, r *request, old *Record) {
	var g simplyRecord
	if json.Unmarshal(r.body, &g) != nil || g.TTL < 1 || g.Data == "" {
		simplyAnswers(w, http.StatusBadRequest, "Invalid data", nil)
		return
	}
	rec, err := f.record(r.view, g.Name, g.Type, max(60, g.TTL), g.rdata())
	switch {
	case err != nil:
	case old != nil:
		rec, err = r.view.replace(old.ID, rec)
	default:
		rec, err = f.insert(r.view, rec)
	}
	if err != nil {
		simplyAnswers(w, http.StatusBadRequest, err.Error(), nil)
		return
	}
	simplyAnswers(w, http.StatusOK, "success", object{"record": object{"id": rec.ID}})
}
