// A module of its own, since the suite is only in a pre-release of libdns, and
// the program shall not be built with that.
module domherre.test/libdnstest

go 1.26.0

require (
	domherre v0.0.0
	github.com/libdns/libdns v1.2.0-alpha.1
)

require (
	github.com/joeig/go-powerdns/v3 v3.21.0 // indirect
	github.com/miekg/dns v1.1.73 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace domherre => ../..
