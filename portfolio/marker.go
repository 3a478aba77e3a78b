package portfolio

// Marker is the content of the TXT RRset at _domherre.<zone>: which portfolio
// manages the zone, and which RRsets in it are its own.
type Marker struct {
	Portfolio string           // opaque id, not the campaign's name
	Owned     map[Key][]string // nil value: the whole RRset; else hashes of our values in a shared TXT RRset
}
