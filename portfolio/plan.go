package portfolio

import "time"

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
}

// DomainPlan is the plan of one domain.
type DomainPlan struct {
	Domain   string   `json:"domain"` // U-labels
	ASCII    string   `json:"ascii"`
	Provider string   `json:"provider"`
	Observed string   `json:"observed"` // digest of the zone that the plan was made from
	Error    string   `json:"error"`
	Notes    []string `json:"notes"`
	Changes  []Change `json:"changes"`

	Name    Name   `json:"-"`
	Refused string `json:"-"` // the guard's reason, where it refuses this domain alone
	Zone    Zone   `json:"-"` // as observed
	Marker  Marker `json:"-"` // what the marker shall say afterwards
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
