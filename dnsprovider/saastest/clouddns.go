package saastest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// CloudDNS is Google Cloud DNS v1 at
// https://cloud.google.com/dns/docs/reference/rest/v1: changes that hold whole or
// not at all, and that take away what is there exactly; lists in pages; tokens for
// the signature of a service account.
func CloudDNS() Vendor {
	return Vendor{
		Type: "googleclouddns", Host: "dns.googleapis.com", ApexNS: true, Page: cloudPage,
		Settings: func(token string) map[string]any {
			return map[string]any{"gcp_project": "p1", "gcp_application_default": cloudKey(token), "create_zones": true}
		},
		token: func(r *request) string {
			if login, token := cloudLogin(r); login {
				return token
			}
			return bearer("Bearer")(r)
		},
		writes: func(r *request) bool {
			login, _ := cloudLogin(r)
			return byMethod(r) && !login
		},
		zone: func(f *Fake, r *request) string {
			if id := r.segments(cloudZones)[0]; id != "" {
				return f.zoneByID(strings.TrimPrefix(id, "z"))
			}
			return strings.TrimSuffix(r.URL.Query().Get("dnsName"), ".")
		},
		refuse: func(w http.ResponseWriter, _ *request, status int, text string) { cloudFails(w, status, text) },
		handle: cloudDNS,
	}
}

const (
	cloudZones = "/dns/v1/projects/p1/managedZones"
	cloudPage  = 100
)

// cloudKeys makes one key for all: that takes a while.
var cloudKeys = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
})

// cloudKey gives the file of a service account, whose login tells the token.
func cloudKey(token string) string {
	text, err := json.Marshal(object{"type": "service_account", "project_id": "p1", "private_key_id": "k1", "private_key": cloudKeys(),
		"client_email": "domherre@p1.example", "token_uri": "https://dns.googleapis.com/token/" + token})
	if err != nil {
		panic(err)
	}
	path := filepath.Join(os.TempDir(), "saastest-"+token+".json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		panic(err)
	}
	return path
}

// cloudLogin tells a request for a token, and whose it is: the signature is
// that of a key of ours.
func cloudLogin(r *request) (login bool, token string) {
	token, login = strings.CutPrefix(r.URL.Path, "/token/")
	if !login || !strings.Contains(string(r.body), "assertion=") {
		return login, ""
	}
	return true, token
}

func cloudFails(w http.ResponseWriter, status int, text string) {
	reason := map[int]string{404: "notFound", 409: "alreadyExists", 412: "conditionNotMet"}[status]
	answerJSON(w, status, object{"error": object{"code": status, "message": text, "errors": []object{{"reason": reason, "message": text}}}})
}

// cloudSet is an RRset as the API has it.
type cloudSet struct {
	Name string   `json:"name"`
	Type string   `json:"type"`
	TTL  int      `json:"ttl"`
	Data []string `json:"rrdatas"`
}

func cloudShows(set []Record) cloudSet {
	out := cloudSet{Name: set[0].RR.Header().Name, Type: set[0].typ(), TTL: set[0].ttl()}
	for _, r := range set {
		out.Data = append(out.Data, r.data())
	}
	return out
}

func cloudZone(z *zone) object {
	return object{"id": strconv.Itoa(z.id), "name": "z" + strconv.Itoa(z.id), "dnsName": z.name + ".", "visibility": "public"}
}

func cloudDNS(f *Fake, w http.ResponseWriter, r *request) {
	login, _ := cloudLogin(r)
	switch path := r.segments(cloudZones); {
	case login:
		answerJSON(w, http.StatusOK, object{"access_token": f.Token, "token_type": "Bearer", "expires_in": 3600})
	case path[0] == "" && r.Method == http.MethodPost:
		f.cloudCreates(w, r)
	case path[0] == "":
		zones := []object{}
		for _, z := range f.zones {
			if name := r.URL.Query().Get("dnsName"); name == "" || name == z.name+"." {
				zones = append(zones, cloudZone(z))
			}
		}
		cloudList(w, r, "managedZones", zones)
	case r.view == nil:
		cloudFails(w, http.StatusNotFound, "The 'parameters.managedZone' resource named '"+path[0]+"' does not exist.")
	case r.Method == http.MethodGet:
		sets := []cloudSet{}
		for _, set := range r.view.sets() {
			sets = append(sets, cloudShows(set))
		}
		cloudList(w, r, "rrsets", sets)
	default:
		f.cloudChanges(w, r)
	}
}

func cloudList[T any](w http.ResponseWriter, r *request, name string, all []T) {
	from, _ := strconv.Atoi(r.URL.Query().Get("pageToken"))
	from = min(from, len(all))
	to := min(len(all), from+cloudPage)
	answer := object{name: all[from:to]}
	if to < len(all) {
		answer["nextPageToken"] = strconv.Itoa(to)
	}
	answerJSON(w, http.StatusOK, answer)
}

func (f *Fake) cloudCreates(w http.ResponseWriter, r *request) {
	var given struct{ Name, DNSName, Description string }
	if json.Unmarshal(r.body, &given) != nil || given.Name == "" || given.Description == "" {
		cloudFails(w, http.StatusBadRequest, "The 'entity.managedZone' parameter is required.")
		return
	}
	z, ok := f.create(strings.TrimSuffix(given.DNSName, "."))
	if !ok {
		cloudFails(w, http.StatusConflict, "The resource 'entity.managedZone' named '"+given.Name+"' already exists")
		return
	}
	answerJSON(w, http.StatusOK, cloudZone(z))
}

func (f *Fake) cloudChanges(w http.ResponseWriter, r *request) {
	var given struct{ Additions, Deletions []cloudSet }
	if json.Unmarshal(r.body, &given) != nil {
		cloudFails(w, http.StatusBadRequest, "invalid")
		return
	}
	changed := r.view.clone()
	for _, g := range given.Deletions {
		set := changed.set(owner(g.Name, changed.name), g.Type)
		if len(set) == 0 || !slices.Equal(cloudShows(set).Data, g.Data) || set[0].ttl() != g.TTL {
			cloudFails(w, http.StatusPreconditionFailed, "Precondition not met for 'entity.change.deletions'")
			return
		}
		changed.dropSet(set[0].Owner, g.Type)
	}
	for _, g := range given.Additions {
		name := owner(g.Name, changed.name)
		if len(changed.set(name, g.Type)) > 0 {
			cloudFails(w, http.StatusConflict, "The resource 'entity.change.additions' named '"+g.Name+"' already exists")
			return
		}
		for _, data := range g.Data {
			rec, err := f.record(changed, name, g.Type, g.TTL, data)
			if err == nil {
				_, err = f.insert(changed, rec)
			}
			if err != nil {
				cloudFails(w, http.StatusBadRequest, "Invalid value for 'entity.change.additions': "+err.Error())
				return
			}
		}
	}
	*r.view = *changed
	answerJSON(w, http.StatusOK, object{"id": "1", "status": "pending"})
}
