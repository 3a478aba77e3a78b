package saastest_test

import (
	"testing"

	"domherre/dnsprovider"
	"domherre/dnsprovider/conformance"
	"domherre/dnsprovider/saastest"
)

const idn = "xn--kpasex-wxa.example"

func TestConformance(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, v saastest.Vendor) {
		f := saastest.New(v, append(zones(), idn)...)
		network.Serve(t, f)
		conformance.Run(t, conformance.Subject{
			Provider: open(t, config(f, f.ServeDNS(t)), dnsprovider.Deps{}),
			Zones:    zones(), IDN: idn, Missing: "missing.example",
			Creates: creates(v), MinTTL: typeOf(v.Type).MinTTL, Holds: v.Holds, Except: excepted[v.Type],
			Many: max(25, v.Page/2+10), // more than a page of RRsets or records
		})
	})
}

// excepted are the tests that a vendor can't pass; docs/providers.md tells why.
var excepted = map[string]map[string]string{
	"bunny":          {"apex name servers": "bunny.net keeps the NS records at the apex to itself"},
	"domainnameshop": {"apex name servers": "Domeneshop keeps the NS records at the apex to itself"},
	"cloudflare":     {"apex name servers": "Cloudflare keeps the NS records at the apex to itself"},
}

// typeOf is what the registry says of a type.
func typeOf(name string) dnsprovider.Type {
	t, _ := dnsprovider.TypeOf(name)
	return t
}
