// Package lab is a closed internet on the loopback interface, for the demo and
// the tests: root and TLD name servers that delegate to the provider's name
// servers, a recursive resolver over them, an ACME CA that really validates,
// a registry's RDAP and the campaign's frontend. It needs no root: every part
// listens on a high port, and name servers are known by address and port.
//
// Each part starts alone (StartNames, StartResolver, StartACME, StartRDAP,
// StartFrontend) or together with the others (Start). What the registry says
// about a name can be changed while the lab runs; see Faults.
package lab
