package lab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/idna"
)

// RDAP is the registries' data service (RFC 9082, 9083), one base URL a TLD.
type RDAP struct {
	registry *Registry
	listener *httpListener
	refuse   atomic.Int64 // seconds for Retry-After; 0 answers
}

// StartRDAP serves what the registry knows, by plain HTTP.
func StartRDAP(listen string, registry *Registry) (*RDAP, error) {
	r := &RDAP{registry: registry}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{tld}/domain/{name}", r.domain)
	var err error
	if r.listener, err = listenHTTP(listen, nil, mux); err != nil {
		return nil, fmt.Errorf("lab's RDAP: %w", err)
	}
	return r, nil
}

// Bases gives the base URL of each TLD: "se" → "http://127.0.0.1:14080/se/".
func (r *RDAP) Bases() map[string]string {
	bases := map[string]string{}
	for _, tld := range TLDs() {
		label := strings.TrimSuffix(tld, ".")
		bases[label] = "http://" + r.listener.addr.String() + "/" + label + "/"
	}
	return bases
}

// Refuse answers every look-up with 429 and a Retry-After of this many
// seconds, until it is called with 0.
func (r *RDAP) Refuse(seconds int) { r.refuse.Store(int64(seconds)) }

// Close stops the server.
func (r *RDAP) Close() error { return r.listener.Close() }

func (r *RDAP) domain(w http.ResponseWriter, req *http.Request) {
	if after := r.refuse.Load(); after > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(after, 10))
		rdapError(w, http.StatusTooManyRequests, "Too many look-ups")
		return
	}
	sld, err := secondLevel(req.PathValue("name"))
	if err != nil || parent(sld) != req.PathValue("tld")+"." {
		rdapError(w, http.StatusBadRequest, "Not a name of this registry")
		return
	}
	reg, ok := r.registry.Lookup(sld)
	if !ok {
		rdapError(w, http.StatusNotFound, "Not registered")
		return
	}
	writeRDAP(w, http.StatusOK, rdapDomain(reg))
}

// rdapDocument is the part of an RDAP domain object that the lab fills in
// (RFC 9083, section 5.3).
type rdapDocument struct {
	Conformance []string         `json:"rdapConformance"`
	Class       string           `json:"objectClassName"`
	Handle      string           `json:"handle"`
	LDHName     string           `json:"ldhName"`
	UnicodeName string           `json:"unicodeName,omitempty"`
	Status      []string         `json:"status"`
	Events      []rdapEvent      `json:"events"`
	Entities    []rdapEntity     `json:"entities"`
	Nameservers []rdapNameserver `json:"nameservers"`
	SecureDNS   rdapSecureDNS    `json:"secureDNS"`
}

type rdapEvent struct {
	Action string    `json:"eventAction"`
	Date   time.Time `json:"eventDate"`
}

type rdapEntity struct {
	Class  string   `json:"objectClassName"`
	Handle string   `json:"handle"`
	Roles  []string `json:"roles"`
}

type rdapNameserver struct {
	Class   string `json:"objectClassName"`
	LDHName string `json:"ldhName"`
}

type rdapSecureDNS struct {
	Signed bool     `json:"delegationSigned"`
	DS     []rdapDS `json:"dsData,omitempty"`
}

type rdapDS struct {
	KeyTag     uint16 `json:"keyTag"`
	Algorithm  uint8  `json:"algorithm"`
	DigestType uint8  `json:"digestType"`
	Digest     string `json:"digest"`
}

func rdapDomain(reg Registration) rdapDocument {
	ascii := strings.TrimSuffix(reg.Name, ".")
	doc := rdapDocument{
		Conformance: []string{"rdap_level_0"},
		Class:       "domain",
		Handle:      "LAB-" + ascii,
		LDHName:     ascii,
		Status:      reg.Status,
		Events: []rdapEvent{
			{"registration", reg.Registered.UTC()},
			{"expiration", reg.Expires.UTC()},
		},
		Entities: []rdapEntity{{"entity", "LAB-REGISTRAR", []string{"registrar"}}},
	}
	if unicode, err := idna.Lookup.ToUnicode(ascii); err == nil && unicode != ascii {
		doc.UnicodeName = unicode
	}
	for _, ns := range reg.Nameservers {
		doc.Nameservers = append(doc.Nameservers, rdapNameserver{"nameserver", strings.TrimSuffix(ns.Name, ".")})
	}
	for _, ds := range reg.DS {
		doc.SecureDNS.Signed = true
		doc.SecureDNS.DS = append(doc.SecureDNS.DS, rdapDS{ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest})
	}
	return doc
}

// rdapError answers with an error object (RFC 9083, section 6).
func rdapError(w http.ResponseWriter, code int, title string) {
	writeRDAP(w, code, struct {
		Conformance []string `json:"rdapConformance"`
		Code        int      `json:"errorCode"`
		Title       string   `json:"title"`
	}{[]string{"rdap_level_0"}, code, title})
}

func writeRDAP(w http.ResponseWriter, code int, doc any) {
	w.Header().Set("Content-Type", "application/rdap+json")
	w.WriteHeader(code)
	// A client that went away is no concern of the lab.
	_ = json.NewEncoder(w).Encode(doc)
}
