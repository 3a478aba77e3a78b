// Package rfc2136 keeps zones on a name server that takes dynamic updates
// (RFC 2136), signed by TSIG (RFC 8945), and gives them by zone transfer
// (AXFR): BIND, Knot DNS, PowerDNS and others.
//
// A write is one message, which the server carries out whole or not at all,
// with what was read before as its prerequisites.
package rfc2136

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/libdns/libdns"

	"domherre/dnsprovider/dnsclient"
	"domherre/dnsprovider/seen"
	"domherre/dnsprovider/zoneio"
)

// Settings say which server takes the updates, and by which key.
type Settings struct {
	Server  string `json:"server" doc:"the primary name server, host:port" example:"192.0.2.53:53" required:"true"`
	KeyName string `json:"key_name" doc:"name of the TSIG key, as the server has it" example:"domherre." required:"true"`
	KeyAlg  string `json:"key_alg" doc:"algorithm of the key" default:"hmac-sha256"`
	Key     string `json:"key" doc:"secret of the key, in base64" example:"${env:TSIG_KEY}" required:"true" secret:"true"`
}

// Check says what is wrong with the settings, by the setting's name; nothing
// is asked of the server.
func (s Settings) Check() map[string]error {
	faults := make(map[string]error)
	if host, port, err := net.SplitHostPort(s.Server); err != nil || host == "" || !isPort(port) {
		faults["server"] = fmt.Errorf("%q is no host:port; write it like 192.0.2.53:53 or [2001:db8::53]:53", s.Server)
	}
	const valid = "a2V5" // any base64 at all, so that each setting is judged by itself
	if _, err := dnsclient.NewKey(s.KeyName, "", valid); err != nil {
		faults["key_name"] = err
	}
	if _, err := dnsclient.NewKey("key.", s.KeyAlg, valid); err != nil {
		faults["key_alg"] = err
	}
	if _, err := dnsclient.NewKey("key.", "", s.Key); err != nil {
		faults["key"] = err
	}
	return faults
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// Provider is one such server. It is safe for concurrent use.
type Provider struct {
	server string
	client dnsclient.Client
	*seen.Memory
}

// The interfaces that the adapter and certificate issuers look for.
var (
	_ zoneio.AtomicWriter   = (*Provider)(nil)
	_ zoneio.Reader         = (*Provider)(nil)
	_ zoneio.Forgetter      = (*Provider)(nil)
	_ libdns.RecordGetter   = (*Provider)(nil)
	_ libdns.RecordAppender = (*Provider)(nil)
	_ libdns.RecordSetter   = (*Provider)(nil)
	_ libdns.RecordDeleter  = (*Provider)(nil)
)

// New makes a Provider that remembers zones in m, which may be nil. Nothing is
// asked of the server yet.
func New(s Settings, m *seen.Memory) (*Provider, error) {
	for _, err := range s.Check() {
		return nil, err
	}
	key, err := dnsclient.NewKey(s.KeyName, s.KeyAlg, s.Key)
	if err != nil {
		return nil, err
	}
	if m == nil {
		m = new(seen.Memory)
	}
	const patience = 5 * time.Second // for one message
	return &Provider{
		server: s.Server,
		client: dnsclient.Client{Key: key, Timeout: patience, Sockets: new(dnsclient.Sockets)},
		Memory: m,
	}, nil
}
