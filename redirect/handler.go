package redirect

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
)

// Paths that are answered for themselves.
const (
	wellKnown     = "/.well-known/"
	challengePath = wellKnown + "acme-challenge/"
	securityPath  = wellKnown + "security.txt"
	healthPath    = wellKnown + "domherre/healthz"
)

// common are the answers that are the same for every host.
type common struct {
	healthy, options, security           *answer // security is nil where none is configured
	badRequest, tooLarge, unknown, wrong *answer
	method                               *answer
	upgrade, upgradeSame                 *answer // without their Location
}

func newCommon(securityTxt string) common {
	c := common{
		healthy:    textAnswer(http.StatusOK, "ok\n"),
		options:    &answer{status: http.StatusNoContent, header: http.Header{"Allow": {allowed}, "Cache-Control": {noStore}}},
		badRequest: textAnswer(http.StatusBadRequest, "bad request\n"),
		tooLarge:   textAnswer(http.StatusRequestHeaderFieldsTooLarge, "request header fields too large\n"),
		unknown:    textAnswer(http.StatusNotFound, "not found\n"),
		wrong:      textAnswer(http.StatusMisdirectedRequest, "misdirected request\n"),
		method:     textAnswer(http.StatusMethodNotAllowed, "method not allowed\n"),
	}
	c.upgrade = textAnswer(http.StatusFound, "302 Found\n")
	c.upgradeSame = textAnswer(http.StatusTemporaryRedirect, "307 Temporary Redirect\n")
	c.badRequest.header["Connection"] = []string{"close"}
	c.tooLarge.header["Connection"] = []string{"close"}
	c.method.header["Allow"] = []string{allowed}
	if securityTxt != "" {
		c.security = textAnswer(http.StatusOK, securityTxt)
	}
	return c
}

const allowed = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

// guarded keeps a panic from taking more than its own request along, and from
// telling about it: the value may hold anything of the request, so only its
// type and the places in the code are logged.
func (s *Server) guarded(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				s.log.Error("panic while answering a request", slog.String("type", fmt.Sprintf("%T", v)), slog.String("at", panicSite()))
				panic(http.ErrAbortHandler)
			}
		}()
		h(w, r)
	})
}

// panicSite names the functions that led to a panic, innermost first.
func panicSite() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	var places []string
	for {
		f, more := frames.Next()
		places = append(places, fmt.Sprintf("%s:%d", f.Function, f.Line))
		if !more {
			return strings.Join(places, " < ")
		}
	}
}

// answerPlain answers on plain HTTP.
func (s *Server) answerPlain(w http.ResponseWriter, r *http.Request) {
	host, ok := s.accept(w, r)
	if !ok {
		return
	}
	e := s.table.Load().find(host)
	if e == nil {
		s.common.unknown.send(w, r)
		return
	}
	if s.answerCommon(w, r) {
		return
	}
	if !e.site.paused && s.options.Trusted != nil && s.options.Trusted(host) {
		s.upgrade(w, r, e, host)
		return
	}
	s.redirect(w, r, e)
}

// answerSecure answers on TLS.
func (s *Server) answerSecure(w http.ResponseWriter, r *http.Request) {
	host, ok := s.accept(w, r)
	if !ok {
		return
	}
	e := s.table.Load().find(host)
	p := peerOf(r)
	if e == nil || p == nil || !p.covers(host) {
		s.common.wrong.send(w, r)
		return
	}
	if e.site.hsts != nil {
		w.Header()["Strict-Transport-Security"] = e.site.hsts
	}
	if s.answerCommon(w, r) {
		return
	}
	s.redirect(w, r, e)
}

// accept settles what doesn't depend on the site: requests that are refused,
// health and challenges. ok is false when the request is answered.
func (s *Server) accept(w http.ResponseWriter, r *http.Request) (host string, ok bool) {
	if r.ProtoMajor == 1 && (s.draining.Load() || r.ContentLength != 0) {
		w.Header()["Connection"] = closeConnection
	}
	if r.Method == refusedMethod {
		s.refused(w, r)
		return "", false
	}
	host, ok = splitHost(r.Host)
	switch {
	case !ok, !sameHost(r, host), !printable(r.RequestURI), r.RequestURI == "*" && r.Method != http.MethodOptions:
		s.common.badRequest.send(w, r)
		return "", false
	case r.Method == http.MethodConnect, r.Method == http.MethodTrace:
		w.Header()["Connection"] = closeConnection
		s.common.method.send(w, r)
		return "", false
	}
	switch path := r.URL.Path; {
	case !strings.HasPrefix(path, wellKnown):
	case path == healthPath:
		s.common.healthy.send(w, r)
		return "", false
	case strings.HasPrefix(path, challengePath) && s.options.Challenge != nil && s.options.Challenge(w, r):
		return "", false
	}
	return host, true
}

var closeConnection = []string{"close"}

// refused answers in the place of a request that conn has refused.
func (s *Server) refused(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/431" {
		s.common.tooLarge.send(w, r)
		return
	}
	s.common.badRequest.send(w, r)
}

// sameHost reports whether an HTTP/2 request that has both :authority and Host
// names one host in them (RFC 9113, section 8.3.1). Of HTTP/1, checkHead knows.
func sameHost(r *http.Request, host string) bool {
	if r.ProtoMajor < 2 {
		return true
	}
	for _, v := range r.Header["Host"] {
		if h, ok := splitHost(v); !ok || h != host {
			return false
		}
	}
	return true
}

// answerCommon answers what every known host has in common.
func (s *Server) answerCommon(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case r.Method == http.MethodOptions:
		s.common.options.send(w, r)
	case s.common.security != nil && r.URL.Path == securityPath:
		s.common.security.send(w, r)
	default:
		return false
	}
	return true
}

// redirect sends the visitor on, or tells that the site is paused.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, e *entry) {
	if s.options.Redirected != nil {
		s.options.Redirected(e.site.domain, e.fixed.status)
	}
	path, query := e.kept(r)
	if path == "" && query == "" || e.site.paused {
		e.fixed.send(w, r)
		return
	}
	h := w.Header()
	for name, values := range e.fixed.header {
		h[name] = values
	}
	h["Location"] = []string{e.target.location(path, query)}
	e.fixed.finish(w, r)
}

// kept gives the escaped path and query of the request as far as the site
// keeps them.
func (e *entry) kept(r *http.Request) (path, query string) {
	if e.site.keepPath && r.URL.Path != "/" {
		path = r.URL.EscapedPath()
	}
	if e.site.keepQuery {
		query = r.URL.RawQuery
	}
	return path, query
}

// upgrade sends the visitor to the same host's HTTPS, which HSTS needs to see.
// host is one that the table has, or lies below a wildcard of it.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, e *entry, host string) {
	hop := s.common.upgrade
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		hop = s.common.upgradeSame
	}
	path, query := e.kept(r)
	location := e.secure
	if location == nil || path != "" || query != "" {
		same := target{origin: "https://" + host, path: "/"}
		location = []string{same.location(path, query)}
	}
	w.Header()["Location"] = location
	hop.send(w, r)
}
