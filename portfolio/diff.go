package portfolio

import (
	"fmt"
	"slices"
	"strings"
)

// Diff compares what a zone shall hold with what it holds, and says what makes
// the one into the other. It is pure and asks for nothing else: who may do it
// is up to policies and the guard. portfolioID is Portfolio.ID.
//
// What must not be touched is settled first: the SOA, the apex NS unless the
// entry declares them, _acme-challenge*, the ignore patterns, mail and CAA
// where they would harm what others have in the zone. Then each remaining
// RRset is compared whole, but for TXT, which others may share.
//
// The error of a zone that can't be planned, such as another portfolio's
// marker, is in Err and Error of the result, which then holds no changes.
// Observed is left to who makes a plan that may be saved.
func Diff(des Desired, obs Zone, portfolioID string) DomainPlan {
	p := newDomainPlan(des.Domain)
	p.Zone, p.holds = obs, obs.holdsMore()
	d := differ{des: &des, mode: des.Domain.DNS.Ownership}
	if err := d.run(obs, MarkerID(portfolioID)); err != nil {
		p.fail(err)
		return p
	}
	p.Notes = append(p.Notes, des.Notes...)
	p.Notes = append(p.Notes, d.notes...)
	p.Changes = append(p.Changes, d.changes...)
	p.Marker = MarkerChange{d.before, d.after}
	p.Owned = d.ownedCount()
	if d.mode == OwnNone {
		p.unmarked = keysOf(des.Wants)
	}
	return p
}

func keysOf(wants []Want) []Key {
	keys := make([]Key, len(wants))
	for i := range wants {
		keys[i] = wants[i].Key()
	}
	return keys
}

// newDomainPlan is the plan that does nothing.
func newDomainPlan(d *Domain) DomainPlan {
	return DomainPlan{
		Domain: d.Name.Unicode(), ASCII: d.Name.ASCII(), Provider: d.Provider,
		Notes: []string{}, Changes: []Change{}, Name: d.Name, Entry: d,
	}
}

func (p *DomainPlan) fail(err error) {
	p.Err, p.Error = err, err.Error()
	p.Changes, p.Marker.After = []Change{}, p.Marker.Before
}

// differ is one Diff under way.
type differ struct {
	des     *Desired
	mode    string
	before  Marker
	after   Marker
	rows    []row
	adopted []string
	notes   []string
	changes []Change
}

// row is all that is known of one key.
type row struct {
	Key
	want  *Want
	obs   *RRset
	own   *Owned
	off   offReason
	inWay bool // must go, so that something else of its name can be
}

// offReason is why a row is left as observed.
type offReason uint8

const (
	notOff   offReason = iota
	offNever           // never touched
	offHeld            // not now, or not by us; what is ours stays ours
	offMail            // a shared TXT RRset, whose mail lock alone is held
)

func (d *differ) run(obs Zone, id string) error {
	if d.des.Err != nil {
		return d.des.Err
	}
	marker, err := readMarker(d.des.Domain.Name, obs, id)
	if err != nil {
		return err
	}
	d.before = marker
	owned := marker.Owned
	if d.mode == OwnNone {
		owned = nil
	}
	d.rows = joinRows(d.des.Wants, obs.RRsets, owned)
	d.settle()
	d.protectMail()
	if err := d.clearWay(); err != nil {
		return err
	}
	d.protectFromCAA()
	d.after = Marker{Owned: make([]Owned, 0, len(d.rows))}
	for i := range d.rows {
		d.compare(&d.rows[i])
	}
	d.finishMarker(id)
	return nil
}

// compareKeys orders as SortRRsets does.
func compareKeys(a, b Key) int {
	if a.Name == b.Name {
		return strings.Compare(a.Type, b.Type)
	}
	return compareOwners(a.Name, b.Name)
}

// joinRows lays three lists in the order of SortRRsets side by side.
func joinRows(wants []Want, obs []RRset, owned []Owned) []row {
	if !slices.IsSortedFunc(obs, compareRRsets) {
		obs = slices.Clone(obs)
		SortRRsets(obs)
	}
	rows := make([]row, 0, max(len(wants), len(obs))+4)
	for len(wants)+len(obs)+len(owned) > 0 {
		rows = append(rows, row{Key: lowestKey(wants, obs, owned)})
		r := &rows[len(rows)-1]
		if len(wants) > 0 && wants[0].Key() == r.Key {
			r.want, wants = &wants[0], wants[1:]
		}
		if len(obs) > 0 && obs[0].Key() == r.Key {
			r.obs, obs = &obs[0], obs[1:]
		}
		if len(owned) > 0 && owned[0].Key == r.Key {
			r.own, owned = &owned[0], owned[1:]
		}
	}
	return rows
}

// lowestKey gives the first of the keys at the lists' heads: most often it is the
// same in all. One of the lists has a head.
func lowestKey(wants []Want, obs []RRset, owned []Owned) (key Key) {
	lower := func(k Key) bool { return key.Type == "" || k != key && compareKeys(k, key) < 0 }
	if len(wants) > 0 {
		key = wants[0].Key()
	}
	if len(obs) > 0 {
		if k := obs[0].Key(); lower(k) {
			key = k
		}
	}
	if len(owned) > 0 && lower(owned[0].Key) {
		key = owned[0].Key
	}
	return key
}

// compare settles one row: its change, and whether it is ours afterwards.
func (d *differ) compare(r *row) {
	switch {
	case r.off == offNever || r.off == offHeld:
		if r.want != nil && r.off == offNever {
			d.note("%s %s is left out: it matches what is never touched", r.Name, r.Type)
		}
		if r.own != nil && r.obs != nil {
			d.after.Owned = append(d.after.Owned, *r.own)
		}
	case r.Type == "TXT" && !r.inWay:
		d.compareTXT(r)
	default:
		d.compareWhole(r)
	}
}

func (d *differ) compareWhole(r *row) {
	if r.want == nil {
		if r.obs != nil && (r.inWay || d.mayDelete(r)) {
			d.change(r, nil)
		}
		return
	}
	if r.Key != apexNS {
		d.own(r, nil)
	}
	switch {
	case r.obs == nil || r.obs.TTL != r.want.TTL || !slices.Equal(r.obs.Data, r.want.Data):
		d.change(r, &After{TTL: r.want.TTL, Data: r.want.Data})
	case r.own == nil && r.Key != apexNS:
		d.adopt(r)
	}
}

// mayDelete reports whether an RRset that nobody wants is ours to remove.
func (d *differ) mayDelete(r *row) bool {
	return r.own != nil || d.mode == OwnExclusive
}

// own lists r in the marker, with the hashes of our values for TXT.
func (d *differ) own(r *row, values []string) {
	d.after.Owned = append(d.after.Owned, Owned{Key: r.Key, Values: values})
}

func (d *differ) adopt(r *row) {
	if d.mode != OwnNone {
		d.adopted = append(d.adopted, r.Name+" "+r.Type)
	}
}

func (d *differ) change(r *row, after *After) {
	d.changes = append(d.changes, newChange(r.Key, r.obs, r.own != nil, after))
}

// newChange turns what is observed at k, nil for nothing, into after.
func newChange(k Key, obs *RRset, owned bool, after *After) Change {
	c := Change{Name: k.Name, Type: k.Type, After: after}
	if obs != nil {
		c.Before = &Before{TTL: obs.TTL, Data: obs.Data, Owned: owned}
		c.TTL = obs.TTL
	}
	switch {
	case after == nil:
		c.Op = OpDelete
	case obs == nil:
		c.Op, c.TTL = OpCreate, after.TTL
	default:
		c.Op, c.TTL = OpUpdate, after.TTL
	}
	return c
}

func (d *differ) note(format string, args ...any) {
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
}

// ownedCount counts the RRsets in the zone that the guard measures deletes by.
func (d *differ) ownedCount() int {
	n := 0
	for i := range d.rows {
		r := &d.rows[i]
		if r.obs != nil && (r.own != nil || d.mode == OwnExclusive && r.off == notOff) {
			n++
		}
	}
	return n
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
