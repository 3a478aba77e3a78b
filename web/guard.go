package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// contentPolicy lets a page load its style sheet and nothing else.
const contentPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// secured puts in front of everything what keeps strangers out: the token, or
// without one the rule that only this machine may ask; GET and HEAD alone; and
// the headers that close the page to scripts, frames and caches.
func (s *server) secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "read only", http.StatusMethodNotAllowed)
		case s.options.Token == "" && !local(r):
			http.Error(w, "this listener answers on loopback only; set admin.token to open it", http.StatusForbidden)
		case !isHealth(r.URL.Path) && !s.authorised(r):
			h.Set("WWW-Authenticate", `Basic realm="domherre", charset="UTF-8"`)
			h.Add("WWW-Authenticate", `Bearer realm="domherre"`)
			http.Error(w, "the token is needed: as a bearer, or as the password to any user name", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isHealth reports whether path is for balancers, which hold no token.
func isHealth(path string) bool { return path == "/healthz" || path == "/readyz" }

// authorised reports whether the request shows the token, or needs none. The
// comparison takes the same time whatever the token's length.
func (s *server) authorised(r *http.Request) bool {
	if s.options.Token == "" {
		return true
	}
	shown := ""
	if scheme, credentials, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		shown = strings.TrimSpace(credentials)
	} else if _, password, ok := r.BasicAuth(); ok {
		shown = password
	}
	want, got := sha256.Sum256([]byte(s.options.Token)), sha256.Sum256([]byte(shown))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// local reports whether a request came in on loopback and was meant for it. A
// page elsewhere can point its own name at 127.0.0.1 and have a browser on this
// machine ask us (DNS rebinding), but it can't change the Host that it asks by.
func local(r *http.Request) bool {
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok && !addr.IP.IsLoopback() {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}
