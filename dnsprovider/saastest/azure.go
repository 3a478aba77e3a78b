package saastest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// Azure is Azure DNS at https://learn.microsoft.com/rest/api/dns/: RRsets written
// whole, each type by fields of its own, lists in pages with the address of the
// next, tokens from a login of their own.
func Azure() Vendor {
	return Vendor{
		Type: "azure", Host: "management.azure.com", ApexNS: true, Page: azurePage,
		Settings: func(token string) map[string]any {
			return map[string]any{"subscription_id": "s1", "resource_group_name": "dns", "tenant_id": "t1", "client_id": "c1", "client_secret": token, "create_zones": true}
		},
		token: func(r *request) string {
			if r.URL.Path != azureLogin {
				return bearer("Bearer")(r)
			}
			form, err := url.ParseQuery(string(r.body))
			if err != nil || form.Get("grant_type") != "client_credentials" {
				return ""
			}
			return form.Get("client_secret")
		},
		writes: func(r *request) bool { return byMethod(r) && r.URL.Path != azureLogin },
		zone:   func(_ *Fake, r *request) string { return r.segments(azureZones)[0] },
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) { azureFails(w, status, text, text) },
		handle: azure,
		Holds: func(typ, data string) bool {
			return azureTypes[typ] && data != "0 ." && (typ != "TXT" || utf8Text(unescape(data)))
		},
	}
}

const (
	azureLogin = "/t1/oauth2/v2.0/token"
	azureZones = "/subscriptions/s1/resourceGroups/dns/providers/Microsoft.Network/dnsZones"
	azurePage  = 100
)

var azureTypes = map[string]bool{"A": true, "AAAA": true, "CAA": true, "CNAME": true, "MX": true, "NS": true, "PTR": true, "SRV": true, "TXT": true}

func azureFails(w http.ResponseWriter, status int, code, text string) {
	answerJSON(w, status, object{"error": object{"code": code, "message": text}, "code": code, "message": text})
}

// azureFields are the properties of a type: where its records stand, and the
// fields of each, in the order of the presentation form.
var azureFields = map[string][]string{
	"A": {"ARecords", "ipv4Address"}, "AAAA": {"AAAARecords", "ipv6Address"}, "CNAME": {"CNAMERecord", "cname"},
	"MX": {"MXRecords", "preference", "exchange"}, "NS": {"NSRecords", "nsdname"}, "PTR": {"PTRRecords", "ptrdname"},
	"SRV": {"SRVRecords", "priority", "weight", "port", "target"}, "CAA": {"caaRecords", "flags", "tag", "value"}, "TXT": {"TXTRecords", "value"},
}

func azureShows(z *zone, set []Record) object {
	typ, properties := set[0].typ(), object{"TTL": set[0].ttl(), "fqdn": set[0].RR.Header().Name, "provisioningState": "Succeeded", "targetResource": object{}}
	fields := azureFields[typ]
	if typ == "SOA" {
		properties["SOARecord"] = object{"host": "ns1.saastest.example."}
	}
	var records []object
	for _, r := range set {
		o := object{}
		if txt, ok := r.RR.(*dns.TXT); ok {
			var parts []string
			for _, s := range txt.Txt {
				parts = append(parts, unescape(s))
			}
			o["value"] = parts
		} else if len(fields) > 0 {
			for i, word := range strings.SplitN(r.data(), " ", len(fields)-1) {
				o[fields[i+1]] = azureValue(fields[i+1], word)
			}
		}
		records = append(records, o)
	}
	if typ == "CNAME" {
		properties["CNAMERecord"] = records[0]
	} else if len(fields) > 0 {
		properties[fields[0]] = records
	}
	return object{"id": azureZones + "/" + z.name + "/" + typ + "/" + set[0].Owner, "name": set[0].Owner,
		"type": "Microsoft.Network/dnszones/" + typ, "etag": "1", "properties": properties}
}

// azureValue gives a field as JSON has it.
func azureValue(field, word string) any {
	switch field {
	case "preference", "priority", "weight", "port", "flags":
		n, _ := strconv.Atoi(word)
		return n
	case "value":
		return unescape(strings.Trim(word, `"`))
	}
	return word
}

func azure(f *Fake, w http.ResponseWriter, r *request) {
	path := r.segments(azureZones)
	switch {
	case r.URL.Path == azureLogin:
		answerJSON(w, http.StatusOK, object{"token_type": "Bearer", "expires_in": 3599, "access_token": f.Token})
	case r.URL.Query().Get("api-version") != "2018-05-01":
		azureFails(w, http.StatusBadRequest, "InvalidApiVersionParameter", "The api-version is invalid.")
	case path[0] == "":
		zones := []object{}
		for _, z := range f.zones {
			zones = append(zones, object{"name": z.name, "type": "Microsoft.Network/dnszones", "location": "global"})
		}
		azureList(w, r, zones)
	case r.view == nil && len(path) == 1 && r.Method == http.MethodPut:
		z, _ := f.create(path[0])
		answerJSON(w, http.StatusCreated, object{"name": z.name})
	case r.view == nil:
		azureFails(w, http.StatusNotFound, "ParentResourceNotFound", "The DNS zone could not be found.")
	case path[1] == "recordsets":
		sets := []object{}
		for _, set := range r.view.sets() {
			sets = append(sets, azureShows(r.view, set))
		}
		azureList(w, r, sets)
	case r.Method == http.MethodDelete:
		r.view.dropSet(path[2], path[1])
		w.WriteHeader(http.StatusOK)
	default:
		f.azurePuts(w, r, path[1], path[2])
	}
}

// azureList gives a page of a list.
func azureList(w http.ResponseWriter, r *request, all []object) {
	from, _ := strconv.Atoi(r.URL.Query().Get("$skipToken"))
	from = min(from, len(all))
	to := min(len(all), from+azurePage)
	answer := object{"value": all[from:to]}
	if to < len(all) {
		answer["nextLink"] = "https://management.azure.com" + r.URL.Path + "?api-version=2018-05-01&$skipToken=" + strconv.Itoa(to)
	}
	answerJSON(w, http.StatusOK, answer)
}

func (f *Fake) azurePuts(w http.ResponseWriter, r *request, typ, name string) {
	var given struct{ Properties map[string]json.RawMessage }
	var ttl int
	if json.Unmarshal(r.body, &given) != nil || json.Unmarshal(given.Properties["TTL"], &ttl) != nil || !azureTypes[typ] {
		azureFails(w, http.StatusBadRequest, "BadRequest", "The request is invalid.")
		return
	}
	changed := r.view.clone()
	changed.dropSet(name, typ)
	lines, err := azureData(typ, given.Properties[azureFields[typ][0]])
	for _, data := range lines {
		var rec Record
		if rec, err = f.record(changed, name, typ, ttl, data); err == nil {
			_, err = f.insert(changed, rec)
		}
		if err != nil {
			break
		}
	}
	if err != nil || len(lines) == 0 {
		azureFails(w, http.StatusBadRequest, "BadRequest", fmt.Sprintf("The record set is invalid: %v", err))
		return
	}
	*r.view = *changed
	answerJSON(w, http.StatusOK, azureShows(r.view, r.view.set(name, typ)))
}

// azureData gives records in presentation form.
func azureData(typ string, text json.RawMessage) ([]string, error) {
	if typ == "CNAME" {
		text = json.RawMessage("[" + string(text) + "]")
	}
	var records []map[string]any
	if err := json.Unmarshal(text, &records); err != nil {
		return nil, err
	}
	var lines []string
	for _, rec := range records {
		var words []string
		for _, field := range azureFields[typ][1:] {
			switch v := rec[field].(type) {
			case []any:
				for _, part := range v {
					if s := fmt.Sprint(part); len(s) > 255 {
						return nil, fmt.Errorf("a string has more than 255 octets")
					}
					words = append(words, quote(fmt.Sprint(part)))
				}
			case string:
				if typ == "CAA" && field == "value" {
					v = quote(v)
				}
				if v == "." {
					return nil, fmt.Errorf("the exchange is not valid")
				}
				words = append(words, v)
			default:
				words = append(words, fmt.Sprint(v))
			}
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return lines, nil
}
