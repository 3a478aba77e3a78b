//go:build !lean

package dnsprovider

import "domherre/dnsprovider/route53"

// route53Row is with the heavy ones for AWS' library.
func route53Row() row {
	return typed(Type{
		Name: "route53", Home: "https://aws.amazon.com/route53/", Limits: api(2, 4),
		CreatesBy: "create_zones",
		Summary:   "Amazon Route 53",
		Cannot:    []string{"alias records and those with a routing policy are not seen, and are refused where they stand in the way"},
	}, func(s route53.Settings, _ Config, _ Deps) (any, error) { return route53.New(s) }, nil).routed().weighs(weights{read: 1, zone: 1})
}
