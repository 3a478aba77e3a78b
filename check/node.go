package check

import "time"

// Node is one of the daemons that share a state.
type Node struct {
	Node         string    `json:"node"`  // its machine and port
	Leads        bool      `json:"leads"` // the others only serve
	State        string    `json:"state"` // StateOK, or StateBroken where it wasn't seen lately
	Since        time.Time `json:"since"` // when it started
	Seen         time.Time `json:"seen"`  // when it wrote this
	Domains      int       `json:"domains"`
	Certificates int       `json:"certificates"` // that it serves
}
