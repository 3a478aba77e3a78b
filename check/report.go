package check

import (
	"slices"
	"time"
)

// Report is what `status` and `check` tell, the contract's JSON.
type Report struct {
	Version   int            `json:"version"` // 1
	Campaign  string         `json:"campaign"`
	Portfolio string         `json:"portfolio"`          // its id
	Frontend  *Result        `json:"frontend,omitempty"` // the frontend's own health; nil where it wasn't looked at
	Notices   []Result       `json:"notices,omitempty"`  // what concerns the campaign as a whole, by the daemon
	Nodes     []Node         `json:"nodes,omitempty"`    // the daemons that share a state, where there are several
	Domains   []DomainStatus `json:"domains"`
}

// DomainStatus is all that is known of one domain.
type DomainStatus struct {
	Domain      string       `json:"domain"` // U-labels
	ASCII       string       `json:"ascii"`
	Live        bool         `json:"live"`
	State       string       `json:"state"` // one word for the whole: StateLive, StateWaiting, …
	Checks      []Result     `json:"checks"`
	Certificate *Certificate `json:"certificate"` // nil where there is none
	Hits        Hits         `json:"hits"`
}

// Result is the outcome of one check.
type Result struct {
	Check   string    `json:"check"`
	State   string    `json:"state"`
	Since   time.Time `json:"since"`   // when the state became what it is
	Finding string    `json:"finding"` // one sentence: what was seen
	Advice  string    `json:"advice"`  // who must do what; empty where nobody must
}

// Certificate is what the inventory knows about a domain's certificate.
type Certificate struct {
	Names     []string  `json:"names"`
	Issuer    string    `json:"issuer"`
	NotAfter  time.Time `json:"not_after"`
	RenewAt   time.Time `json:"renew_at"`
	LastError string    `json:"last_error"`
}

// Hits counts a domain's visits: all of them, and those by people, as well as
// they can be told from machines.
type Hits struct {
	Today       int64 `json:"today"`
	Total       int64 `json:"total"`
	PeopleToday int64 `json:"people_today"`
	PeopleTotal int64 `json:"people_total"`
}

// Names of the checks, in the order that they are reported.
const (
	CheckDelegation   = "delegation"
	CheckRecords      = "records"
	CheckDNSSEC       = "dnssec"
	CheckCertificate  = "certificate"
	CheckRedirect     = "redirect"
	CheckMail         = "mail"
	CheckRegistration = "registration"
	CheckFrontend     = "frontend" // of the campaign, not of a domain
)

// States of a check.
const (
	StateOK      = "ok"
	StateWaiting = "waiting" // will come by itself
	StateWarning = "warning" // works, but somebody should look
	StateBroken  = "broken"
	StateUnknown = "unknown" // couldn't be told: never an alarm
)

// States of a domain as a whole, beside StateWaiting, StateBroken and StateUnknown.
const (
	StateLive    = "live"
	StatePaused  = "paused"  // on purpose: visitors get a short page
	StatePlanned = "planned" // launches later
)

// needed are the checks that a domain must pass to be live.
func needed() []string {
	return []string{CheckDelegation, CheckRecords, CheckCertificate, CheckRedirect}
}

// Check gives the result of one check, by its name.
func (d DomainStatus) Check(name string) (Result, bool) {
	for _, r := range d.Checks {
		if r.Check == name {
			return r, true
		}
	}
	return Result{}, false
}

// Failing reports whether the domain should be live and isn't. A domain that
// is paused or planned isn't live on purpose.
func (d DomainStatus) Failing() bool {
	return !d.Live && d.State != StatePaused && d.State != StatePlanned
}

// Worst gives the result that matters most, for a line that has room for one:
// what keeps the domain from being live, else what should be looked at. It is
// the zero Result where all is well.
func (d DomainStatus) Worst() Result {
	var worst Result
	for _, r := range d.Checks {
		if weight(r) > weight(worst) {
			worst = r
		}
	}
	return worst
}

// weight orders results by how much they matter.
func weight(r Result) int {
	switch {
	case r.State == StateOK:
		return 0
	case slices.Contains(needed(), r.Check) && r.State != StateWarning:
		return severity(r.State) + 10
	case r.State == StateUnknown:
		return 0 // such as a registry that doesn't answer: never an alarm
	}
	return severity(r.State)
}

// severity orders states, the worst highest.
func severity(state string) int {
	switch state {
	case StateOK:
		return 1
	case StateUnknown:
		return 2
	case StateWarning:
		return 3
	case StateWaiting:
		return 4
	case StateBroken:
		return 5
	}
	return 0
}

// judge fills in Live and State from the checks.
func (d *DomainStatus) judge(paused, planned bool) {
	worst := StateLive
	for _, r := range d.Checks {
		failed := r.State != StateOK && r.State != StateWarning
		if failed && slices.Contains(needed(), r.Check) && severity(r.State) > severity(worst) {
			worst = r.State
		}
	}
	switch {
	case planned:
		d.State = StatePlanned
	case paused:
		d.State = StatePaused
	default:
		d.State = worst
	}
	d.Live = d.State == StateLive
}
