package portfolio

// Key names an RRset within a zone.
type Key struct {
	Name string // owner name relative to the zone: "@", "www", "*", "_dmarc"
	Type string // "A", "TXT", …
}

// RRset is the unit of all comparison: all records of one owner name and type.
// Values come from NewRRset, which makes them canonical, so that two spellings
// of one record are equal.
type RRset struct {
	Name string   `json:"name"` // as Key.Name: lower-case A-labels relative to the zone
	Type string   `json:"type"`
	TTL  uint32   `json:"ttl"`  // seconds
	Data []string `json:"data"` // canonical RDATA, sorted, without duplicates
}

// Key gives the RRset's place in its zone.
func (s RRset) Key() Key { return Key{s.Name, s.Type} }

// Zone is what a provider holds for one domain.
type Zone struct {
	Name    Name
	Missing bool    // the provider has no such zone
	RRsets  []RRset // canonical, in SortRRsets order, without the SOA
	Serial  uint32  // of the SOA; 0 where the provider doesn't tell
}
