package dnsprovider

import "slices"

// others are those whose modules were read, but not run against anything, ionos
// excepted.
func others() []row {
	return slices.Concat(registrars(), hosters(), dnsServices(), small())
}

const (
	noList   = "it can't list zones"
	noHTTPS  = "its module can't hold HTTPS records"
	oneValue = "it holds one value of a name and type: with ownership marker, the marker fits for a few records alone"
	rewrite  = "every write sends the whole zone: what others change at the same moment is lost"
)
