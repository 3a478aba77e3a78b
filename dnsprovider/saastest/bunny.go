package saastest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// Bunny is the DNS API at https://docs.bunny.net/api-reference/core/dns-zone:
// records with ids and types by number, names without a dot, zones found by a
// part of their name, no NS records at the apex.
func Bunny() Vendor {
	return Vendor{
		Type: "bunny", Host: "api.bunny.net", WholeZones: true,
		Settings: func(token string) map[string]any { return map[string]any{"access_key": token} },
		token:    header("AccessKey"), writes: byMethod,
		zone: func(f *Fake, r *request) string {
			if id := r.segments(bunnyZones)[0]; id != "" {
				return f.zoneByID(id)
			}
			return r.URL.Query().Get("search")
		},
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) {
			if status == http.StatusUnauthorized {
				w.WriteHeader(status) // with nothing to read
				return
			}
			bunnyFails(w, status, "error", text)
		},
		handle: bunny,
		Holds: func(typ, data string) bool {
			return slices.Contains(bunnyTypes, typ) && (typ != "TXT" || utf8Text(unescape(data)))
		},
	}
}

const bunnyZones = "/dnszone"

// bunnyTypes are the numbers of types, by place; those of no DNS type are empty.
var bunnyTypes = []string{"A", "AAAA", "CNAME", "TXT", "MX", "", "", "", "SRV", "CAA", "PTR", "", "NS", "SVCB", "HTTPS", "TLSA"}

func bunnyFails(w http.ResponseWriter, status int, key, text string) {
	answerJSON(w, status, object{"ErrorKey": key, "Field": "", "Message": text})
}

// bunnyRecord is a record, as shown and as given.
type bunnyRecord struct {
	ID       int    `json:"Id"`
	Type     int    `json:"Type"`
	TTL      int    `json:"Ttl"`
	Value    string `json:"Value"`
	Name     string `json:"Name"`
	Weight   uint16 `json:"Weight"`
	Priority uint16 `json:"Priority"`
	Port     uint16 `json:"Port"`
	Flags    uint8  `json:"Flags"`
	Tag      string `json:"Tag"`
	Disabled bool   `json:"Disabled"`
}

// dotless gives a name as vendors show it that have no dots at the end.
func dotless(name string) string {
	if name == "." {
		return name
	}
	return strings.TrimSuffix(name, ".")
}

func dotted(name string) string { return strings.TrimSuffix(name, ".") + "." }

func bunnyShows(r Record) bunnyRecord {
	b := bunnyRecord{ID: r.ID, Type: slices.Index(bunnyTypes, r.typ()), TTL: r.ttl(), Value: joined(r), Name: r.Owner}
	if b.Name == "@" {
		b.Name = ""
	}
	switch rr := r.RR.(type) {
	case *dns.CNAME, *dns.NS, *dns.PTR:
		b.Value = dotless(r.data())
	case *dns.MX:
		b.Priority, b.Value = rr.Preference, dotless(rr.Mx)
	case *dns.SRV:
		b.Priority, b.Weight, b.Port, b.Value = rr.Priority, rr.Weight, rr.Port, dotless(rr.Target)
	case *dns.CAA:
		b.Flags, b.Tag, b.Value = rr.Flag, rr.Tag, unescape(rr.Value)
	case *dns.HTTPS:
		b.Priority, b.Value = rr.Priority, bunnyBinding(rr.SVCB, r.data())
	case *dns.SVCB:
		b.Priority, b.Value = rr.Priority, bunnyBinding(*rr, r.data())
	}
	return b
}

func bunnyBinding(rr dns.SVCB, data string) string {
	parts := append(strings.SplitN(data, " ", 3), "")
	return dotless(rr.Target) + " " + parts[2]
}

// rdata gives the presentation form.
func (b bunnyRecord) rdata() (typ, data string, err error) {
	if b.Type < 0 || b.Type >= len(bunnyTypes) || bunnyTypes[b.Type] == "" {
		return "", "", fmt.Errorf("the record type %d is not valid", b.Type)
	}
	if b.Value == "" {
		return "", "", fmt.Errorf("the value can't be empty")
	}
	switch typ, data = bunnyTypes[b.Type], b.Value; typ {
	case "CNAME", "NS", "PTR":
		data = dotted(data)
	case "TXT":
		data = quote(data)
	case "MX":
		data = fmt.Sprintf("%d %s", b.Priority, dotted(data))
	case "SRV":
		data = fmt.Sprintf("%d %d %d %s", b.Priority, b.Weight, b.Port, dotted(data))
	case "CAA":
		data = fmt.Sprintf("%d %s %s", b.Flags, b.Tag, quote(data))
	case "HTTPS", "SVCB":
		target, params, _ := strings.Cut(data, " ")
		data = fmt.Sprintf("%d %s %s", b.Priority, dotted(target), params)
	}
	return typ, data, nil
}

func bunny(f *Fake, w http.ResponseWriter, r *request) {
	path := r.segments(bunnyZones)
	switch {
	case path[0] == "" && r.Method == http.MethodPost:
		f.bunnyCreates(w, r)
	case path[0] == "":
		f.bunnyLists(w, r)
	case r.view == nil:
		bunnyFails(w, http.StatusNotFound, "dnszone.not_found", "The requested DNS zone was not found.")
	case len(path) == 1:
		shown := []bunnyRecord{}
		for _, rec := range r.view.records {
			shown = append(shown, bunnyShows(rec))
		}
		answerJSON(w, http.StatusOK, object{"Id": r.view.id, "Domain": r.view.name, "Records": shown})
	case len(path) == 2:
		f.bunnyAdds(w, r, r.view)
	default:
		f.bunnyWrites(w, r, r.view.byID(path[2]))
	}
}

// bunnyLists lists zones, by pages of up to 1,000.
func (f *Fake) bunnyLists(w http.ResponseWriter, r *request) {
	q := r.URL.Query()
	found := []object{}
	for _, z := range f.zones {
		if strings.Contains(z.name, strings.ToLower(q.Get("search"))) {
			found = append(found, object{"Id": z.id, "Domain": z.name})
		}
	}
	number, per := 1, 1000
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 0 {
		number = n
	}
	if n, err := strconv.Atoi(q.Get("perPage")); err == nil && n >= 5 && n <= 1000 {
		per = n
	}
	from := min(len(found), (number-1)*per)
	to := min(len(found), from+per)
	answerJSON(w, http.StatusOK, object{"Items": found[from:to], "CurrentPage": number, "TotalItems": len(found), "HasMoreItems": to < len(found)})
}

// bunnyCreates makes a zone with the records given.
func (f *Fake) bunnyCreates(w http.ResponseWriter, r *request) {
	var given struct {
		Domain  string
		Records []bunnyRecord
	}
	if json.Unmarshal(r.body, &given) != nil || given.Domain == "" {
		bunnyFails(w, http.StatusBadRequest, "validation_error", "The domain is not valid.")
		return
	}
	z := &zone{name: given.Domain}
	for _, b := range given.Records {
		if err := f.bunnyRecord(z, b, 0); err != nil {
			bunnyFails(w, http.StatusBadRequest, "validation_error", err.Error())
			return
		}
	}
	made, ok := f.create(given.Domain)
	if !ok {
		bunnyFails(w, http.StatusBadRequest, "dnszone.zone_exists", "The domain is already taken by a DNS zone.")
		return
	}
	made.records = append(made.records, z.records...)
	answerJSON(w, http.StatusCreated, object{"Id": made.id, "Domain": made.name})
}

// bunnyRecord keeps a record as given, as that of an id unless it is 0.
func (f *Fake) bunnyRecord(z *zone, b bunnyRecord, id int) error {
	typ, data, err := b.rdata()
	if err != nil {
		return err
	}
	rec, err := f.record(z, b.Name, typ, b.TTL, data)
	if err == nil && rec.Owner == "@" && typ == "NS" {
		err = fmt.Errorf("NS records at the apex are bunny.net's own")
	}
	if err != nil {
		return err
	}
	if id != 0 {
		_, err = z.replace(id, rec)
		return err
	}
	if z.alias(rec.Owner, typ) {
		return errAlias
	}
	f.keep(z, rec) // it takes one twice
	return nil
}

func (f *Fake) bunnyAdds(w http.ResponseWriter, r *request, z *zone) {
	var b bunnyRecord
	err := json.Unmarshal(r.body, &b)
	if err == nil {
		err = f.bunnyRecord(z, b, 0)
	}
	if err != nil {
		bunnyFails(w, http.StatusBadRequest, "validation_error", err.Error())
		return
	}
	answerJSON(w, http.StatusCreated, bunnyShows(z.records[len(z.records)-1]))
}

func (f *Fake) bunnyWrites(w http.ResponseWriter, r *request, old *Record) {
	if old == nil {
		bunnyFails(w, http.StatusNotFound, "dnszone.record.not_found", "The requested record was not found.")
		return
	}
	if id := old.ID; r.Method == http.MethodDelete {
		r.view.drop(func(rec Record) bool { return rec.ID == id })
		w.WriteHeader(http.StatusNoContent)
		return
	}
	b := bunnyShows(*old) // what is left out stays
	err := json.Unmarshal(r.body, &b)
	if err == nil {
		err = f.bunnyRecord(r.view, b, old.ID)
	}
	if err != nil {
		bunnyFails(w, http.StatusBadRequest, "validation_error", err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
