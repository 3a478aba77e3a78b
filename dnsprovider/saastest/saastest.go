// Package saastest stands in for DNS providers that can't be tried without an
// account: their HTTP APIs, as their documentation describes them, each over a
// store of zones that names, counts and refuses things as the real one does.
// Tests order faults from them.
package saastest

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Vendor is a provider's API.
type Vendor struct {
	Type     string // in the registry of dnsprovider
	Host     string // where its clients look for it
	Settings func(token string) map[string]any
	ApexNS   bool // its zones list NS records at the apex

	Deploys    bool // what is written is served once that is asked for
	WholeZones bool // it takes a new zone with its records

	Page int // the most items of a list in one answer; 0: all

	// Holds reports whether it keeps such data, in presentation form.
	Holds func(typ, data string) bool

	token  func(*request) string // the credential within a request
	writes func(*request) bool   // it may change a zone
	zone   func(*Fake, *request) string
	refuse func(w http.ResponseWriter, r *request, status int, text string) // an error, in the vendor's form
	handle func(f *Fake, w http.ResponseWriter, r *request)                 // called with f.mu held
}

// Vendors lists those that there are.
func Vendors() []Vendor {
	return []Vendor{Azure(), Bunny(), CloudDNS(), Cloudflare(), DeSEC(), DigitalOcean(), Domeneshop(), Gandi(), GleSYS(), Hetzner(), IONOS(), Loopia(), OVH(), Route53(), Simply()}
}

// request is one call, read whole.
type request struct {
	*http.Request
	body []byte
	call *loopiaCall // what the body says, once it was read
	view *zone       // the zone that reading shows; nil where it is unknown
}

// Record is a record as a zone holds it, whatever form the vendor shows it in.
type Record struct {
	ID    int // never used again
	Owner string
	RR    dns.RR // with an absolute name
}

func (r Record) typ() string { return dns.TypeToString[r.RR.Header().Rrtype] }

// data is the RDATA in presentation form.
func (r Record) data() string { return strings.TrimPrefix(r.RR.String(), r.RR.Header().String()) }

// ttl is the TTL in seconds.
func (r Record) ttl() int { return int(r.RR.Header().Ttl) }

func (r Record) String() string { return fmt.Sprintf("#%d %s", r.ID, r.RR) }

// zone is the records of a zone, in the order in which they came.
type zone struct {
	id      int
	name    string // without a dot
	records []Record
	names   []string // that stay when their records are gone
	served  []Record // where the vendor deploys
	serial  uint32   // raised by every change
}

// deploy makes the zone be served as it is.
func (z *zone) deploy() { z.served = slices.Clone(z.records) }

func (z *zone) clone() *zone {
	c := *z
	c.records, c.names, c.served = slices.Clone(z.records), slices.Clone(z.names), slices.Clone(z.served)
	return &c
}

// set gives the records of an RRset.
func (z *zone) set(owner, typ string) []Record {
	var out []Record
	for _, r := range z.records {
		if r.Owner == owner && r.typ() == typ {
			out = append(out, r)
		}
	}
	return out
}

// sets gives the zone by RRsets, in order of owner and type.
func (z *zone) sets() [][]Record {
	var out [][]Record
	seen := make(map[string]bool)
	for _, r := range z.records {
		if key := r.Owner + " " + r.typ(); !seen[key] {
			seen[key] = true
			out = append(out, z.set(r.Owner, r.typ()))
		}
	}
	slices.SortStableFunc(out, func(a, b []Record) int {
		return cmp.Or(strings.Compare(a[0].Owner, b[0].Owner), strings.Compare(a[0].typ(), b[0].typ()))
	})
	return out
}

// owners gives all names that there are.
func (z *zone) owners() []string {
	all := slices.Clone(z.names)
	for _, r := range z.records {
		all = append(all, r.Owner)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// drop removes the records that match.
func (z *zone) drop(match func(Record) bool) { z.records = slices.DeleteFunc(z.records, match) }

func (z *zone) dropSet(owner, typ string) {
	z.drop(func(r Record) bool { return r.Owner == owner && r.typ() == typ })
}

// alias reports whether a record of this type can't stand at owner, for a
// CNAME is there or would be (RFC 2181, section 10.1).
func (z *zone) alias(owner, typ string) bool {
	return slices.ContainsFunc(z.records, func(r Record) bool {
		return r.Owner == owner && (typ == "CNAME" || r.typ() == "CNAME") && (r.typ() != typ || typ == "CNAME")
	})
}

// Fake is one account at a vendor. It is safe for concurrent use.
type Fake struct {
	Vendor
	Token string // the only credential that it takes

	mu     sync.Mutex
	zones  []*zone
	last   int
	orders []*Order
	calls  []Call
	stale  map[string]*stale
	lag    int
}

// stale is what readings of a zone still show after a write.
type stale struct {
	was  *zone
	left int
}

// Call is a request that was made.
type Call struct {
	At     time.Time
	Zone   string // empty where it is about none
	Write  bool
	Status int // of the answer; 0 where it was cut off
}

// New opens an account at v with these zones, which have the vendor's own NS
// records alone.
func New(v Vendor, zones ...string) *Fake {
	f := &Fake{Vendor: v, Token: rand.Text(), stale: make(map[string]*stale)}
	for _, name := range zones {
		f.last++
		z := &zone{id: f.last, name: name}
		f.zones = append(f.zones, z)
		if v.ApexNS {
			f.put(z, "@", "NS", 3600, "ns1.saastest.example.")
			f.put(z, "@", "NS", 3600, "ns2.saastest.example.")
		}
	}
	return f
}

// Add puts records into a zone by the vendor's other means: lines as in a zone
// file, their names relative to the zone.
func (f *Fake) Add(name string, lines ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	z := f.find(name)
	for _, line := range lines {
		rr, err := dns.NewRR("$ORIGIN " + name + ".\n" + line)
		if err != nil {
			panic(err)
		}
		f.last++
		z.records = append(z.records, Record{f.last, owner(rr.Header().Name, name), rr})
	}
	z.deploy()
	z.serial++
}

// Drop takes an RRset away by the vendor's other means.
func (f *Fake) Drop(name, owner, typ string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	z := f.find(name)
	z.dropSet(owner, typ)
	z.deploy()
	z.serial++
}

// Remake takes a zone away and makes it anew, with the same records.
func (f *Fake) Remake(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	f.find(name).id = f.last
}

// Records gives what a zone really holds, sorted by text.
func (f *Fake) Records(name string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, r := range f.find(name).records {
		out = append(out, r.String())
	}
	slices.SortFunc(out, func(a, b string) int {
		_, a, _ = strings.Cut(a, " ")
		_, b, _ = strings.Cut(b, " ")
		return strings.Compare(a, b)
	})
	return out
}

// Has reports whether there is such a zone.
func (f *Fake) Has(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.find(name) != nil
}

// Calls gives the requests that were made so far.
func (f *Fake) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Lag makes the n readings after each write show what was before it.
func (f *Fake) Lag(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lag = n
}

func (f *Fake) find(name string) *zone {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	i := slices.IndexFunc(f.zones, func(z *zone) bool { return z.name == name })
	if i < 0 {
		return nil
	}
	return f.zones[i]
}

// record makes a record as the vendor would: from data in presentation form,
// which it refuses where it can't be read.
func (f *Fake) record(z *zone, owner, typ string, ttl int, data string) (Record, error) {
	host := z.name + "."
	if owner = strings.ToLower(owner); owner != "@" && owner != "" {
		host = owner + "." + host
	} else {
		owner = "@"
	}
	rr, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", host, ttl, typ, data))
	if err == nil && rr == nil {
		err = fmt.Errorf("%s %s has no data", owner, typ)
	}
	if err != nil {
		return Record{}, err
	}
	return Record{RR: rr, Owner: owner}, nil
}

// keep adds a record to the zone.
func (f *Fake) keep(z *zone, r Record) Record {
	f.last++
	r.ID = f.last
	z.records = append(z.records, r)
	return r
}

// put is record and keep.
func (f *Fake) put(z *zone, owner, typ string, ttl int, data string) (Record, error) {
	r, err := f.record(z, owner, typ, ttl, data)
	if err != nil {
		return r, err
	}
	return f.keep(z, r), nil
}

// same reports whether two records have the same data.
func same(a, b Record) bool { return a.Owner == b.Owner && dns.IsDuplicate(a.RR, b.RR) }

// owner gives a name relative to a zone, "@" for the zone itself.
func owner(name, zone string) string {
	name, zone = strings.TrimSuffix(strings.ToLower(name), "."), strings.TrimSuffix(zone, ".")
	if name == zone || name == "" {
		return "@"
	}
	return strings.TrimSuffix(name, "."+zone)
}
