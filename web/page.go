package web

import (
	"bytes"
	_ "embed"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"domherre/check"
)

//go:embed templates/page.html
var pageSource string

//go:embed templates/style.css
var styleSheet []byte

// pageTemplate is parsed once; executing it is safe from many goroutines.
var pageTemplate = template.Must(template.New("page").Parse(pageSource))

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=300")
	writeBody(w, styleSheet)
}

// page shows all domains.
func (s *server) page(w http.ResponseWriter, r *http.Request) {
	report, err := s.options.Status(r.Context())
	if err != nil {
		s.unavailable(w, err)
		return
	}
	s.render(w, http.StatusOK, s.newView(report))
}

// domain shows one domain, named in either form.
func (s *server) domain(w http.ResponseWriter, r *http.Request) {
	report, err := s.options.Status(r.Context())
	if err != nil {
		s.unavailable(w, err)
		return
	}
	name := strings.ToLower(strings.TrimSuffix(r.PathValue("name"), "."))
	i := slices.IndexFunc(report.Domains, func(d check.DomainStatus) bool { return d.ASCII == name || d.Domain == name })
	if i < 0 {
		v := s.newView(check.Report{Campaign: report.Campaign})
		v.Heading, v.Message = s.text.NotFound, s.text.NotFound
		s.render(w, http.StatusNotFound, v)
		return
	}
	v := s.newView(check.Report{Campaign: report.Campaign, Domains: report.Domains[i : i+1]})
	v.One = &v.Domains[0]
	v.Heading = v.One.Domain
	s.render(w, http.StatusOK, v)
}

// unavailable tells that there is no report. The reason is in the log, and in
// the API's answer for those who can make use of it.
func (s *server) unavailable(w http.ResponseWriter, err error) {
	s.log.Error("cannot show the status page", slog.Any("error", err))
	v := s.newView(check.Report{})
	v.Message = s.text.Unavailable
	s.render(w, http.StatusServiceUnavailable, v)
}

func (s *server) render(w http.ResponseWriter, status int, v view) {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, v); err != nil {
		s.log.Error("cannot render the status page", slog.Any("error", err))
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.Lang)
	w.WriteHeader(status)
	writeBody(w, b.Bytes())
}
