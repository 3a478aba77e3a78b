package redirect

import "net/url"

// place finds what a host leads to, or the answer for one that isn't served
// here. p is nil on plain HTTP.
func (s *Server) place(p *peer, host string) (*entry, *answer) {
	e := s.table.Load().find(host)
	switch {
	case p == nil && e == nil:
		return nil, s.common.unknown
	case p != nil && (e == nil || !p.covers(host)):
		return nil, s.common.wrong
	}
	return e, nil
}

// lead decides where a visitor goes, and counts the visit. host is one that
// place found, path and query are those that e keeps. It doesn't allocate where
// nothing is kept, but for hosts below a wildcard on plain HTTP.
func (s *Server) lead(e *entry, p *peer, host string, get bool, path, query string, agent string) reply {
	if p == nil && !e.site.paused && s.options.Trusted != nil && s.options.Trusted(e.named(host)) {
		return s.upgrade(e, host, get, path, query)
	}
	if s.options.Visited != nil {
		s.options.Visited(e.site.domain, e.fixed.status, agent)
	}
	r := s.secured(reply{answer: e.fixed}, e, p)
	if (path != "" || query != "") && !e.site.paused {
		r.answer, r.location = e.open, e.target.location(path, query)
	}
	return r
}

// secured adds what only answers over TLS have.
func (s *Server) secured(r reply, e *entry, p *peer) reply {
	if p != nil {
		r.hsts, r.altSvc = e.site.hsts, s.altSvc()
	}
	return r
}

// upgrade sends the visitor to the same host's HTTPS, which HSTS needs to see.
func (s *Server) upgrade(e *entry, host string, get bool, path, query string) reply {
	r := reply{answer: s.common.upgrade, location: e.secure}
	if !get {
		r.answer = s.common.upgradeSame
	}
	if e.secure == "" || path != "" || query != "" {
		same := target{origin: "https://" + host, path: "/"}
		r.location = same.location(path, query)
	}
	return r
}

// keeps reports whether a request's path or query matter.
func (e *entry) keeps() bool { return e.site.keepPath || e.site.keepQuery }

// kept gives the escaped path and query of the request as far as the site
// keeps them.
func (e *entry) kept(u *url.URL) (path, query string) {
	if e.site.keepPath && u.Path != "/" {
		path = u.EscapedPath()
	}
	if e.site.keepQuery {
		query = u.RawQuery
	}
	return path, query
}

// named gives a host that a callback may keep: host itself may be a view of a
// buffer.
func (e *entry) named(host string) string {
	if e.host != "" {
		return e.host
	}
	return string([]byte(host))
}
