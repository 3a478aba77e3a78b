// Package web is the admin listener: the status page, the JSON API, metrics
// and health. It only reads; nothing can be changed through it.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"domherre/check"
)

// Options are what the handler shows and to whom. Status is needed; the others
// may be left out, and their paths answer 404 then.
type Options struct {
	Language string // of the page: "sv", or "en" for all else
	Token    string // asked for on all but the health paths; "" allows loopback only

	// Status gives the report that the page shows and /api/v1/status returns.
	Status func(context.Context) (check.Report, error)
	// Plan, Certificates and Hits give what /api/v1/… returns, as values that
	// encode to the contract's JSON. since is a day, "2026-11-24", or "".
	Plan         func(context.Context) (any, error)
	Certificates func(context.Context) (any, error)
	Hits         func(ctx context.Context, since string) (any, error)

	Metrics *Metrics
	Ready   []Readiness
	Log     *slog.Logger     // nil discards
	Now     func() time.Time // nil is time.Now
}

// Readiness is one thing that must be so before the node takes visitors.
type Readiness struct {
	Name  string                      // "store", "config", "listeners"
	Check func(context.Context) error // nil when it is so
}

// Degraded is the error of a Readiness that is told, but keeps no visitors away.
type Degraded struct{ Err error }

func (d *Degraded) Error() string { return "degraded: " + d.Err.Error() }

// Unwrap gives what is amiss.
func (d *Degraded) Unwrap() error { return d.Err }

// readyTimeout bounds all readiness checks together.
const readyTimeout = 5 * time.Second

type server struct {
	options Options
	log     *slog.Logger
	now     func() time.Time
	text    *text
}

// New makes the handler of the admin listener. It answers GET and HEAD alone.
func New(o Options) http.Handler {
	s := &server{options: o, log: o.Log, now: o.Now, text: textIn(o.Language)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s.secured(s.routes())
}

func (s *server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /domains/{name}", s.domain)
	mux.HandleFunc("GET /style.css", style)
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /api/v1/status", s.api("status", func(ctx context.Context) (any, error) { return s.options.Status(ctx) }))
	for name, get := range map[string]func(context.Context) (any, error){
		"plan": s.options.Plan, "certificates": s.options.Certificates,
	} {
		if get != nil {
			mux.HandleFunc("GET /api/v1/"+name, s.api(name, get))
		}
	}
	if s.options.Hits != nil {
		mux.HandleFunc("GET /api/v1/hits", s.hits)
	}
	if s.options.Metrics != nil {
		mux.Handle("GET /metrics", s.options.Metrics.handler())
	}
	return mux
}

// api answers with the JSON of what get gives.
func (s *server) api(name string, get func(context.Context) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, err := get(r.Context())
		if err != nil {
			s.log.Error("cannot answer the API", slog.String("api", name), slog.Any("error", err))
			s.writeJSON(w, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
			return
		}
		s.writeJSON(w, http.StatusOK, value)
	}
}

func (s *server) writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		s.log.Error("cannot encode JSON", slog.Any("error", err))
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	writeBody(w, append(body, '\n'))
}

// writeBody sends a body. Whoever asked and has gone can't be told of it.
func writeBody(w http.ResponseWriter, body []byte) { _, _ = w.Write(body) }

func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	writeBody(w, []byte("ok\n"))
}

// readyz answers 503 where a thing isn't so, with a line for each, and for each
// that is degraded. Whoever hasn't shown the token learns the names only.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	status, body := http.StatusOK, ""
	for _, c := range s.options.Ready {
		err := c.Check(ctx)
		if err == nil {
			continue
		}
		if degraded := (*Degraded)(nil); !errors.As(err, &degraded) {
			status = http.StatusServiceUnavailable
		}
		if body += c.Name; s.authorised(r) {
			body += ": " + err.Error()
		}
		body += "\n"
	}
	if status == http.StatusOK {
		body = "ok\n" + body
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	writeBody(w, []byte(body))
}
