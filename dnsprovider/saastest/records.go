package saastest

import (
	"errors"
	"slices"
	"strconv"
)

// What most vendors refuse.
var (
	errTwice = errors.New("an identical record exists already")
	errAlias = errors.New("a CNAME can't stand beside other records")
)

// insert adds a record, unless it is there already or an alias is in the way.
func (f *Fake) insert(z *zone, r Record) (Record, error) {
	if slices.ContainsFunc(z.records, func(o Record) bool { return same(o, r) }) {
		return r, errTwice
	}
	if z.alias(r.Owner, r.typ()) {
		return r, errAlias
	}
	return f.keep(z, r), nil
}

// replace makes the record of an id another.
func (z *zone) replace(id int, r Record) (Record, error) {
	r.ID = id
	for _, o := range z.records {
		if o.ID != id && same(o, r) {
			return r, errTwice
		}
	}
	for i := range z.records {
		if z.records[i].ID == id {
			z.records[i] = r
		}
	}
	return r, nil
}

// byID gives the record that a path names; nil where there is none.
func (z *zone) byID(id string) *Record {
	n, err := strconv.Atoi(id)
	i := slices.IndexFunc(z.records, func(r Record) bool { return r.ID == n })
	if err != nil || i < 0 {
		return nil
	}
	return &z.records[i]
}

// zoneByID gives the name of the zone that a path names by its id; else "".
func (f *Fake) zoneByID(id string) string {
	for _, z := range f.zones {
		if strconv.Itoa(z.id) == id {
			return z.name
		}
	}
	return ""
}

// create makes a zone that isn't there yet.
func (f *Fake) create(name string) (*zone, bool) {
	if f.find(name) != nil {
		return nil, false
	}
	f.last++
	z := &zone{id: f.last, name: name}
	f.zones = append(f.zones, z)
	if f.ApexNS {
		f.put(z, "@", "NS", 3600, "ns1.saastest.example.")
		f.put(z, "@", "NS", 3600, "ns2.saastest.example.")
	}
	return z, true
}

// header gives the credential of a header of the vendor's own.
func header(name string) func(*request) string {
	return func(r *request) string { return r.Header.Get(name) }
}
