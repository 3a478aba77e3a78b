package portfolio

import (
	"slices"
	"strings"
	"time"
)

// Operations of a Change.
const (
	OpCreate = "create"
	OpUpdate = "update"
	OpDelete = "delete"
)

// Plan is what an apply would do: a pure, sorted value that can be printed,
// compared, digested and saved. Its JSON is part of the contract.
type Plan struct {
	Version   int          `json:"version"` // 1
	Portfolio string       `json:"portfolio"`
	Made      time.Time    `json:"made"`
	Digest    string       `json:"digest"` // "sha256:…" over all but Made and Digest
	Domains   []DomainPlan `json:"domains"`
	Summary   Summary      `json:"summary"`

	Forced string `json:"-"` // the guard's reason, where Force lifted it
}

// NewPlan makes the plan of a portfolio from those of its domains: sorts them,
// applies the policies, counts and digests. domains is kept.
func NewPlan(portfolio string, made time.Time, domains []DomainPlan, policies ...Policy) Plan {
	slices.SortStableFunc(domains, func(a, b DomainPlan) int { return strings.Compare(a.ASCII, b.ASCII) })
	if domains == nil {
		domains = []DomainPlan{}
	}
	p := Plan{Version: 1, Portfolio: portfolio, Made: made, Domains: domains}
	return p.Apply(policies...)
}

// settled is p with its summary and digest as its domains say.
func (p Plan) settled() Plan {
	refused := p.Summary.Refused
	p.Summary = summarise(p.Domains)
	p.Summary.Refused = refused
	p.Digest = p.computeDigest()
	return p
}

// Pending reports whether an apply would write anything.
func (p Plan) Pending() bool { return p.Summary.Changed > 0 }

// Find gives the plan of one domain.
func (p Plan) Find(ascii string) (DomainPlan, bool) {
	i := slices.IndexFunc(p.Domains, func(d DomainPlan) bool { return d.ASCII == ascii })
	if i < 0 {
		return DomainPlan{}, false
	}
	return p.Domains[i], true
}

// DomainPlan is the plan of one domain. What JSON leaves out is there only in a
// plan that was made in this process.
type DomainPlan struct {
	Domain   string   `json:"domain"` // U-labels
	ASCII    string   `json:"ascii"`
	Provider string   `json:"provider"`
	Observed string   `json:"observed"` // digest of the zone that the plan was made from; empty where it couldn't be read
	Error    string   `json:"error"`
	Notes    []string `json:"notes"`   // never nil
	Changes  []Change `json:"changes"` // never nil; in the order of SortRRsets

	Name    Name         `json:"-"`
	Entry   *Domain      `json:"-"` // what the plan is for; as last accepted, where it left the list; not to be changed
	Err     error        `json:"-"` // behind Error
	Refused string       `json:"-"` // the guard's reason, where it refuses this domain alone
	Forced  string       `json:"-"` // the guard's reason, where Force lifted it
	Zone    Zone         `json:"-"` // as observed
	Marker  MarkerChange `json:"-"` // goes along with Changes, and isn't among them
	Owned   int          `json:"-"` // RRsets in the zone that count as ours
	Leaving bool         `json:"-"` // left the list
	Prune   bool         `json:"-"` // left the list, and is forgotten once this is carried out
	Away    string       `json:"-"` // who keeps the zone now, where this is for a provider that kept it before
	Stale   bool         `json:"-"` // refused because a saved plan no longer fits

	holds    bool   // the zone has more than its delegation
	unmarked []Key  // what is wanted where no marker says that it is ours
	undoes   string // the journal's entry that this rolls back
}

// MarkerChange is what becomes of a zone's marker. The zero Marker is none.
type MarkerChange struct {
	Before Marker // as observed
	After  Marker
}

// Pending reports whether an apply would write anything: changes, or the
// marker alone.
func (p DomainPlan) Pending() bool {
	return len(p.Changes) > 0 || !p.Marker.Before.Equal(p.Marker.After)
}

// lean is p without what only writing it takes, and Wanted, where there is
// nothing to write: of a large portfolio, that is nearly all.
func (p DomainPlan) lean() DomainPlan {
	if !p.Pending() {
		p.Zone.RRsets, p.Marker, p.unmarked = nil, MarkerChange{}, nil
	}
	return p
}

// After is the zone as it stands once the plan is carried out.
func (p DomainPlan) After() Zone {
	z := Zone{Name: p.Zone.Name, Serial: p.Zone.Serial, Missing: p.Zone.Missing && !p.Pending()}
	gone := map[Key]bool{}
	for _, c := range p.Changes {
		gone[c.Key()] = true
		if c.After != nil {
			z.RRsets = append(z.RRsets, c.RRset())
		}
	}
	if !p.Marker.Before.Equal(p.Marker.After) {
		gone[MarkerKey] = true
		if !p.Marker.After.IsZero() {
			z.RRsets = append(z.RRsets, p.Marker.After.RRset())
		}
	}
	for _, s := range p.Zone.RRsets {
		if !gone[s.Key()] {
			z.RRsets = append(z.RRsets, s)
		}
	}
	SortRRsets(z.RRsets)
	return z
}

// Wanted is the RRsets that are ours, or as desired, as they shall be served
// once the plan is carried out.
func (p DomainPlan) Wanted() []RRset {
	changed := map[Key]bool{}
	for _, c := range p.Changes {
		changed[c.Key()] = true
	}
	for _, k := range p.unmarked {
		changed[k] = true
	}
	var want []RRset
	for _, s := range p.After().RRsets {
		if _, ours := p.Marker.After.Find(s.Key()); ours || changed[s.Key()] {
			want = append(want, s)
		}
	}
	return want
}

// Change turns one RRset into another.
type Change struct {
	Op     string  `json:"op"`
	Name   string  `json:"name"`
	Type   string  `json:"type"`
	TTL    uint32  `json:"ttl"` // of the result; of what goes, for a delete
	Before *Before `json:"before"`
	After  *After  `json:"after"`
}

// Key gives the place of the RRset that c changes.
func (c Change) Key() Key { return Key{c.Name, c.Type} }

// RRset is what c leaves; what it removes, for a delete.
func (c Change) RRset() RRset {
	s := RRset{Name: c.Name, Type: c.Type}
	if c.After != nil {
		s.TTL, s.Data = c.After.TTL, c.After.Data
	} else if c.Before != nil {
		s.TTL, s.Data = c.Before.TTL, c.Before.Data
	}
	return s
}

func (c Change) equal(o Change) bool {
	b, p := c.Before, o.Before
	if (b == nil) != (p == nil) || b != nil && (b.TTL != p.TTL || b.Owned != p.Owned || !slices.Equal(b.Data, p.Data)) {
		return false
	}
	a, q := c.After, o.After
	if (a == nil) != (q == nil) || a != nil && (a.TTL != q.TTL || !slices.Equal(a.Data, q.Data)) {
		return false
	}
	return c.Op == o.Op && c.Key() == o.Key() && c.TTL == o.TTL
}

// Before is the RRset that a change replaces.
type Before struct {
	TTL   uint32   `json:"ttl"`
	Data  []string `json:"data"`
	Owned bool     `json:"owned"`
}

// After is the RRset that a change leaves.
type After struct {
	TTL  uint32   `json:"ttl"`
	Data []string `json:"data"`
}

// summarise counts. Domains whose marker alone changes count as changed.
func summarise(domains []DomainPlan) Summary {
	s := Summary{Domains: len(domains)}
	for i := range domains {
		d := &domains[i]
		if d.Error != "" {
			s.Failed++
			continue
		}
		if d.Pending() {
			s.Changed++
		}
		for _, c := range d.Changes {
			switch c.Op {
			case OpCreate:
				s.Create++
			case OpUpdate:
				s.Update++
			case OpDelete:
				s.Delete++
			}
		}
	}
	return s
}

// Summary counts a plan.
type Summary struct {
	Domains int    `json:"domains"`
	Changed int    `json:"changed"`
	Create  int    `json:"create"`
	Update  int    `json:"update"`
	Delete  int    `json:"delete"`
	Failed  int    `json:"failed"`
	Refused string `json:"refused"` // the guard's reason, empty where it lets the plan pass
}
