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
	closing := field{"Connection", "close"}
	c := common{
		healthy:     textAnswer(http.StatusOK, "ok\n"),
		options:     sealed(http.StatusNoContent, "", []field{{"Allow", allowed}, {"Cache-Control", noStore}}),
		badRequest:  textAnswer(http.StatusBadRequest, "bad request\n", closing),
		tooLarge:    textAnswer(http.StatusRequestHeaderFieldsTooLarge, "request header fields too large\n", closing),
		unknown:     textAnswer(http.StatusNotFound, "not found\n"),
		wrong:       textAnswer(http.StatusMisdirectedRequest, "misdirected request\n"),
		method:      textAnswer(http.StatusMethodNotAllowed, "method not allowed\n", field{"Allow", allowed}),
		upgrade:     textAnswer(http.StatusFound, "302 Found\n"),
		upgradeSame: textAnswer(http.StatusTemporaryRedirect, "307 Temporary Redirect\n"),
	}
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
				s.panicked(v)
				panic(http.ErrAbortHandler)
			}
		}()
		h(w, r)
	})
}

// panicked tells of a panic that was recovered from in the caller.
func (s *Server) panicked(v any) {
	if v == http.ErrAbortHandler {
		return // told already
	}
	s.log.Error("panic while answering a request", slog.String("type", fmt.Sprintf("%T", v)), slog.String("at", panicSite()))
}

// panicSite names the functions that led to a panic, innermost first.
func panicSite() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(5, pcs)])
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
func (s *Server) answerPlain(w http.ResponseWriter, r *http.Request) { s.answer(w, r, nil) }

// answerSecure answers on TLS.
func (s *Server) answerSecure(w http.ResponseWriter, r *http.Request) {
	p := peerOf(r)
	if p == nil {
		p = &peer{} // covers nothing
	}
	s.answer(w, r, p)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, p *peer) {
	host, ok := s.accept(w, r)
	if !ok {
		return
	}
	e, no := s.place(p, host)
	switch {
	case no != nil:
		reply{answer: no}.send(w, r)
	case r.Method == http.MethodOptions:
		s.secured(reply{answer: s.common.options}, e, p).send(w, r)
	case s.common.security != nil && r.URL.Path == securityPath:
		s.secured(reply{answer: s.common.security}, e, p).send(w, r)
	default:
		get := r.Method == http.MethodGet || r.Method == http.MethodHead
		path, query := e.kept(r.URL)
		s.lead(e, p, host, get, path, query, r.UserAgent()).send(w, r)
	}
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
		reply{answer: s.common.badRequest}.send(w, r)
		return "", false
	case r.Method == http.MethodConnect, r.Method == http.MethodTrace:
		w.Header()["Connection"] = closeConnection
		reply{answer: s.common.method}.send(w, r)
		return "", false
	}
	switch path := r.URL.Path; {
	case !strings.HasPrefix(path, wellKnown):
	case path == healthPath:
		reply{answer: s.common.healthy}.send(w, r)
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
		reply{answer: s.common.tooLarge}.send(w, r)
		return
	}
	reply{answer: s.common.badRequest}.send(w, r)
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
