package redirect

import (
	"iter"
	"maps"
	"math/bits"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Class tells people from machines, as well as a User-Agent can.
type Class int

// Classes of visitors. Own requests aren't counted.
const (
	Person Class = iota
	Bot
	Own
)

// String is what reports call the class.
func (c Class) String() string {
	switch c {
	case Person:
		return "person"
	case Bot:
		return "bot"
	}
	return "own"
}

// Hits counts visits by domain, status code and class, and nothing else: a
// User-Agent is looked at and forgotten. All methods may be called by any number
// of goroutines.
type Hits struct {
	own     string
	agents  agents
	domains atomic.Pointer[map[string]*domainHits] // replaced, never changed
	lanes   sync.Pool                              // of *int, one for each processor
	next    atomic.Uint32
	width   int        // lanes
	mu      sync.Mutex // held while counters are made
}

// domainHits are the counters of one domain, one per status code, each made at
// its first use.
type domainHits [len(hitCodes)]atomic.Pointer[[]hitCell]

// hitCodes are those of redirects and of paused sites.
var hitCodes = [...]int{
	http.StatusFound, http.StatusMovedPermanently, http.StatusSeeOther,
	http.StatusTemporaryRedirect, http.StatusPermanentRedirect, http.StatusGone,
}

// hitCell is one lane of a counter, alone in its line of a processor's cache.
type hitCell struct {
	n [Own]atomic.Int64
	_ [48]byte
}

const maxLanes = 8 // 512 octets for each domain and code

// NewHits makes counters that stand at 0. own is the User-Agent of requests that
// aren't counted.
func NewHits(own string) *Hits {
	width := min(maxLanes, 1<<bits.Len(uint(runtime.GOMAXPROCS(0)-1)))
	h := &Hits{own: own, width: width}
	h.agents.init()
	h.lanes.New = func() any {
		lane := int(h.next.Add(1)) % width
		return &lane
	}
	h.domains.Store(&map[string]*domainHits{})
	return h
}

// Domains names domains that are counted from now on, beside those before.
func (h *Hits) Domains(names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := maps.Clone(*h.domains.Load())
	for _, name := range names {
		if next[name] == nil {
			next[name] = new(domainHits)
		}
	}
	h.domains.Store(&next)
}

// Visited counts a visit, as Options.Visited wants it. It neither locks nor
// allocates, but for the first visits of a domain or by a User-Agent. Domains
// that weren't named, and codes other than redirects' and 410, aren't counted.
func (h *Hits) Visited(domain string, code int, agent string) {
	at := slices.Index(hitCodes[:], code)
	of := (*h.domains.Load())[domain]
	if of == nil || at < 0 || agent == h.own {
		return
	}
	cells := of[at].Load()
	if cells == nil {
		cells = h.cells(&of[at])
	}
	lane := h.lanes.Get().(*int)
	(*cells)[*lane].n[h.agents.class(agent)].Add(1)
	h.lanes.Put(lane)
}

func (h *Hits) cells(of *atomic.Pointer[[]hitCell]) *[]hitCell {
	h.mu.Lock()
	defer h.mu.Unlock()
	cells := of.Load()
	if cells == nil {
		made := make([]hitCell, h.width)
		cells = &made
		of.Store(cells)
	}
	return cells
}

// Hit is one count.
type Hit struct {
	Domain string
	Code   int
	Class  Class
	N      int64
}

// All gives the counts so far, since NewHits; those of 0 are left out.
func (h *Hits) All() iter.Seq[Hit] {
	return func(yield func(Hit) bool) {
		for domain, of := range *h.domains.Load() {
			for at := range of {
				if cells := of[at].Load(); cells != nil && !yieldCells(yield, Hit{Domain: domain, Code: hitCodes[at]}, *cells) {
					return
				}
			}
		}
	}
}

func yieldCells(yield func(Hit) bool, hit Hit, cells []hitCell) bool {
	for class := range Own {
		hit.Class, hit.N = class, 0
		for i := range cells {
			hit.N += cells[i].n[class].Load()
		}
		if hit.N > 0 && !yield(hit) {
			return false
		}
	}
	return true
}
