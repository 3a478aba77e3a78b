// Package redirect answers visitors: it holds the table of hosts and the HTTP
// and HTTPS listeners that send each host on to its target.
//
// Whoever lands here must stay unidentifiable, so nothing of a request (its
// address, headers, path or query) is ever logged, counted or written into an
// answer, but for a path and a query that a site is configured to keep.
package redirect

import (
	"log/slog"
	"net/http"
	"net/netip"

	"crypto/tls"
)

// Site is one domain: the hosts that lead somewhere, and where to.
type Site struct {
	Domain    string            // A-labels, "xn--kpasex-wxa.example"; names the site in counts
	Hosts     []string          // absolute A-labels without a trailing dot; "*.x" covers any depth below x
	Target    string            // absolute http(s) URL in ASCII, its host as A-labels
	Status    int               // 301 302 303 307 308; 0 is 302
	KeepPath  bool              // the visitor's path is appended to the target's
	KeepQuery bool              // the visitor's query is merged into the target's
	Tags      map[string]string // added to the target's query; {campaign}, {domain} and {host} are filled in
	HSTS      string            // value of Strict-Transport-Security; "" sends none, "max-age=0" takes it back
	Paused    bool              // answers 410 with a short page instead
	Language  string            // of that page: "sv" or "en"
	Campaign  string            // fills {campaign}
}

// Options are what a Server needs from outside. All but TLS may be left out.
type Options struct {
	// TLS chooses the certificates. It is cloned. GetCertificate and
	// Certificates are consulted for hosts in the table only. A connection for
	// which GetConfigForClient gives a config of another ALPN protocol ends
	// with its handshake, as challenges do. ServeHTTPS fails without TLS.
	TLS *tls.Config
	// Challenge answers a request below /.well-known/acme-challenge/ and
	// reports whether it did.
	Challenge func(http.ResponseWriter, *http.Request) bool
	// Trusted reports whether browsers would accept the certificate that this
	// node holds for host. It is called for every request on plain HTTP.
	Trusted func(host string) bool
	// Visited is told of every answer that leads to a target, and of every 410,
	// with the User-Agent of the request. A hop from HTTP to the same host's
	// HTTPS is not counted. It must be quick, must not block, and must not keep
	// agent, which may be overwritten as soon as it returns. Hits.Visited is
	// meant for it.
	Visited func(domain string, code int, agent string)
	// SecurityTxt is the content of /.well-known/security.txt (RFC 9116).
	SecurityTxt string
	// ProxyFrom lists the load balancers whose PROXY protocol header (version
	// 1 or 2) is taken off the front of a connection. Of the address in it
	// nothing is kept but whom the connection queues with, as of any other.
	ProxyFrom []netip.Prefix
	// MaxConnections is how many connections may be open at once; the next one
	// takes the place of an idle one. 0 is three quarters of the open files
	// that the system allows, but no more than 65,536.
	MaxConnections int
	// Log gets what concerns the server itself. nil discards it.
	Log *slog.Logger
}
